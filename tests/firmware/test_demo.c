// The demo piece: its notes against the score's counts and ranges, and that every key is let go.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/demo.h"

static struct smf *piece;

static int create(void **state)
{
    (void)state;
    piece = demo_create();
    return piece ? 0 : -1;
}

static int destroy(void **state)
{
    (void)state;
    smf_destroy(piece);
    return 0;
}

// 32 bars of 16 notes, two of 16, and a chord of five.
static void test_notes_of_the_score(void **state)
{
    (void)state;
    size_t counts[KEYS] = {0}, lowest = KEYS, highest = 0;
    assert_int_equal(piece->notes, 32 * 16 + 2 * 16 + 5);
    for (size_t i = 0; i < piece->count; i++) {
        const struct event *event = &piece->events[i].event;
        assert_int_equal(event->channel, 0);
        assert_true(event->type == EVENT_NOTE_ON || event->type == EVENT_NOTE_OFF ||
                    event->type == EVENT_CONTROL);
        if (event->type != EVENT_NOTE_ON)
            continue;
        counts[event->note.key]++;
        lowest = event->note.key < lowest ? event->note.key : lowest;
        highest = event->note.key > highest ? event->note.key : highest;
        assert_in_range(event->note.velocity, 50, 115);
    }
    assert_int_equal(lowest, 36);  // the C of the last four bars
    assert_int_equal(highest, 81); // the A of bar 5
    assert_int_equal(counts[81], 4);
    assert_int_equal(counts[36], 2 + 1 + 1 + 1);
    assert_int_equal(counts[42], 2); // F sharp, bar 22
    assert_int_equal(counts[44], 2); // A flat, bar 23
    assert_int_equal(counts[73], 4); // C sharp, bar 12
    assert_int_equal(counts[68] + counts[70] + counts[61], 0);
}

// The first bar and the last chord, key by key.
static void test_beginning_and_end(void **state)
{
    (void)state;
    static const uint8_t first[8] = {60, 64, 67, 72, 76, 67, 72, 76},
                         last[5] = {36, 48, 64, 67, 72};
    size_t notes = 0;
    for (size_t i = 0; i < piece->count; i++) {
        const struct event *event = &piece->events[i].event;
        if (event->type != EVENT_NOTE_ON)
            continue;
        if (notes < 16)
            assert_int_equal(event->note.key, first[notes % 8]);
        if (notes >= piece->notes - 5)
            assert_int_equal(event->note.key, last[notes - (piece->notes - 5)]);
        notes++;
    }
}

static void test_every_key_is_let_go(void **state)
{
    (void)state;
    int held[KEYS] = {0}, pedal = 0;
    for (size_t i = 0; i < piece->count; i++) {
        const struct event *event = &piece->events[i].event;
        if (event->type == EVENT_NOTE_ON)
            assert_int_equal(held[event->note.key]++, 0);
        else if (event->type == EVENT_NOTE_OFF)
            assert_int_equal(held[event->note.key]--, 1);
        else
            pedal = event->control.value;
    }
    for (int key = 0; key < KEYS; key++)
        assert_int_equal(held[key], 0);
    assert_int_equal(pedal, 0);
}

static void test_length_and_title(void **state)
{
    (void)state;
    assert_true(piece->length_ns > UINT64_C(110000000000));
    assert_true(piece->length_ns < UINT64_C(140000000000));
    assert_non_null(strstr(piece->title, "BWV 846"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notes_of_the_score),
        cmocka_unit_test(test_beginning_and_end),
        cmocka_unit_test(test_every_key_is_let_go),
        cmocka_unit_test(test_length_and_title),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
