#include "dsp/engine/engine.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/meter.h"
#include "dsp/base/snapshot.h"
#include "dsp/effects/limiter.h"
#include "dsp/engine/merge.h"
#include "dsp/engine/player.h"
#include "dsp/engine/router.h"
#include "dsp/engine/strip.h"
#include "dsp/synth/font.h"
#include "dsp/synth/synth.h"

enum {
    QUANTUM_FRAMES = 64,   ///< notes of one quantum are placed by the state at its start
    SEGMENT_FRAMES = 1024, ///< most that is rendered in one piece
    RUN_EVENTS = 64,       ///< beyond as many, the shards hear of them before the next quantum
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
    struct strip strips[PARTS], master;
    struct meter part_meters[PARTS][2], meters[2];
    struct limiter limiter;
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
    for (int i = 0; i < PARTS; i++) {
        strip_init(&engine->strips[i], engine->settings.sample_rate_hz);
        for (int side = 0; side < 2; side++)
            meter_init(&engine->part_meters[i][side], engine->settings.sample_rate_hz);
    }
    strip_init(&engine->master, engine->settings.sample_rate_hz);
    meter_init(&engine->meters[0], engine->settings.sample_rate_hz);
    meter_init(&engine->meters[1], engine->settings.sample_rate_hz);
    limiter_init(&engine->limiter, engine->settings.sample_rate_hz);
    limiter_set(&engine->limiter, engine->now.value[PARAM_LIMITER_ON] != 0.0f,
                engine->now.value[PARAM_LIMITER_CEILING], engine->now.value[PARAM_LIMITER_RELEASE]);
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
    return engine->synth ? 0 : -errno;
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
    set_defaults(engine);
    engine->now.last_source = SOURCES_MAX;
    router_init(&engine->router, engine->synth, engine->now.value, settings->sample_rate_hz);
    snapshot_write(&engine->state, &engine->now);
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    synth_destroy(engine->synth);
    merge_finish(&engine->merge);
    snapshot_finish(&engine->state);
    ring_finish(&engine->requests);
    ring_finish(&engine->pieces);
    free(engine);
}

// ---- events ----

RT static void set_strip(struct engine *engine, unsigned part)
{
    const float *value = engine->now.value;
    strip_set(&engine->strips[part], value[PARAM_CH_GAIN + part], value[PARAM_CH_BALANCE + part],
              value[PARAM_CH_MUTE + part] != 0.0f);
}

RT static void set_master(struct engine *engine)
{
    float gain_db = engine->now.value[PARAM_MASTER_GAIN];
    if (gain_db > -60.0f)
        gain_db += meter_to_db(engine->router.master_volume);
    strip_set(&engine->master, gain_db, 0.0f, false);
}

RT static void set_param(struct engine *engine, const struct event *event)
{
    float *value = engine->now.value;
    unsigned index = event->param.index;
    if (index >= PARAM_COUNT)
        return;
    const struct param *row = param_row(index);
    bool is_settable = (row->flags & PARAM_FLAG_ENGINE) && !(row->flags & PARAM_FLAG_STATE);
    if (!is_settable || !param_is_valid(row, event->param.value))
        return;
    value[index] = event->param.value;
    if (index - PARAM_CH_GAIN < PARTS || index - PARAM_CH_BALANCE < PARTS ||
        index - PARAM_CH_MUTE < PARTS)
        set_strip(engine, index - row->index);
    else if (index == PARAM_MASTER_GAIN)
        set_master(engine);
    else if (row->index >= PARAM_LIMITER_ON && row->index <= PARAM_LIMITER_RELEASE)
        limiter_set(&engine->limiter, value[PARAM_LIMITER_ON] != 0.0f, value[PARAM_LIMITER_CEILING],
                    value[PARAM_LIMITER_RELEASE]);
    else
        router_set(&engine->router, index, engine->frame);
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
    router_run(&engine->router, event, event->frame);
    if (event->type == EVENT_MASTER_VOLUME || event->type == EVENT_RESET)
        set_master(engine);
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

/// Whether an event counts from its very frame on, so that rendering must stop there.
RT static bool cuts_sound(const struct event *event)
{
    return event->type == EVENT_PARAM || event->type == EVENT_MASTER_VOLUME ||
           event->type == EVENT_RESET;
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

RT static void mix_parts(struct engine *engine, uint16_t parts, float *bus[PARTS][2],
                         float *const out[2], uint32_t frames)
{
    for (unsigned part = 0; part < PARTS; part++) {
        bool has_sound = parts >> part & 1;
        float before = engine->strips[part].gain[0] + engine->strips[part].gain[1];
        if (has_sound)
            strip_add(&engine->strips[part], bus[part], out, frames);
        else
            strip_skip(&engine->strips[part], frames);
        for (int side = 0; side < 2; side++)
            meter_run(&engine->part_meters[part][side],
                      has_sound && before > 0.0f ? bus[part][side] : NULL, frames);
    }
}

RT static void render(struct engine *engine, float *const out[2], uint32_t frames)
{
    float *bus[PARTS][2];
    memset(out[0], 0, frames * sizeof *out[0]);
    memset(out[1], 0, frames * sizeof *out[1]);
    uint16_t parts = synth_render(engine->synth, engine->frame, frames, bus);
    mix_parts(engine, parts, bus, out, frames);
    strip_scale(&engine->master, out, frames);
    limiter_run(&engine->limiter, out[0], out[1], frames);
    meter_run(&engine->meters[0], out[0], frames);
    meter_run(&engine->meters[1], out[1], frames);
    engine->frame += frames;
}

RT static void publish(struct engine *engine)
{
    struct engine_state *now = &engine->now;
    now->frame = engine->frame;
    now->voices = (uint32_t)synth_voices(engine->synth);
    now->last_source = engine->router.last_source;
    now->font_generation = synth_font_generation(engine->synth);
    now->is_playing = engine->player.is_playing;
    for (unsigned part = 0; part < PARTS; part++) {
        now->bank_is_drums[part] = synth_part(engine->synth, (uint8_t)part)->is_drums;
        now->value[PARAM_CH_LEVEL + part] = fmaxf(meter_peak_db(&engine->part_meters[part][0]),
                                                  meter_peak_db(&engine->part_meters[part][1]));
    }
    now->value[PARAM_MASTER_PEAK_L] = meter_peak_db(&engine->meters[0]);
    now->value[PARAM_MASTER_PEAK_R] = meter_peak_db(&engine->meters[1]);
    now->value[PARAM_MASTER_RMS_L] = meter_rms_db(&engine->meters[0]);
    now->value[PARAM_MASTER_RMS_R] = meter_rms_db(&engine->meters[1]);
    now->value[PARAM_MASTER_REDUCTION] = limiter_reduction_db(&engine->limiter);
    now->value[PARAM_MASTER_CLIPS] = (float)(engine->meters[0].clips + engine->meters[1].clips);
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
    return synth_latency_frames(engine->synth) + limiter_delay_frames(&engine->limiter);
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
    for (unsigned part = 0; part < PARTS; part++)
        set_strip(to, part);
    set_master(to);
    limiter_set(&to->limiter, to->now.value[PARAM_LIMITER_ON] != 0.0f,
                to->now.value[PARAM_LIMITER_CEILING], to->now.value[PARAM_LIMITER_RELEASE]);
}
