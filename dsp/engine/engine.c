#include "dsp/engine/engine.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/snapshot.h"
#include "dsp/engine/chain.h"
#include "dsp/engine/merge.h"
#include "dsp/engine/player.h"
#include "dsp/engine/router.h"
#include "dsp/synth/font.h"
#include "dsp/synth/synth.h"

enum {
    QUANTUM_FRAMES = 64, ///< notes of one quantum are placed by the state at its start
    SEGMENT_FRAMES = CHAIN_FRAMES_MAX, ///< most that is rendered in one piece
    RUN_EVENTS = 64, ///< beyond as many, the shards hear of them before the next quantum
};

/// A piece on its way to the player.
struct request {
    const struct smf *piece;
    uint16_t source;
    uint64_t frame;
};

struct engine {
    struct engine_settings settings;
    uint64_t frame; ///< of the next sample
    struct synth *synth;
    struct router router;
    struct merge merge;
    struct player player;
    struct chain chain;
    struct engine_state now; ///< what the snapshot will say
    struct snapshot state;
    struct ring requests;        ///< struct request: to the player
    struct ring pieces;          ///< const struct smf *: done with
    _Atomic uint32_t pieces_out; ///< given to the engine and not yet collected
};

enum { PIECES_MAX = 4 };

// ---- creation ----

static bool is_valid(const struct engine_settings *settings)
{
    return settings->sample_rate_hz >= 8000 && settings->sample_rate_hz <= 192000 &&
           settings->max_frames >= 1 && settings->max_frames <= 8192 && settings->shards >= 1 &&
           settings->shards <= 16 && settings->polyphony >= 1 && settings->workers >= 0 &&
           settings->workers <= 15;
}

static void set_defaults(struct engine *engine)
{
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        struct param_value value;
        param_default(i, &value);
        engine->now.value[i] = (float)value.number;
    }
    player_init(&engine->player);
}

static int create_parts(struct engine *engine)
{
    const struct engine_settings *settings = &engine->settings;
    if (snapshot_init(&engine->state, sizeof engine->now) ||
        ring_init(&engine->requests, PIECES_MAX, sizeof(struct request)) ||
        ring_init(&engine->pieces, PIECES_MAX, sizeof(const struct smf *)))
        return -ENOMEM;
    engine->synth =
        synth_create(&(struct synth_settings){.sample_rate_hz = settings->sample_rate_hz,
                                              .shards = settings->shards,
                                              .polyphony = settings->polyphony,
                                              .workers = settings->workers,
                                              .priority = settings->priority,
                                              .max_frames = SEGMENT_FRAMES});
    if (!engine->synth)
        return -errno;
    set_defaults(engine);
    return chain_init(&engine->chain, engine->now.value, settings->sample_rate_hz,
                      settings->modes ? (uint32_t)settings->modes : RESONANCE_MODES_LEAST,
                      settings->tail_workers, settings->tail_priority);
}

struct engine *engine_create(const struct engine_settings *settings)
{
    struct engine *engine = is_valid(settings) ? calloc(1, sizeof *engine) : NULL;
    if (!engine) {
        errno = is_valid(settings) ? ENOMEM : EINVAL;
        return NULL;
    }
    engine->settings = *settings;
    int status = create_parts(engine);
    if (status) {
        engine_destroy(engine);
        errno = -status;
        return NULL;
    }
    engine->now.last_source = SOURCES_MAX;
    router_init(&engine->router, engine->synth, &engine->chain.strings, engine->now.value,
                settings->sample_rate_hz);
    chain_set_pianos(&engine->chain, router_piano_parts(&engine->router));
    chain_set_all(&engine->chain, engine->router.master_volume);
    snapshot_write(&engine->state, &engine->now);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    synth_destroy(engine->synth);
    chain_finish(&engine->chain);
    merge_finish(&engine->merge);
    snapshot_finish(&engine->state);
    ring_finish(&engine->requests);
    ring_finish(&engine->pieces);
    free(engine);
}

// ---- events ----

RT static void set_param(struct engine *engine, const struct event *event)
{
    unsigned index = event->param.index;
    if (index >= PARAM_COUNT)
        return;
    const struct param *row = param_row(index);
    bool is_settable = (row->flags & PARAM_FLAG_ENGINE) && !(row->flags & PARAM_FLAG_STATE);
    if (!is_settable || !param_is_valid(row, event->param.value))
        return;
    engine->now.value[index] = event->param.value;
    router_set(&engine->router, index, engine->frame);
    chain_set_pianos(&engine->chain, router_piano_parts(&engine->router));
    chain_set(&engine->chain, index, engine->router.master_volume);
}

/// Whether an event moves the chain: it counts from its very frame on, so rendering must stop
/// there.
RT static bool moves_chain(const struct event *event)
{
    switch (event->type) {
    case EVENT_CONTROL:
    case EVENT_PART_CONTROL:
        return event->control.number == CC_REVERB || event->control.number == CC_CHORUS ||
               event->control.number == CC_DELAY;
    case EVENT_PROGRAM: // the strings hear pianos only
    case EVENT_PART_PROGRAM:
    case EVENT_DRUM_PART:
    case EVENT_MASTER_VOLUME:
    case EVENT_RESET:
        return true;
    default:
        return false;
    }
}

