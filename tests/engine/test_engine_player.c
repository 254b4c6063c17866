// A piece played by the engine: every note at its frame, every end clean, every piece given back.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "dsp/engine/smf.h"
#include "dsp/synth/part.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 1 << 16, NOTES = 6, SOURCE = 7 };

static struct font *tones;
static struct box box;
static float left[FRAMES], right[FRAMES];
static struct smf_event events[3 * NOTES];
static struct smf piece = {.events = events};

static const uint64_t ms_ns = 1000000;

/// A note every 150 ms, at odd times, 20 ms long; the last is never let go.
static void make_piece(void)
{
    memset(events, 0, sizeof events);
    piece.count = 0;
    for (unsigned i = 0; i < NOTES; i++) {
        uint64_t time_ns = i * 150 * ms_ns + i * 123457;
        events[piece.count].time_ns = time_ns;
        events[piece.count].event.type = EVENT_NOTE_ON;
        events[piece.count++].event.note = (__typeof__(events->event.note)){(uint8_t)(60 + i), 100};
        if (i + 1 == NOTES)
            break;
        events[piece.count].time_ns = time_ns + 20 * ms_ns;
        events[piece.count].event.type = EVENT_NOTE_OFF;
        events[piece.count++].event.note = (__typeof__(events->event.note)){(uint8_t)(60 + i), 0};
    }
    piece.notes = NOTES;
    piece.length_ns = 900 * ms_ns;
}

static int start(void **state)
{
    (void)state;
    make_piece();
    box_create(&box, tones, 8, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    box_destroy(&box);
    return 0;
}

static void test_each_note_at_its_frame(void **state)
{
    (void)state;
    static const uint32_t periods[] = {64, 100, 8192};
    for (int p = 0; p < 3; p++) {
        uint32_t latency = box_step_latency_frames(&box, tones);
        box.period = periods[p];
        uint64_t begin = box.frame + 1001;
        assert_int_equal(engine_play(box.engine, &piece, SOURCE, begin), 0);
        uint64_t base = box.frame;
        box_render(&box, left, right, FRAMES);
        uint64_t at = 0;
        for (unsigned i = 0; i < NOTES; i++) {
            uint64_t wanted = begin +
                              (uint64_t)((double)(i * 150 * ms_ns + i * 123457) * 48e-6 + 0.5) +
                              latency - base;
            while (at < FRAMES && left[at] == 0.0f)
                at++;
            assert_int_equal(at, wanted);
            while (at < FRAMES && left[at] != 0.0f)
                at++;
        }
        assert_true(at < FRAMES); // the end of the piece let the last note go
        assert_false(box_state(&box).is_playing);
        assert_ptr_equal(engine_collect_piece(box.engine), &piece);
        assert_null(engine_collect_piece(box.engine));
        finish(NULL);
        start(NULL);
    }
}

static void test_a_stop_releases_its_own_notes(void **state)
{
    (void)state;
    box_note(&box, 0, 1, 0, 40, 100);
    events[1] = events[0]; // this one is held
    events[1].event.note.key = 80;
    assert_int_equal(engine_play(box.engine, &piece, SOURCE, EVENT_NOW), 0);
    box_render(&box, NULL, NULL, 4800);
    struct engine_state now = box_state(&box);
    assert_true(now.is_playing);
    assert_int_equal(now.voices, 3);
    assert_true(now.value[PARAM_PLAYER_POSITION] > 0.09f);
    assert_true(now.value[PARAM_PLAYER_LENGTH] == 0.9f);
    assert_int_equal(engine_play(box.engine, NULL, SOURCE, EVENT_NOW), 0);
    box_render(&box, NULL, NULL, FRAMES);
    assert_int_equal(box_state(&box).voices, 1);
    assert_false(box_state(&box).is_playing);
    assert_ptr_equal(engine_collect_piece(box.engine), &piece);
}

static void test_another_piece_takes_its_place(void **state)
{
    (void)state;
    struct smf other = piece;
    assert_int_equal(engine_play(box.engine, &piece, SOURCE, EVENT_NOW), 0);
    box_render(&box, NULL, NULL, 480);
    assert_int_equal(box_state(&box).voices, 1);
    other.count = 0;
    assert_int_equal(engine_play(box.engine, &other, SOURCE + 1, EVENT_NOW), 0);
    box_render(&box, NULL, NULL, 24000);
    assert_int_equal(box_state(&box).voices, 0);
    assert_true(box_state(&box).is_playing);
    assert_ptr_equal(engine_collect_piece(box.engine), &piece);
    assert_null(engine_collect_piece(box.engine));
    box_render(&box, NULL, NULL, 24000);
    assert_false(box_state(&box).is_playing);
    assert_ptr_equal(engine_collect_piece(box.engine), &other);
}

static void test_no_more_pieces_than_can_be_given_back(void **state)
{
    (void)state;
    int taken = 0;
    while (engine_play(box.engine, &piece, SOURCE, EVENT_NOW) == 0)
        taken++;
    assert_in_range(taken, 1, 16);
    assert_int_equal(engine_play(box.engine, &piece, SOURCE, EVENT_NOW), -EBUSY);
    box_render(&box, NULL, NULL, 64);
    engine_play(box.engine, NULL, SOURCE, EVENT_NOW);
    box_render(&box, NULL, NULL, 64);
    int back = 0;
    while (engine_collect_piece(box.engine))
        back++;
    assert_int_equal(back, taken);
    assert_int_equal(engine_play(box.engine, &piece, SOURCE, EVENT_NOW), 0);
}

static void test_a_crowd_of_events_all_arrive(void **state)
{
    (void)state;
    enum { CROWD = 30000 };
    static struct smf_event many[CROWD];
    for (int i = 0; i < CROWD; i++) {
        many[i] = (struct smf_event){.time_ns = 10 * ms_ns, .event = {.type = EVENT_CONTROL}};
        many[i].event.control.number = CC_EXPRESSION;
        many[i].event.control.value = (uint8_t)(i % 100);
    }
    struct smf crowd = {.events = many, .count = CROWD, .length_ns = 20 * ms_ns};
    assert_int_equal(engine_play(box.engine, &crowd, SOURCE, EVENT_NOW), 0);
    box_render(&box, NULL, NULL, 4800);
    assert_int_equal(box_state(&box).events, CROWD + 1); // and the release
    assert_true(box_state(&box).value[PARAM_CH_EXPRESSION] == (CROWD - 1) % 100);
    assert_ptr_equal(engine_collect_piece(box.engine), &crowd);
}

static int load(void **state)
{
    (void)state;
    tones = tones_load(8000);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    font_destroy(tones);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_note_at_its_frame),        TEST(test_a_stop_releases_its_own_notes),
        TEST(test_another_piece_takes_its_place), TEST(test_no_more_pieces_than_can_be_given_back),
        TEST(test_a_crowd_of_events_all_arrive),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
