// The player: each event at its frame, whatever the periods; a release at every end.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/engine/player.h"

enum { EVENTS_MAX = 300 };

static struct smf_event items[EVENTS_MAX];
static struct smf piece = {.events = items};

static void make_random_piece(void)
{
    uint64_t time_ns = 0;
    piece.count = (size_t)rand() % EVENTS_MAX;
    memset(items, 0, sizeof items);
    for (size_t i = 0; i < piece.count; i++) {
        time_ns += rand() % 3 ? 0 : (uint64_t)rand() % 50000000;
        items[i].time_ns = time_ns;
        items[i].event.type = EVENT_NOTE_ON;
        items[i].event.note.key = (uint8_t)(i % 128);
        items[i].event.note.velocity = (uint8_t)(1 + i / 128);
    }
    piece.length_ns = time_ns + (uint64_t)rand() % 100000000;
}

static uint64_t frame_of(uint64_t start, uint64_t time_ns, double rate_hz)
{
    return start + (uint64_t)roundl((long double)time_ns * (long double)rate_hz / 1e9L);
}

static void expect_event(const struct event *event, size_t i)
{
    if (i == piece.count) {
        assert_int_equal(event->type, EVENT_RELEASE);
        return;
    }
    assert_int_equal(event->type, EVENT_NOTE_ON);
    assert_int_equal(event->note.key, i % 128);
    assert_int_equal(event->note.velocity, 1 + i / 128);
}

static void test_exact_frames_in_any_period(void **state)
{
    (void)state;
    static const double rates[] = {8000, 44100, 47999.3, 48000, 192000};
    for (unsigned seed = 0; seed < 500; seed++) {
        srand(seed);
        make_random_piece();
        const double rate_hz = rates[seed % 5];
        const uint64_t start = (uint64_t)rand() % 100000;
        const bool is_steady = rand() % 2;
        const uint64_t period = 1 + (uint64_t)rand() % 2048;
        struct player player;
        player_init(&player);
        player_start(&player, &piece, 7, start, rate_hz);
        size_t given = 0;
        for (uint64_t from = start - start % period; player.is_playing;) {
            const uint64_t to = from + (is_steady ? period : 1 + (uint64_t)rand() % 4096);
            struct event event;
            while (player_next(&player, to, &event)) {
                const uint64_t time_ns =
                    given < piece.count ? items[given].time_ns : piece.length_ns;
                expect_event(&event, given++);
                assert_int_equal(event.frame, frame_of(start, time_ns, rate_hz));
                assert_int_equal(event.source, 7);
                assert_true(event.frame >= from && event.frame < to);
            }
            from = to;
        }
        assert_int_equal(given, piece.count + 1);
        struct event event;
        assert_false(player_next(&player, UINT64_MAX, &event));
    }
}

static void test_nothing_without_a_piece(void **state)
{
    (void)state;
    struct player player;
    struct event event;
    player_init(&player);
    assert_false(player_next(&player, UINT64_MAX, &event));
    player_stop(&player, 5);
    assert_false(player_next(&player, UINT64_MAX, &event));
    assert_true(player_position_seconds(&player, 100) == 0 && player_length_seconds(&player) == 0);
}

static void test_stop_leaves_only_a_release(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        srand(seed);
        make_random_piece();
        struct player player;
        player_init(&player);
        player_start(&player, &piece, 3, 1000, 48000);
        const uint64_t end = frame_of(1000, piece.length_ns, 48000);
        const uint64_t stop = 1000 + (uint64_t)rand() % (end - 1000 + 1000);
        struct event event;
        while (player_next(&player, stop, &event))
            ;
        const bool was_playing = player.is_playing;
        player_stop(&player, stop);
        assert_int_equal(player_next(&player, UINT64_MAX, &event), was_playing);
        if (was_playing) {
            assert_int_equal(event.type, EVENT_RELEASE);
            assert_int_equal(event.source, 3);
            assert_int_equal(event.frame, stop < end ? stop : end);
        }
        assert_false(player_next(&player, UINT64_MAX, &event));
    }
}

static void test_position(void **state)
{
    (void)state;
    srand(1);
    make_random_piece();
    piece.length_ns = 20000000000;
    struct player player;
    player_init(&player);
    player_start(&player, &piece, 0, 48000, 48000);
    assert_true(player_length_seconds(&player) == 20);
    assert_true(player_position_seconds(&player, 0) == 0);
    assert_true(player_position_seconds(&player, 48000) == 0);
    assert_true(player_position_seconds(&player, 72000) == 0.5);
    assert_true(player_position_seconds(&player, 480000000) == 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_frames_in_any_period),
        cmocka_unit_test(test_nothing_without_a_piece),
        cmocka_unit_test(test_stop_leaves_only_a_release),
        cmocka_unit_test(test_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
