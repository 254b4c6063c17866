// The engine under the interposer: whatever is played and changed, effects and spaces too, the
// audio thread and its workers never lock, allocate, log or make a system call but the one that
// wakes a worker.
// variants: release

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "dsp/effects/response.h"
#include "dsp/effects/space.h"
#include "dsp/engine/chain.h"
#include "dsp/engine/smf.h"
#include "dsp/synth/font.h"
#include "tests/engine/box.h"
#include "tests/rt/interposer.h"
#include "tests/synth/tones.h"

enum { PERIODS = 400, PERIOD = 128, PIECE_EVENTS = 400 };

static struct engine *engine;
static int rings[2];
static struct font *fonts[3];
static _Atomic bool is_over;
static _Atomic int changes, pieces, spaces;
static struct impulse *impulses[2];
static struct smf_event piece_events[PIECE_EVENTS];
static struct smf piece = {.events = piece_events, .count = PIECE_EVENTS};

static int pick(unsigned *seed, int low, int high) { return low + rand_r(seed) % (high - low + 1); }

// ---- the audio thread, as a JACK callback runs ----

static void *run_audio(void *unused)
{
    static float left[PERIOD], right[PERIOD];
    float *out[2] = {left, right};
    (void)unused;
    for (int i = 0; i < PERIODS; i++) {
        rt_set(true);
        engine_run(engine, out, PERIOD);
        rt_set(false);
        if (i % 4 == 0) // now and then the workers fall asleep and must be woken
            nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    }
    atomic_store(&is_over, true);
    return NULL;
}

// ---- producers ----

static void fill(struct event *event, unsigned *seed)
{
    static const enum event_type rare[] = {EVENT_RESET,     EVENT_MASTER_VOLUME, EVENT_MASTER_TUNE,
                                           EVENT_DRUM_PART, EVENT_SENSING,       EVENT_RELEASE,
                                           EVENT_PANIC,     EVENT_MASTER_COARSE};
    int kind = pick(seed, 0, 104);
    event->channel = (uint8_t)pick(seed, 0, 15);
    event->source = (uint16_t)pick(seed, 0, SOURCES_MAX - 1);
    event->note.key = (uint8_t)pick(seed, 0, 127);
    event->note.velocity = (uint8_t)pick(seed, 1, 127);
    if (kind < 50) {
        event->type = (uint8_t)pick(seed, EVENT_NOTE_OFF, EVENT_PART_BEND);
    } else if (kind < 80) {
        event->type = EVENT_CONTROL;
    } else if (kind < 88) {
        event->type = EVENT_TUNE_KEY;
        event->tune_key.program = 0;
        event->tune_key.bank = 0;
        event->tune_key.is_realtime = 1;
        event->tune_key.semitones = (float)pick(seed, 0, 127);
    } else if (kind < 92) {
        event->type = EVENT_TUNE_SCALE;
        event->tune_scale.parts = 0xffff;
        event->tune_scale.is_realtime = 1;
        event->tune_scale.first = rand_r(seed) % 2 ? 6 : 0;
        event->tune_scale.cents_64[pick(seed, 0, 5)] = (int16_t)pick(seed, -6400, 6399);
    } else if (kind < 98 || kind > 99) {
        static const int first[] = {0, PARAM_LIMITER_ON, PARAM_REVERB_ON, PARAM_EQ1_KIND};
        event->type = EVENT_PARAM; // of the effects, or any
        event->param.index = (uint16_t)pick(seed, first[pick(seed, 0, 3)], PARAM_COUNT - 1);
        const struct param *row = param_row(event->param.index);
        event->param.value = (float)param_denormalize(row, pick(seed, 0, 1000) / 1000.0);
    } else {
        event->type = (uint8_t)rare[(size_t)rand_r(seed) % (sizeof rare / sizeof *rare)];
        event->reset.mode %= RESET_GM_OFF + 1;
    }
}