RT static void dispatch(struct engine *engine, int ring, const struct event *event)
{
    engine->now.events++;
    if (event->source >= SOURCES_MAX || event->channel >= PARTS)
        return;
    if (event->type == EVENT_PARAM) {
        engine->now.applied[ring]++;
        set_param(engine, event);
        return;
    }
    if (router_starts_notes(event) && event->source != engine->player.source)
        engine->now.live_notes++;
    router_run(&engine->router, event, event->frame);
    if (!moves_chain(event))
        return;
    chain_set_pianos(&engine->chain, router_piano_parts(&engine->router));
    for (unsigned part = 0; part < PARTS; part++)
        chain_set(&engine->chain, PARAM_CH_REVERB + part, engine->router.master_volume);
    chain_set(&engine->chain, PARAM_MASTER_GAIN, engine->router.master_volume);
}

// ---- the player ----

RT static void give_piece_back(struct engine *engine)
{
    const struct smf *piece = engine->player.piece;
    if (piece)
        ring_push(&engine->pieces, &piece); // as many places as pieces can be out
    player_init(&engine->player);
}

/// Starts and stops what was asked for.
RT static void run_requests(struct engine *engine)
{
    struct request request;
    struct event event;
    while (ring_pop(&engine->requests, &request)) {
        if (engine->player.is_playing) {
            event = (struct event){
                .frame = engine->frame, .source = engine->player.source, .type = EVENT_RELEASE};
            merge_add(&engine->merge, &event, 0);
        }
        give_piece_back(engine);
        uint64_t start = request.frame > engine->frame ? request.frame : engine->frame;
        if (request.piece)
            player_start(&engine->player, request.piece, request.source, start,
                         engine->settings.sample_rate_hz);
    }
}

/// Moves the piece's events before `end` to the others, as many as there is room for.
RT static void pull_player(struct engine *engine, uint64_t end)
{
    struct event event;
    while (engine->merge.count < MERGE_FUTURE_EVENTS && player_next(&engine->player, end, &event)) {
        if (event.frame < engine->frame) // it had to wait for room
            event.frame = engine->frame;
        merge_add(&engine->merge, &event, 0);
    }
    if (!engine->player.is_playing)
        give_piece_back(engine);
}

// ---- the time line ----

RT static bool cuts_sound(const struct event *event)
{
    return event->type == EVENT_PARAM || moves_chain(event);
}

RT static uint64_t quantum_start(uint64_t frame) { return frame - frame % QUANTUM_FRAMES; }

/// The next event before `limit`, or NULL. Sources that fall silent before it are released, at
/// their own frame whatever the period.
RT static const struct event *due_event(struct engine *engine, uint64_t limit)
{
    const struct event *next = merge_peek(&engine->merge);
    bool is_due = next && next->frame < limit;
    uint64_t deadline, until = is_due ? next->frame : limit - 1;
    while ((deadline = router_deadline(&engine->router)) <= until)
        router_watch(&engine->router, deadline > engine->frame ? deadline : engine->frame);
    return is_due ? next : NULL;
}

/// Lets the events that are due take effect, and returns the frame up to which the sound can be
/// rendered in one piece: no further than the quantum in which the next note begins, since its
/// place depends on what sounds by then.
RT static uint64_t run_events(struct engine *engine, uint64_t end)
{
    uint64_t now = engine->frame;
    uint64_t limit = end - now > SEGMENT_FRAMES ? now + SEGMENT_FRAMES : end;
    const struct event *next;
    if (quantum_start(limit) > now)
        limit = quantum_start(limit);
    pull_player(engine, limit);
    for (int count = 0; (next = due_event(engine, limit)); count++) {
        // A cut, too, stops at its quantum first: a note may follow within it.
        bool stops = router_starts_notes(next) || cuts_sound(next) || count >= RUN_EVENTS;
        if (stops && quantum_start(next->frame) > now)
            return quantum_start(next->frame);
        if (cuts_sound(next) && next->frame > now)
            return next->frame;
        struct event event;
        int ring = merge_pop(&engine->merge, &event);
        dispatch(engine, ring, &event);
        pull_player(engine, limit);
    }
    return limit;
}

// ---- sound ----

RT static void render(struct engine *engine, float *const out[2], uint32_t frames)
{
    float *bus[PARTS][2];
    uint16_t parts = synth_render(engine->synth, engine->frame, frames, bus);
    chain_run(&engine->chain, engine->frame, parts, bus, out, frames);
    engine->frame += frames;
}

