// When what is asked for happens: timetags, durations, full hosts, silence, and who makes room.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/net/desk.h"

static int begin(void **state)
{
    *state = desk_create();
    return 0;
}

static int end(void **state)
{
    desk_destroy(*state);
    return 0;
}

static const struct event *event(const struct desk *desk, unsigned n)
{
    assert_true(n < desk->box.played_count);
    return &desk->box.played[n];
}

static uint64_t frame_of(uint64_t monotonic_ns) { return monotonic_ns / 1000 * 48 / 1000; }

static void test_timetag_becomes_its_frame(void **state)
{
    struct desk *desk = *state;
    const uint64_t sounds_ns = desk->now_ns + 300 * MS;
    desk_tell_at(desk, 300 * (int64_t)MS, "/ch/1/note", "ii", 60, 100, 0);
    assert_int_equal(desk->box.played_count, 0);
    desk_pass(desk, 250 * MS);
    assert_int_equal(desk->box.played_count, 0); // not long before its time
    desk_pass(desk, 50 * MS);
    assert_int_equal(event(desk, 0)->frame, frame_of(sounds_ns));
}

static void test_order_is_that_of_time(void **state)
{
    struct desk *desk = *state;
    static const int order[] = {7, 2, 9, 0, 5, 1, 8, 3, 6, 4};
    for (unsigned i = 0; i < 10; i++)
        desk_tell_at(desk, (100 + 50 * order[i]) * (int64_t)MS, "/ch/1/note", "ii", order[i], 100,
                     0);
    desk_pass(desk, 1000 * MS);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(event(desk, i)->note.key, i);
        assert_int_equal(event(desk, i)->frame, frame_of(DESK_START_NS + (100 + 50 * i) * MS));
    }
}

static void test_past_is_now_and_far_is_refused(void **state)
{
    struct desk *desk = *state;
    desk_tell_at(desk, -5000 * (int64_t)MS, "/ch/1/note", "ii", 60, 100, 0);
    assert_int_equal(event(desk, 0)->frame, EVENT_NOW);
    desk_tell_at(desk, 9999 * (int64_t)MS, "/ch/1/note", "ii", 61, 100, 0);
    assert_int_equal(desk->count, 0);
    desk_tell_at(desk, 11000 * (int64_t)MS, "/ch/1/note", "ii", 62, 100, 0);
    assert_string_equal(desk_last(desk),
                        "/error s:#bundle s:its time is 11.0 s ahead: must be at most 10 s");
    desk_pass(desk, 20000 * MS);
    assert_int_equal(desk->box.played_count, 2);
}

static void test_latency_is_taken_into_account(void **state)
{
    struct desk *desk = *state;
    fake_put(&desk->box, PARAM_AUDIO_LATENCY, 150);
    desk_tell_at(desk, 300 * (int64_t)MS, "/ch/1/note", "ii", 60, 100, 0);
    desk_pass(desk, 145 * MS);
    assert_int_equal(desk->box.played_count, 1);
    assert_int_equal(event(desk, 0)->frame, frame_of(DESK_START_NS + 300 * MS));
}

static void test_without_a_sample_clock_waits_itself(void **state)
{
    struct desk *desk = *state;
    desk->box.has_no_clock = true;
    desk_tell_at(desk, 300 * (int64_t)MS, "/ch/1/note", "ii", 60, 100, 0);
    desk_pass(desk, 299 * MS);
    assert_int_equal(desk->box.played_count, 0);
    desk_pass(desk, 2 * MS);
    assert_int_equal(event(desk, 0)->frame, EVENT_NOW);
}

static void test_settings_have_their_time_too(void **state)
{
    struct desk *desk = *state;
    desk_tell_at(desk, 300 * (int64_t)MS, "/master/gain", "f", -6, 0, 0);
    desk_pass(desk, 200 * MS);
    assert_true(desk->box.values[PARAM_MASTER_GAIN].number == 0);
    desk_pass(desk, 200 * MS);
    assert_true(desk->box.values[PARAM_MASTER_GAIN].number == -6);
    assert_int_equal(desk->box.last_setting.frame, frame_of(DESK_START_NS + 300 * MS));
    desk_tell_at(desk, 300 * (int64_t)MS, "/master/gain", "f", -600, 0, 0);
    assert_non_null(
        strstr(desk_last(desk), "must be")); // refused when it comes, not when it is due
}