static void *produce(void *context)
{
    int ring = *(int *)context;
    unsigned seed = (unsigned)ring;
    while (!atomic_load(&is_over)) {
        struct event event = {0};
        fill(&event, &seed);
        if (!engine_push(engine, ring, &event))
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    return NULL;
}

/// Fonts, pieces and readings of the state, as the main thread makes them.
static void *change_things(void *unused)
{
    static struct engine_state state;
    (void)unused;
    for (int i = 0; !atomic_load(&is_over); i++) {
        if (engine_set_font(engine, fonts[i % 3]) == 0)
            atomic_fetch_add(&changes, 1);
        while (engine_collect_font(engine))
            ;
        if (engine_play(engine, i % 3 ? &piece : NULL, 60, EVENT_NOW) == 0)
            atomic_fetch_add(&pieces, 1);
        while (engine_collect_piece(engine))
            ;
        engine_read_state(engine, &state);
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    return NULL;
}

/// All effects on, and each parameter of the chain moved once, while it plays.
static void *change_chain(void *ring)
{
    for (unsigned i = 0; i < CHAIN_SWITCHES + PARAM_COUNT && !atomic_load(&is_over); i++) {
        struct event event = {.type = EVENT_PARAM};
        bool is_switch = i < CHAIN_SWITCHES;
        event.param.index = (uint16_t)(is_switch ? chain_switches[i] : i - CHAIN_SWITCHES);
        const struct param *row = param_row(event.param.index);
        event.param.value = (float)param_denormalize(row, is_switch ? 1.0 : 0.7);
        while (!engine_push(engine, *(int *)ring, &event) && !atomic_load(&is_over))
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    return NULL;
}

/// Spaces come and go, as the thread of the spaces lets them.
static void *change_spaces(void *unused)
{
    struct schedule schedule = engine_space_schedule(engine);
    (void)unused;
    for (int i = 0; !atomic_load(&is_over); i++) {
        struct response *response = i % 3 < 2 ? response_create(impulses[i % 3], &schedule) : NULL;
        if (engine_set_space(engine, response) == 0)
            atomic_fetch_add(&spaces, 1);
        response_drop(response);
        while (engine_collect_space(engine) && !atomic_load(&is_over))
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

static void make_spaces(void)
{
    static const enum space_kind kinds[] = {SPACE_ROOM, SPACE_HALL};
    for (int i = 0; i < 2; i++) {
        struct space_settings settings = space_standard(kinds[i], 48000);
        impulses[i] = space_create(&settings);
        assert_non_null(impulses[i]);
    }
}

static void make_piece(void)
{
    for (int i = 0; i < PIECE_EVENTS; i++) {
        piece_events[i].time_ns = (uint64_t)i * 5000000;
        piece_events[i].event.type = i % 2 ? EVENT_NOTE_OFF : EVENT_NOTE_ON;
        piece_events[i].event.note.key = (uint8_t)(40 + i / 2 % 40);
        piece_events[i].event.note.velocity = 100;
    }
    piece.length_ns = (uint64_t)PIECE_EVENTS * 5000000;
}

static void play_it_all(int workers)
{
    pthread_t audio, producers[2], changer, chain_changer, space_changer;
    int chain_ring;
    atomic_store(&is_over, false);
    engine = engine_create(&(struct engine_settings){.sample_rate_hz = 48000,
                                                     .max_frames = PERIOD,
                                                     .shards = 8,
                                                     .polyphony = 64,
                                                     .workers = workers,
                                                     .tail_workers = 1});
    assert_non_null(engine);
    for (int i = 0; i < 2; i++)
        rings[i] = engine_open_ring(engine, 64);
    chain_ring = engine_open_ring(engine, 64);
    assert_int_equal(engine_set_font(engine, fonts[0]), 0);
    assert_int_equal(pthread_create(&audio, NULL, run_audio, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &rings[i]), 0);
    assert_int_equal(pthread_create(&changer, NULL, change_things, NULL), 0);
    assert_int_equal(pthread_create(&chain_changer, NULL, change_chain, &chain_ring), 0);
    assert_int_equal(pthread_create(&space_changer, NULL, change_spaces, NULL), 0);
    pthread_join(audio, NULL);
    pthread_join(changer, NULL);
    pthread_join(chain_changer, NULL);
    pthread_join(space_changer, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(producers[i], NULL);
    struct engine_state state;
    engine_read_state(engine, &state);
    printf("%d workers: %llu events, %d fonts taken, %d pieces, %d spaces\n", workers,
           (unsigned long long)state.events, atomic_load(&changes), atomic_load(&pieces),
           atomic_load(&spaces));
    assert_int_equal(state.applied[chain_ring], CHAIN_SWITCHES + PARAM_COUNT);
    assert_true(atomic_load(&spaces) >= 2);
    assert_true(state.events > 1000);
    assert_true(atomic_load(&changes) >= 2 && atomic_load(&pieces) >= 2);
    engine_destroy(engine);
}

static void test_the_audio_thread_alone(void **state)
{
    (void)state;
    play_it_all(0);
}

static void test_the_audio_thread_with_workers(void **state)
{
    (void)state;
    play_it_all(2);
}

static int load(void **state)
{
    (void)state;
    make_piece();
    make_spaces();
    fonts[0] = box_font_or_skip("TimGM6mb");
    fonts[1] = tones_load(8000);
    fonts[2] = tones_load(3000);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        font_destroy(fonts[i]);
    for (int i = 0; i < 2; i++)
        impulse_destroy(impulses[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_audio_thread_alone),
        cmocka_unit_test(test_the_audio_thread_with_workers),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