RT static void publish(struct engine *engine)
{
    struct engine_state *now = &engine->now;
    const struct chain *chain = &engine->chain;
    now->frame = engine->frame;
    now->voices = (uint32_t)synth_voices(engine->synth);
    now->last_source = engine->router.last_source;
    now->font_generation = synth_font_generation(engine->synth);
    now->is_playing = engine->player.is_playing;
    for (unsigned part = 0; part < PARTS; part++) {
        now->bank_is_drums[part] = synth_part(engine->synth, (uint8_t)part)->is_drums;
        now->value[PARAM_CH_LEVEL + part] = fmaxf(meter_peak_db(&chain->part_meters[part][0]),
                                                  meter_peak_db(&chain->part_meters[part][1]));
    }
    now->value[PARAM_MASTER_PEAK_L] = meter_peak_db(&chain->meters[0]);
    now->value[PARAM_MASTER_PEAK_R] = meter_peak_db(&chain->meters[1]);
    now->value[PARAM_MASTER_RMS_L] = meter_rms_db(&chain->meters[0]);
    now->value[PARAM_MASTER_RMS_R] = meter_rms_db(&chain->meters[1]);
    now->value[PARAM_MASTER_REDUCTION] = limiter_reduction_db(&chain->limiter);
    now->value[PARAM_MASTER_CLIPS] = (float)(chain->meters[0].clips + chain->meters[1].clips);
    now->value[PARAM_PLAYER_POSITION] =
        (float)player_position_seconds(&engine->player, engine->frame);
    now->value[PARAM_PLAYER_LENGTH] = (float)player_length_seconds(&engine->player);
    snapshot_write(&engine->state, now);
}

RT int engine_run(struct engine *engine, float *const out[2], uint32_t frames)
{
    uint64_t start = engine->frame, end = start + frames, events = engine->now.events;
    rt_flush_denormals(); // as the workers do: who renders a shard must not matter
    synth_begin(engine->synth, start);
    engine->now.late_events += merge_drain(&engine->merge, start, end);
    run_requests(engine);
    while (engine->frame < end) {
        uint64_t offset = engine->frame - start;
        float *const place[2] = {out[0] + offset, out[1] + offset};
        if (engine->frame % QUANTUM_FRAMES == 0)
            synth_latch(engine->synth, engine->frame);
        uint64_t limit = run_events(engine, end);
        render(engine, place, (uint32_t)(limit - engine->frame));
    }
    publish(engine);
    return (int)(engine->now.events - events);
}

uint32_t engine_latency_frames(const struct engine *engine)
{
    return synth_latency_frames(engine->synth) + chain_delay_frames(&engine->chain);
}

// ---- other threads ----

int engine_open_ring(struct engine *engine, uint32_t capacity)
{
    return merge_open_ring(&engine->merge, capacity);
}

RT bool engine_push(struct engine *engine, int ring, const struct event *event)
{
    return merge_push(&engine->merge, ring, event);
}

void engine_read_state(const struct engine *engine, struct engine_state *state)
{
    snapshot_read(&engine->state, state);
}

int engine_set_font(struct engine *engine, struct font *font)
{
    return synth_set_font(engine->synth, font);
}

struct font *engine_collect_font(struct engine *engine)
{
    // The font came in as the caller's own; the synth only promised not to change it.
    return (struct font *)(uintptr_t)synth_collect_font(engine->synth);
}

int engine_play(struct engine *engine, const struct smf *piece, uint16_t source, uint64_t frame)
{
    struct request request = {piece, source, frame};
    if (piece && atomic_load(&engine->pieces_out) >= PIECES_MAX - 1)
        return -EBUSY;
    if (!ring_push(&engine->requests, &request))
        return -EBUSY;
    if (piece)
        atomic_fetch_add(&engine->pieces_out, 1);
    return 0;
}

int engine_set_space(struct engine *engine, struct response *response)
{
    return chain_set_space(&engine->chain, response);
}

bool engine_collect_space(struct engine *engine) { return chain_collect_space(&engine->chain); }

struct schedule engine_space_schedule(const struct engine *engine)
{
    return chain_schedule(&engine->chain);
}

uint32_t engine_space_frames_max(const struct engine *engine)
{
    return chain_response_frames_max(&engine->chain);
}

uint32_t engine_late_blocks(const struct engine *engine)
{
    return chain_late_blocks(&engine->chain);
}

const struct smf *engine_collect_piece(struct engine *engine)
{
    const struct smf *piece;
    if (!ring_pop(&engine->pieces, &piece))
        return NULL;
    atomic_fetch_sub(&engine->pieces_out, 1);
    return piece;
}

void engine_copy_state(struct engine *to, const struct engine *from)
{
    memcpy(to->now.value, from->now.value, sizeof to->now.value);
    memcpy(to->router.is_rhythm, from->router.is_rhythm, sizeof to->router.is_rhythm);
    to->router.master_volume = from->router.master_volume;
    to->router.fine_cents = from->router.fine_cents;
    to->router.coarse_cents = from->router.coarse_cents;
    synth_copy_state(to->synth, from->synth);
    chain_set_pianos(&to->chain, router_piano_parts(&to->router));
    chain_set_all(&to->chain, to->router.master_volume);
}