static void test_late_failure_of_a_setting_is_told(void **state)
{
    struct desk *desk = *state;
    desk_tell_at(desk, 300 * (int64_t)MS, "/master/gain", "f", -6, 0, 0);
    desk->box.is_full = true;
    desk_pass(desk, 2000 * MS);
    assert_string_equal(desk_last(desk), "/error s:/master/gain s:the box is busy: try again");
    desk->box.is_full = false;
}

static void test_notes_with_a_duration_end(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/1/note", "iii", 60, 100, 500);
    desk_tell_at(desk, 100 * (int64_t)MS, "/ch/2/note", "iii", 61, 100, 500);
    desk_pass(desk, 1000 * MS);
    assert_int_equal(desk->box.played_count, 4);
    assert_int_equal(event(desk, 2)->type, EVENT_PART_NOTE_OFF);
    assert_int_equal(event(desk, 2)->note.key, 60);
    assert_int_equal(event(desk, 2)->frame, frame_of(DESK_START_NS + 500 * MS));
    assert_int_equal(event(desk, 3)->note.key, 61);
    assert_int_equal(event(desk, 3)->frame, frame_of(DESK_START_NS + 600 * MS));
}

static void test_a_key_struck_again_is_not_cut_short(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/1/note", "iii", 60, 100, 500);
    desk_pass(desk, 300 * MS);
    desk_tell(desk, "/ch/1/note", "iii", 60, 100, 500);
    desk_pass(desk, 2000 * MS);
    assert_int_equal(desk->box.played_count, 3);
    assert_int_equal(event(desk, 2)->frame, frame_of(DESK_START_NS + 800 * MS));
}

static void test_panic_forgets_what_waits(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/1/note", "iii", 60, 100, 500);
    desk_tell_at(desk, 300 * (int64_t)MS, "/ch/1/note", "ii", 61, 100, 0);
    desk_tell(desk, "/panic", "", 0, 0, 0);
    desk_pass(desk, 2000 * MS);
    assert_int_equal(desk->box.played_count, 2);
    assert_int_equal(event(desk, 1)->type, EVENT_PANIC);
}

static void test_a_full_host_gets_all_in_order(void **state)
{
    struct desk *desk = *state;
    desk->box.is_full = true;
    for (int i = 0; i < 100; i++)
        desk_tell(desk, "/ch/1/note", "ii", i, 100, 0);
    desk_tell(desk, "/ch/1/note", "ii", 0, 0, 0);
    desk_pass(desk, 500 * MS);
    assert_int_equal(desk->box.played_count, 0);
    desk->box.is_full = false;
    desk_pass(desk, 10 * MS);
    assert_int_equal(desk->box.played_count, 101);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(event(desk, i)->note.key, i);
}

static void test_panic_reaches_a_full_host(void **state)
{
    struct desk *desk = *state;
    desk->box.is_full = true;
    desk_tell(desk, "/panic", "", 0, 0, 0);
    desk_pass(desk, 5000 * MS);
    desk->box.is_full = false;
    desk_pass(desk, 10 * MS);
    assert_int_equal(event(desk, 0)->type, EVENT_PANIC);
}

/// What a host never took may have been a note-off: then all notes of that app end.
static void test_a_hole_in_the_stream_is_healed(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/1/note", "ii", 60, 100, 0);
    desk->box.is_full = true;
    desk_tell(desk, "/ch/1/note", "ii", 60, 0, 0);
    desk_pass(desk, 5000 * MS);
    desk->box.is_full = false;
    desk_pass(desk, 10 * MS);
    assert_int_equal(desk->box.played_count, 2);
    assert_int_equal(event(desk, 1)->type, EVENT_RELEASE);
    assert_int_equal(event(desk, 1)->source, event(desk, 0)->source);
    desk_tell(desk, "/ch/1/note", "ii", 62, 100, 0);
    assert_int_equal(event(desk, 2)->type, EVENT_PART_NOTE_ON); // and it plays on
}

static void test_too_much_at_once_is_refused(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 1100; i++) {
        desk_tell_at(desk, 5000 * (int64_t)MS, "/ch/1/note", "ii", i % 128, 100, 0);
        desk->now_ns += MS;
    }
    assert_string_equal(desk_last(desk), "/error s:/ch/1/note s:the box is busy: try again");
}

