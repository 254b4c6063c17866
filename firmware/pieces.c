#include "firmware/pieces.h"

#include <errno.h>
#include <stdlib.h>

#include "dsp/engine/smf.h"
#include "firmware/console.h"
#include "firmware/demo.h"

enum { LENT_MAX = 16 }; // more than an engine takes

struct pieces {
    struct control *control;
    struct registry *registry;
    const struct engine *engine; ///< to which pieces are lent
    struct smf *lent[LENT_MAX];  ///< NULL: a free place
    int source;                  ///< the player's own
    uint64_t file_seen;          ///< serial of the parameter
    bool is_demo;
    bool has_begun;      ///< the engine has been seen to play it
    uint64_t live_notes; ///< by others, when it began
};

struct pieces *pieces_create(struct control *control, struct registry *registry)
{
    struct pieces *pieces = calloc(1, sizeof *pieces);
    if (!pieces)
        return NULL;
    *pieces = (struct pieces){.control = control, .registry = registry};
    pieces->source = registry_open(registry, SOURCE_BOX, "player");
    pieces->file_seen = store_changed(control->store, PARAM_PLAYER_FILE);
    return pieces;
}

// ---- pieces lent to the engine ----

static struct smf **find_lent(struct pieces *pieces, const struct smf *piece)
{
    for (int i = 0; i < LENT_MAX; i++)
        if (pieces->lent[i] == piece)
            return &pieces->lent[i];
    return NULL;
}

/// The engine that had them is no more.
static void take_all_back(struct pieces *pieces)
{
    for (int i = 0; i < LENT_MAX; i++) {
        smf_destroy(pieces->lent[i]);
        pieces->lent[i] = NULL;
    }
}

/// With the lock of `control` held.
static struct engine *current_engine(struct pieces *pieces)
{
    struct engine *engine = pieces->control->engine;
    if (engine != pieces->engine)
        take_all_back(pieces);
    pieces->engine = engine;
    return engine;
}

void pieces_destroy(struct pieces *pieces)
{
    if (!pieces)
        return;
    take_all_back(pieces);
    registry_close(pieces->registry, pieces->source);
    free(pieces);
}

/// Gives the engine a piece, which it returns when done, or NULL to stop.
static int play(struct pieces *pieces, struct smf *piece)
{
    pthread_mutex_lock(&pieces->control->lock);
    struct engine *engine = current_engine(pieces);
    struct smf **place = find_lent(pieces, NULL);
    int status = !engine ? -ENODEV : !place ? -EBUSY : 0;
    if (!status)
        status = engine_play(engine, piece, (uint16_t)pieces->source, EVENT_NOW);
    pthread_mutex_unlock(&pieces->control->lock);
    if (status)
        smf_destroy(piece);
    else
        *place = piece;
    pieces->has_begun = false;
    return status;
}

int pieces_play_demo(struct pieces *pieces)
{
    struct smf *demo = demo_create();
    int status = demo ? play(pieces, demo) : -ENOMEM;
    pieces->is_demo = !status;
    return status;
}

bool pieces_is_demo(const struct pieces *pieces) { return pieces->is_demo; }

static void follow_file(struct pieces *pieces)
{
    struct store *store = pieces->control->store;
    uint64_t serial = store_changed(store, PARAM_PLAYER_FILE);
    if (serial == pieces->file_seen)
        return;
    pieces->file_seen = serial;
    pieces->is_demo = false;
    char path[PARAM_TEXT_MAX], message[512];
    struct smf *piece = NULL;
    struct smf_error error;
    store_text(store, PARAM_PLAYER_FILE, path, sizeof path);
    if (*path && smf_load(path, &piece, &error)) {
        smf_error_format(&error, path, message, sizeof message);
        console_say("player: %s", message);
        return;
    }
    if (play(pieces, piece))
        console_say("player: cannot play now; try again");
    else
        console_say(piece ? "player: %s" : "player: stopped%s", path);
}

static void collect(struct pieces *pieces)
{
    const struct smf *piece;
    pthread_mutex_lock(&pieces->control->lock);
    struct engine *engine = current_engine(pieces);
    while (engine && (piece = engine_collect_piece(engine))) {
        struct smf **place = find_lent(pieces, piece);
        smf_destroy(*place);
        *place = NULL;
    }
    pthread_mutex_unlock(&pieces->control->lock);
}

void pieces_service(struct pieces *pieces, const struct engine_state *state)
{
    follow_file(pieces);
    collect(pieces);
    if (!pieces->has_begun)
        pieces->live_notes = state->live_notes;
    bool is_other = state->live_notes != pieces->live_notes;
    pieces->has_begun |= state->is_playing;
    if (pieces->is_demo && pieces->has_begun && is_other) {
        console_say("demo: ends, you play");
        play(pieces, NULL);
        pieces->is_demo = false;
    } else if (pieces->is_demo && pieces->has_begun && !state->is_playing) {
        pieces->is_demo = false;
    }
}
