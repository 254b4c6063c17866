/// Keyboards onto the engine: when a message sounds, and that none is left hanging.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board/midi_in.h"

enum { RATE_HZ = 48000, PERIOD = 480 };

static const int64_t PERIOD_NS = 10000000;
static const int64_t START_NS = 1000000000000;

struct desk {
    struct engine *engine;
    struct clock clock;
    struct dll dll;
    struct midi_in in;
    uint64_t frame;
};

/// An engine, and a clock on which frame 0 was at START_NS.
static void open_desk(struct desk *desk, uint32_t ring_events)
{
    struct engine_settings settings = {
        .sample_rate_hz = RATE_HZ, .max_frames = PERIOD, .shards = 1, .polyphony = 16};
    *desk = (struct desk){.engine = engine_create(&settings)};
    assert_non_null(desk->engine);
    clock_init(&desk->clock);
    dll_init(&desk->dll, PERIOD, RATE_HZ, 0.1);
    desk->in.engine = desk->engine;
    desk->in.ring = engine_open_ring(desk->engine, ring_events);
    desk->in.clock = &desk->clock;
}

static void close_desk(struct desk *desk)
{
    clock_finish(&desk->clock);
    engine_destroy(desk->engine);
}

static int64_t now_ns(const struct desk *desk)
{
    return START_NS + (int64_t)(desk->frame / PERIOD) * PERIOD_NS;
}

/// One callback, on time. Returns the events that took effect.
static int run_period(struct desk *desk)
{
    float left[PERIOD], right[PERIOD];
    float *const out[2] = {left, right};
    dll_update(&desk->dll, desk->frame, now_ns(desk));
    clock_publish(&desk->clock, &desk->dll);
    int events = engine_run(desk->engine, out, PERIOD);
    desk->frame += PERIOD;
    return events;
}

static struct engine_state state_of(const struct desk *desk)
{
    struct engine_state state;
    engine_read_state(desk->engine, &state);
    return state;
}

static void note_on(struct desk *desk, struct keyboard *keyboard, int64_t arrival_ns)
{
    static const uint8_t message[] = {0x90, 60, 100};
    midi_in_play(&desk->in, keyboard, arrival_ns, message, sizeof message);
}

static void test_steady_is_one_period_later(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 64);
    run_period(&desk);
    run_period(&desk); // frames 480..959 began at +10 ms
    int64_t arrival_ns = START_NS + PERIOD_NS + 2500000;
    assert_int_equal(midi_in_stamp(&desk.in, arrival_ns), 480 + 120 + PERIOD);
    // Wherever in a period it arrives, the delay is the same.
    for (int64_t offset_ns = 0; offset_ns < PERIOD_NS; offset_ns += 1250000) {
        uint64_t expected = PERIOD + (uint64_t)(offset_ns * 48 / 1000000) + PERIOD;
        assert_int_equal(midi_in_stamp(&desk.in, START_NS + PERIOD_NS + offset_ns), expected);
    }
    close_desk(&desk);
}

static void test_soon_is_now(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, 64);
    run_period(&desk);
    desk.in.is_soon = true;
    assert_int_equal(midi_in_stamp(&desk.in, START_NS + 2500000), EVENT_NOW);
    close_desk(&desk);
}

static void test_stays_in_order(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    open_desk(&desk, 64);
    run_period(&desk);
    note_on(&desk, &keyboard, START_NS + 9000000);
    uint64_t first = desk.in.last_frame;
    assert_int_equal(first, 432 + PERIOD);
    // A clock that is corrected backwards, or a change to `soon`, lets nothing overtake.
    assert_int_equal(midi_in_stamp(&desk.in, START_NS + 8000000), first);
    desk.in.is_soon = true;
    assert_int_equal(midi_in_stamp(&desk.in, START_NS + 9500000), first);
    close_desk(&desk);
}

static void test_plays_on_the_frame(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    open_desk(&desk, 64);
    run_period(&desk);
    note_on(&desk, &keyboard, START_NS + 5000000); // due at 240 + 480
    assert_int_equal(run_period(&desk), 1);        // 480..959
    assert_int_equal(state_of(&desk).late_events, 0);
    assert_int_equal(state_of(&desk).last_source, 3);
    note_on(&desk, &keyboard, now_ns(&desk) - 1); // just before the next callback
    assert_int_equal(run_period(&desk), 1);       // its last frame
    close_desk(&desk);
}

static void test_nothing_piles_up_without_audio(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    open_desk(&desk, 64);
    run_period(&desk);
    int64_t later_ns = START_NS + 5000000000; // the callbacks have stopped
    for (int i = 0; i < 10; i++)
        note_on(&desk, &keyboard, later_ns + i);
    assert_int_equal(desk.in.lost, 10);
    assert_true(keyboard.must_release);
    dll_reset(&desk.dll);
    assert_int_equal(run_period(&desk), 0);
    note_on(&desk, &keyboard, START_NS + PERIOD_NS);
    assert_false(keyboard.must_release);
    assert_int_equal(run_period(&desk), 2); // the release, then the note
    close_desk(&desk);
}

static void test_lost_messages_end_in_a_release(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    open_desk(&desk, 4);
    run_period(&desk);
    for (int i = 0; i < 6; i++)
        note_on(&desk, &keyboard, START_NS + 1000000);
    assert_int_equal(desk.in.lost, 2);
    assert_true(keyboard.must_release);
    assert_false(midi_in_release(&desk.in, &keyboard, START_NS + 1000000)); // no room
    run_period(&desk);
    assert_true(midi_in_release(&desk.in, &keyboard, START_NS + 11000000));
    assert_false(keyboard.must_release);
    close_desk(&desk);
}

static void test_refuses_broken_messages(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    static const uint8_t broken[] = {0x90, 60};
    open_desk(&desk, 16);
    run_period(&desk);
    midi_in_play(&desk.in, &keyboard, START_NS, broken, sizeof broken);
    assert_int_equal(desk.in.lost, 1);
    assert_false(keyboard.must_release);
    assert_int_equal(run_period(&desk), 0);
    close_desk(&desk);
}

static void test_no_engine_holds_nothing(void **state)
{
    (void)state;
    struct desk desk;
    struct keyboard keyboard = {.source = 3};
    open_desk(&desk, 16);
    run_period(&desk);
    desk.in.engine = NULL;
    note_on(&desk, &keyboard, START_NS);
    assert_true(keyboard.must_release);
    assert_true(midi_in_release(&desk.in, &keyboard, START_NS));
    assert_false(keyboard.must_release);
    close_desk(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady_is_one_period_later),
        cmocka_unit_test(test_soon_is_now),
        cmocka_unit_test(test_stays_in_order),
        cmocka_unit_test(test_plays_on_the_frame),
        cmocka_unit_test(test_nothing_piles_up_without_audio),
        cmocka_unit_test(test_lost_messages_end_in_a_release),
        cmocka_unit_test(test_refuses_broken_messages),
        cmocka_unit_test(test_no_engine_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