static void test_silence_releases(void **state)
{
    struct desk *desk = *state;
    struct osc_sender other = desk_app;
    other.port++;
    desk_tell(desk, "/ch/1/note", "ii", 60, 100, 0);
    desk_tell_from(desk, &other, "/ch/1/note", "ii", 60, 100, 0);
    assert_int_not_equal(event(desk, 0)->source, event(desk, 1)->source);
    desk_pass(desk, 20000 * MS);
    desk_tell_from(desk, &other, "/ping", "", 0, 0, 0);
    desk_pass(desk, 9000 * MS);
    assert_int_equal(desk->box.played_count, 2);
    desk_pass(desk, 2000 * MS);
    assert_int_equal(desk->box.played_count, 3);
    assert_int_equal(event(desk, 2)->type, EVENT_RELEASE);
    assert_int_equal(event(desk, 2)->source, event(desk, 0)->source);
    assert_false(desk->box.is_open[event(desk, 0)->source]);
    assert_true(desk->box.is_open[event(desk, 1)->source]);
}

static void test_a_connection_that_ends_releases(void **state)
{
    struct desk *desk = *state;
    struct osc_sender tcp = desk_app;
    tcp.stream = 3;
    desk_tell_from(desk, &tcp, "/ch/1/note", "ii", 60, 100, 0);
    assert_string_equal(desk->box.last_name, "tcp 10.0.0.7:4711");
    desk->box.is_full = true;
    osc_session_gone(desk->session, &tcp);
    desk_pass(desk, 3000 * MS);
    assert_true(desk->box.is_open[event(desk, 0)->source]); // not before its release
    desk->box.is_full = false;
    desk_pass(desk, 10 * MS);
    assert_int_equal(event(desk, 1)->type, EVENT_RELEASE);
    assert_false(desk->box.is_open[event(desk, 0)->source]);
}

static void test_the_quietest_makes_room(void **state)
{
    struct desk *desk = *state;
    struct osc_sender sender = desk_app;
    for (unsigned i = 0; i < 32; i++, sender.port++) {
        desk_tell_from(desk, &sender, "/ch/1/note", "ii", 60, 100, 0);
        desk_pass(desk, 10 * MS);
    }
    assert_int_equal(desk->count, 0);
    desk_tell_from(desk, &sender, "/ch/1/note", "ii", 60, 100, 0);
    assert_string_equal(desk_last(desk),
                        "/error s:/ch/1/note s:no place is free: 32 apps are connected");
    desk_pass(desk, 6000 * MS);
    desk_forget(desk);
    desk_tell_from(desk, &sender, "/ch/1/note", "ii", 60, 100, 0);
    assert_int_equal(desk->count, 0);
    assert_int_equal(event(desk, 0)->type, EVENT_RELEASE);
    assert_int_equal(event(desk, 0)->source, 1); // the first who came
    assert_int_equal(event(desk, 1)->type, EVENT_PART_NOTE_ON);
}

static void test_no_source_is_told(void **state)
{
    struct desk *desk = *state;
    struct osc_sender other = desk_app;
    other.port++;
    desk->box.sources_max = 1;
    desk_tell(desk, "/ch/1/note", "ii", 60, 100, 0);
    desk_tell_from(desk, &other, "/ch/1/note", "ii", 60, 100, 0);
    assert_string_equal(desk_last(desk),
                        "/error s:/ch/1/note s:no source is free: all are played by others");
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_timetag_becomes_its_frame),
        DESK_TEST(test_order_is_that_of_time),
        DESK_TEST(test_past_is_now_and_far_is_refused),
        DESK_TEST(test_latency_is_taken_into_account),
        DESK_TEST(test_without_a_sample_clock_waits_itself),
        DESK_TEST(test_settings_have_their_time_too),
        DESK_TEST(test_late_failure_of_a_setting_is_told),
        DESK_TEST(test_notes_with_a_duration_end),
        DESK_TEST(test_a_key_struck_again_is_not_cut_short),
        DESK_TEST(test_panic_forgets_what_waits),
        DESK_TEST(test_a_full_host_gets_all_in_order),
        DESK_TEST(test_panic_reaches_a_full_host),
        DESK_TEST(test_a_hole_in_the_stream_is_healed),
        DESK_TEST(test_too_much_at_once_is_refused),
        DESK_TEST(test_silence_releases),
        DESK_TEST(test_a_connection_that_ends_releases),
        DESK_TEST(test_the_quietest_makes_room),
        DESK_TEST(test_no_source_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
