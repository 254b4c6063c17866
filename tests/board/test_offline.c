/// The offline twin: virtual time, any period, the same sound, events on their frame.
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/offline.h"
#include "dsp/synth/font.h"

enum { RATE_HZ = 48000, FRAMES = 24000, EVENTS = 40 };

struct tape {
    float left[FRAMES];
    uint64_t frames, stop_at;
};

static int record(void *data, float *const out[2], uint32_t frames)
{
    struct tape *tape = data;
    assert_true(tape->frames + frames <= FRAMES);
    memcpy(tape->left + tape->frames, out[0], frames * sizeof(float));
    tape->frames += frames;
    return tape->stop_at && tape->frames >= tape->stop_at ? 77 : 0;
}

static struct engine *make_engine(void)
{
    struct engine_settings settings = {
        .sample_rate_hz = RATE_HZ, .max_frames = 1024, .shards = 2, .polyphony = 64};
    struct engine *engine = engine_create(&settings);
    assert_non_null(engine);
    return engine;
}

static struct event note(uint64_t frame, uint8_t key)
{
    return (struct event){
        .frame = frame, .source = 1, .type = EVENT_NOTE_ON, .note = {.key = key, .velocity = 100}};
}

/// A rising scale. Without a font installed there is silence, and the comparison says little.
static void play(struct tape *tape, uint32_t period, struct font *font)
{
    struct event events[EVENTS];
    for (int i = 0; i < EVENTS; i++)
        events[i] = note(100 + 487 * (uint64_t)i, (uint8_t)(40 + i));
    struct engine *engine = make_engine();
    if (font)
        assert_int_equal(engine_set_font(engine, font), 0);
    int ring = engine_open_ring(engine, 64);
    struct offline offline = {engine, period, record, tape};
    tape->frames = tape->stop_at = 0;
    assert_int_equal(offline_play(&offline, ring, events, EVENTS, FRAMES), 0);
    struct engine_state state;
    engine_read_state(engine, &state);
    assert_int_equal(state.events, EVENTS);
    assert_int_equal(state.late_events, 0);
    assert_int_equal(state.frame, FRAMES);
    engine_destroy(engine);
}

static void test_period_does_not_matter(void **state)
{
    (void)state;
    static struct tape one, other;
    char path[512], error[256];
    struct font *font = NULL;
    if (font_find("TimGM6mb", path, sizeof path) == 0)
        font = font_load(path, NULL, NULL, error, sizeof error);
    play(&one, 64, font);
    static const uint32_t periods[] = {100, 256, 1000, 1024};
    for (int i = 0; i < 4; i++) {
        play(&other, periods[i], font);
        assert_memory_equal(one.left, other.left, sizeof one.left);
    }
    font_destroy(font);
}

static void test_runs_on_from_where_it_was(void **state)
{
    (void)state;
    static struct tape tape;
    struct engine *engine = make_engine();
    struct offline offline = {engine, 256, record, &tape};
    tape.frames = tape.stop_at = 0;
    assert_int_equal(offline_run(&offline, 1000), 0);
    assert_int_equal(offline_run(&offline, 77), 0);
    assert_int_equal(tape.frames, 1077);
    int ring = engine_open_ring(engine, 8);
    struct event event = note(2000, 60);
    assert_int_equal(offline_play(&offline, ring, &event, 1, 1000), 0);
    struct engine_state seen;
    engine_read_state(engine, &seen);
    assert_int_equal(seen.events, 1);
    assert_int_equal(seen.frame, 2077);
    engine_destroy(engine);
}

static void test_sink_ends_the_run(void **state)
{
    (void)state;
    static struct tape tape;
    struct engine *engine = make_engine();
    struct offline offline = {engine, 256, record, &tape};
    tape.frames = 0;
    tape.stop_at = 700;
    assert_int_equal(offline_run(&offline, FRAMES), 77);
    assert_int_equal(tape.frames, 768);
    engine_destroy(engine);
}

static void test_refuses_what_cannot_be(void **state)
{
    (void)state;
    struct event events[100];
    struct engine *engine = make_engine();
    struct offline offline = {.engine = engine};
    assert_int_equal(offline_run(&offline, 100), -EINVAL);
    offline.period_frames = 256;
    int ring = engine_open_ring(engine, 16);
    for (int i = 0; i < 100; i++)
        events[i] = note(10, 60);
    assert_int_equal(offline_play(&offline, ring, events, 100, 1000), -ENOBUFS);
    engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_period_does_not_matter),
        cmocka_unit_test(test_runs_on_from_where_it_was),
        cmocka_unit_test(test_sink_ends_the_run),
        cmocka_unit_test(test_refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
