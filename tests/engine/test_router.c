// The router: layers, splits and transposition; who owns what; banks, modes and resets.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/synth/part.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 1 << 15, TAIL_FRAMES = 48000 };

static struct font *tones;
static struct box box;
static float left[FRAMES], right[FRAMES];

static int start(void **state)
{
    (void)state;
    box_create(&box, tones, 8, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    box_destroy(&box);
    return 0;
}

static uint32_t voices(void)
{
    box_render(&box, NULL, NULL, 256);
    return box_state(&box).voices;
}

/// Voices after releases have died away.
static uint32_t voices_left(void)
{
    box_render(&box, NULL, NULL, TAIL_FRAMES);
    return box_state(&box).voices;
}

static void push(unsigned source, enum event_type type)
{
    box_push(&box, &(struct event){.source = (uint16_t)source, .type = (uint8_t)type});
}

static void part_note(unsigned source, unsigned part, unsigned key, unsigned velocity)
{
    box_push(&box, &(struct event){.source = (uint16_t)source,
                                   .channel = (uint8_t)part,
                                   .type = velocity ? EVENT_PART_NOTE_ON : EVENT_PART_NOTE_OFF,
                                   .note = {(uint8_t)key, (uint8_t)velocity}});
}

static double value(unsigned index) { return (double)box_state(&box).value[index]; }

// ---- where notes go ----

static void test_layers(void **state)
{
    (void)state;
    for (unsigned part = 1; part < 4; part++)
        box_param(&box, 0, PARAM_CH_CHANNEL + part, 1);
    box_note(&box, 0, 1, 0, 60, 100);
    assert_int_equal(voices(), 4);
    box_note(&box, 0, 1, 0, 60, 0);
    assert_int_equal(voices_left(), 0);
    box_note(&box, 0, 1, 1, 60, 100); // nobody listens to channel 2 now
    assert_int_equal(voices(), 0);
}

static void test_splits(void **state)
{
    (void)state;
    box_param(&box, 0, PARAM_CH_KEY_LOW, 40);
    box_param(&box, 0, PARAM_CH_KEY_HIGH, 59);
    box_note(&box, 0, 1, 0, 39, 100);
    box_note(&box, 0, 1, 0, 60, 100);
    assert_int_equal(voices(), 0);
    box_note(&box, 0, 1, 0, 40, 100);
    box_note(&box, 0, 1, 0, 59, 100);
    assert_int_equal(voices(), 2);
}

/// Cycles of a sine in the window, by upward crossings of zero.
static double pitch_hz(const float *samples, int from, int to)
{
    double first = -1, last = -1;
    int cycles = 0;
    for (int i = from + 1; i < to; i++) {
        if (!(samples[i - 1] < 0.0f && samples[i] >= 0.0f))
            continue;
        double at = i - (double)samples[i] / ((double)samples[i] - (double)samples[i - 1]);
        if (first < 0)
            first = at;
        else
            cycles++;
        last = at;
    }
    return cycles ? cycles * (double)BOX_RATE_HZ / (last - first) : 0;
}

static void expect_key(double key)
{
    box_render(&box, left, right, FRAMES);
    double got = 69 + 12 * log2(pitch_hz(left, 2000, FRAMES) / 440.0);
    if (fabs(got - key) > 0.01)
        fail_msg("sounds key %.3f, not %.3f", got, key);
}

static void test_transposition_of_a_part_and_of_the_box(void **state)
{
    (void)state;
    box_program(&box, 0, 0, TONES_SINE);
    box_param(&box, 0, PARAM_CH_TRANSPOSE, -7);
    box_param(&box, 0, PARAM_MASTER_TRANSPOSE, 12);
    box_note(&box, 0, 1, 0, 69, 100);
    expect_key(74);
    box_note(&box, 0, 1, 0, 69, 0);
    box_note(&box, 0, 1, 0, 125, 100); // beyond the last key: silence
    assert_int_equal(voices_left(), 0);
}

static void test_drums_are_not_transposed(void **state)
{
    (void)state;
    box_param(&box, 0, PARAM_MASTER_TRANSPOSE, 12);
    box_note(&box, 0, 1, 9, 69, 100);
    expect_key(69);
}

static void test_notes_end_where_they_began(void **state)
{
    (void)state;
    static const struct {
        unsigned index;
        double value;
    } changes[] = {{PARAM_CH_TRANSPOSE, 5}, {PARAM_CH_CHANNEL, 7}, {PARAM_CH_KEY_LOW, 100},
                   {PARAM_CH_KIND, 2},      {PARAM_CH_PROGRAM, 1}, {PARAM_MASTER_TRANSPOSE, -3},
                   {PARAM_CH_CHANNEL, 0}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        box_note(&box, 0, 1, 0, 60, 100);
        assert_int_equal(voices(), 1);
        box_param(&box, 0, changes[i].index, changes[i].value);
        box_note(&box, 0, 1, 0, 60, 0);
        assert_int_equal(voices_left(), 0);
        box_destroy(&box);
        box_create(&box, tones, 8, 0);
    }
}

static float level_of(unsigned velocity, double curve)
{
    box_param(&box, 0, PARAM_CH_CURVE, curve);
    box_note(&box, 0, 1, 0, 60, velocity);
    box_render(&box, left, right, 1024);
    box_note(&box, 0, 1, 0, 60, 0);
    assert_int_equal(voices_left(), 0);
    return left[1023];
}

static void test_velocity_curves(void **state)
{
    (void)state;
    assert_true(level_of(40, 0) == level_of(40, 0));
    assert_true(level_of(40, -1) > 1.3f * level_of(40, 0));
    assert_true(level_of(40, 1) < 0.7f * level_of(40, 0));
    assert_true(level_of(127, -1) == level_of(127, 1));
    assert_true(level_of(1, 1) > 0.0f || level_of(1, 1) == level_of(1, 0)); // never velocity 0
    assert_true(fabsf(level_of(64, 1) - level_of(32, 0)) < 0.02f * level_of(64, 1));
}

// ---- who owns what ----

static void test_a_key_held_by_two_sounds_until_both_let_go(void **state)
{
    (void)state;
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 2, 0, 60, 100);
    box_note(&box, 0, 1, 0, 60, 0);
    assert_int_equal(voices_left(), 1);
    box_note(&box, 0, 1, 0, 60, 0);
    assert_int_equal(voices_left(), 1);
    box_note(&box, 0, 2, 0, 60, 0);
    assert_int_equal(voices_left(), 0);
}

static void test_release_ends_only_its_own(void **state)
{
    (void)state;
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 1, 1, 61, 100);
    box_note(&box, 0, 2, 0, 62, 100);
    part_note(1, 5, 63, 100);
    part_note(2, 5, 64, 100);
    assert_int_equal(voices(), 5);
    push(1, EVENT_RELEASE);
    assert_int_equal(voices_left(), 2);
    push(2, EVENT_RELEASE);
    assert_int_equal(voices_left(), 0);
}

static void test_pedals_belong_to_their_sources(void **state)
{
    (void)state;
    box_control(&box, 0, 1, 0, CC_SUSTAIN, 127);
    box_control(&box, 0, 2, 0, CC_SUSTAIN, 100);
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 1, 0, 60, 0);
    assert_int_equal(voices_left(), 1);
    push(1, EVENT_RELEASE);
    assert_int_equal(voices_left(), 1); // the other foot is still down
    box_control(&box, 0, 2, 0, CC_SUSTAIN, 0);
    assert_int_equal(voices_left(), 0);
}

static void test_reset_of_controllers_spares_the_pedals_of_others(void **state)
{
    (void)state;
    box_control(&box, 0, 1, 0, CC_SUSTAIN, 127);
    box_control(&box, 0, 2, 0, CC_SUSTAIN, 127);
    box_control(&box, 0, 1, 0, CC_RESET, 0);
    box_note(&box, 0, 2, 0, 60, 100);
    box_note(&box, 0, 2, 0, 60, 0);
    assert_int_equal(voices_left(), 1);
    push(2, EVENT_RELEASE);
    assert_int_equal(voices_left(), 0);
}

static void test_panic_ends_all_at_once(void **state)
{
    (void)state;
    for (unsigned source = 0; source < 5; source++) {
        box_control(&box, 0, source, source, CC_SUSTAIN, 127);
        for (unsigned key = 40; key < 50; key++)
            box_note(&box, 0, source, source, key + source, 100);
    }
    assert_int_equal(voices(), 50);
    push(9, EVENT_PANIC);
    assert_int_equal(voices(), 0);
    box_note(&box, 0, 1, 1, 60, 100); // no pedal holds it any more
    box_note(&box, 0, 1, 1, 60, 0);
    assert_int_equal(voices_left(), 0);
}

static void test_active_sensing(void **state)
{
    (void)state;
    push(3, EVENT_SENSING);
    box_note(&box, 0, 3, 0, 60, 100);
    for (int i = 0; i < 10; i++) {
        box_render(&box, NULL, NULL, BOX_RATE_HZ * 3 / 10); // every 300 ms
        assert_int_equal(box_state(&box).voices, 1);
        push(3, EVENT_SENSING);
    }
    assert_int_equal(voices_left(), 0);
    box_note(&box, 0, 3, 0, 60, 100); // it is back, and promises nothing until it senses again
    assert_int_equal(voices_left(), 1);
}

// ---- controllers that end notes ----

static void test_120_and_123(void **state)
{
    (void)state;
    box_control(&box, 0, 1, 0, CC_SUSTAIN, 127);
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 1, 1, 60, 100);
    assert_int_equal(voices(), 2);
    box_control(&box, 0, 1, 0, CC_NOTES_OFF, 0);
    assert_int_equal(voices_left(), 2); // the pedal holds it
    box_control(&box, 0, 1, 0, CC_SOUND_OFF, 0);
    assert_int_equal(voices(), 1);
    box_control(&box, 0, 1, 1, CC_NOTES_OFF, 0);
    assert_int_equal(voices_left(), 0);
}

static void test_modes_end_notes(void **state)
{
    (void)state;
    for (unsigned number = CC_OMNI_OFF; number <= CC_POLY; number++) {
        box_note(&box, 0, 1, 0, 60, 100);
        assert_int_equal(voices(), 1);
        box_control(&box, 0, 1, 0, number, 0);
        assert_int_equal(voices_left(), 0);
    }
}

static void test_mono_sounds_one_note_and_hangs_none(void **state)
{
    (void)state;
    static const unsigned values[] = {0, 1, 4, 16}; // numbers of channels: a part is one
    for (int i = 0; i < 4; i++) {
        box_control(&box, 0, 1, 0, CC_MONO, values[i]);
        for (unsigned key = 60; key < 65; key++)
            box_note(&box, 0, 1, 0, key, 100);
        assert_int_equal(voices_left(), 1);
        box_note(&box, 0, 1, 0, 64, 0); // back to the one before
        assert_int_equal(voices_left(), 1);
        box_note(&box, 0, 2, 0, 61, 100); // struck by another, too
        box_control(&box, 0, 1, 0, CC_SOUND_OFF, 0);
        assert_int_equal(voices(), 0);
        box_note(&box, 0, 1, 0, 70, 100);
        box_note(&box, 0, 1, 0, 70, 0);
        assert_int_equal(voices_left(), 0);
    }
}

static void test_mono_with_a_key_struck_twice(void **state)
{
    (void)state;
    box_control(&box, 0, 1, 0, CC_MONO, 1);
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 2, 0, 60, 100);
    box_note(&box, 0, 1, 0, 60, 100);
    box_note(&box, 0, 1, 0, 60, 0);
    box_note(&box, 0, 2, 0, 60, 0);
    assert_int_equal(voices_left(), 0);
}

// ---- programs, banks, resets ----

static void test_bank_modes(void **state)
{
    (void)state;
    static const struct {
        int mode, msb, lsb, bank;
        bool is_drums;
    } cases[] = {{0, 5, 6, 0, false},         {1, 5, 6, 5, false},           {2, 5, 6, 6, false},
                 {2, 127, 0, 0, true},        {3, 5, 6, 5 * 128 + 6, false}, {3, 121, 6, 6, false},
                 {3, 120, 0, 120 * 128, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        box_param(&box, 0, PARAM_SYNTH_BANKS, cases[i].mode);
        box_control(&box, 0, 1, 2, CC_BANK_MSB, (unsigned)cases[i].msb);
        box_control(&box, 0, 1, 2, CC_BANK_LSB, (unsigned)cases[i].lsb);
        box_program(&box, 0, 2, 3);
        box_render(&box, NULL, NULL, 64);
        assert_true(value(PARAM_CH_BANK + 2) == cases[i].bank);
        assert_true(value(PARAM_CH_PROGRAM + 2) == 3);
        assert_int_equal(box_state(&box).bank_is_drums[2], cases[i].is_drums);
        box_push(&box, &(struct event){.type = EVENT_RESET, .reset = {RESET_GS}});
    }
}

static void test_bank_select_waits_for_the_program(void **state)
{
    (void)state;
    box_program(&box, 0, 0, 7);
    box_control(&box, 0, 1, 0, CC_BANK_MSB, 9);
    box_render(&box, NULL, NULL, 64);
    assert_true(value(PARAM_CH_BANK) == 0);
    box_program(&box, 0, 0, 7);
    box_render(&box, NULL, NULL, 64);
    assert_true(value(PARAM_CH_BANK) == 9);
}

static void test_resets(void **state)
{
    (void)state;
    static const int banks[] = {0, 3, 1, 2, 1}; // GM, GM2, GS, XG, GM off
    for (int mode = 0; mode < 5; mode++) {
        box_control(&box, 0, 1, 0, CC_VOLUME, 3);
        box_control(&box, 0, 1, 0, CC_SUSTAIN, 127);
        box_program(&box, 0, 0, 9);
        box_push(&box, &(struct event){.type = EVENT_DRUM_PART, .channel = 4, .drum = {1}});
        box_push(&box, &(struct event){.type = EVENT_MASTER_VOLUME, .master_volume = 100});
        box_note(&box, 0, 1, 0, 60, 100);
        assert_int_equal(voices(), 1);
        assert_true(box_state(&box).bank_is_drums[4]);
        box_push(&box, &(struct event){.type = EVENT_RESET, .reset = {(uint8_t)mode}});
        assert_int_equal(voices(), 0);
        assert_true(value(PARAM_CH_VOLUME) == 100 && value(PARAM_CH_PROGRAM) == 0);
        assert_true(value(PARAM_SYNTH_BANKS) == banks[mode]);
        assert_false(box_state(&box).bank_is_drums[4]);
        assert_true(box_state(&box).bank_is_drums[9]);
        box_note(&box, 0, 1, 0, 60, 0); // was ended by the reset: nothing to end
        box_note(&box, 0, 1, 0, 61, 100);
        box_note(&box, 0, 1, 0, 61, 0);
        assert_int_equal(voices_left(), 0);
    }
}

static void test_rhythm_parts(void **state)
{
    (void)state;
    box_push(&box, &(struct event){.type = EVENT_DRUM_PART, .channel = 2, .drum = {1}});
    box_render(&box, NULL, NULL, 64);
    assert_true(box_state(&box).bank_is_drums[2]);
    box_note(&box, 0, 1, 2, 46, 100);
    assert_int_equal(voices(), 1);
    box_note(&box, 0, 1, 2, 42, 100); // of the same exclusive class
    assert_int_equal(voices_left(), 1);
    box_push(&box, &(struct event){.type = EVENT_DRUM_PART, .channel = 2, .drum = {0}});
    box_render(&box, NULL, NULL, 64);
    assert_false(box_state(&box).bank_is_drums[2]);
    box_param(&box, 0, PARAM_CH_KIND + 2, 2);
    box_param(&box, 0, PARAM_CH_KIND + 9, 1);
    box_render(&box, NULL, NULL, 64);
    assert_true(box_state(&box).bank_is_drums[2] && !box_state(&box).bank_is_drums[9]);
}

static void test_exclusive_classes_meet_among_busy_shards(void **state)
{
    (void)state;
    for (unsigned key = 30; key < 60; key++)
        box_note(&box, key * 37, 1, key % 8, key, 100);
    box_render(&box, NULL, NULL, 4096);
    for (unsigned i = 0; i < 12; i++) {
        box_note(&box, 0, 1, 9, i % 2 ? 42 : 46, 100);
        box_render(&box, NULL, NULL, 700 + i * 13);
    }
    for (unsigned key = 30; key < 60; key++)
        box_note(&box, 0, 1, key % 8, key, 0);
    assert_int_equal(voices_left(), 1);
}

// ---- whatever comes ----

static int pick(int low, int high) { return low + rand() % (high - low + 1); }

static void play_anything(unsigned source)
{
    static const uint8_t numbers[] = {1,   7,   10,  64,  64,  66,  67,  65, 68,  84,  120,
                                      121, 123, 124, 125, 126, 126, 127, 5,  100, 101, 6};
    unsigned channel = (unsigned)pick(0, 15), key = (unsigned)pick(40, 60);
    switch (rand() % 12) {
    case 0:
    case 1:
        box_control(&box, 0, source, channel, numbers[(size_t)rand() % sizeof numbers],
                    (unsigned)pick(0, 127));
        break;
    case 2:
        part_note(source, channel, key, (unsigned)(rand() % 2 ? pick(1, 127) : 0));
        break;
    case 3:
        box_param(&box, 0, PARAM_CH_CHANNEL + channel, pick(0, 16));
        box_param(&box, 0, PARAM_CH_TRANSPOSE + channel, pick(-12, 12));
        break;
    case 4:
        box_program(&box, 0, channel, (unsigned)pick(0, 3));
        break;
    case 5:
        if (rand() % 8 == 0)
            box_push(&box, &(struct event){.source = (uint16_t)source,
                                           .type = (uint8_t)pick(EVENT_RESET, EVENT_RELEASE)});
        break;
    case 6:
        box_param(&box, 0, PARAM_CH_KIND + channel, pick(0, 2));
        break;
    default:
        box_note(&box, 0, source, channel, key, (unsigned)(rand() % 2 ? pick(1, 127) : 0));
    }
}

static void test_nothing_hangs_when_all_sources_are_gone(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 25; seed++) {
        srand(seed);
        for (int i = 0; i < 400; i++) {
            play_anything((unsigned)pick(1, 6));
            if (rand() % 3 == 0)
                box_render(&box, NULL, NULL, (uint64_t)pick(1, 200));
        }
        for (unsigned source = 0; source < SOURCES_MAX; source++)
            push(source, EVENT_RELEASE);
        uint32_t left_over = voices_left();
        if (left_over)
            fail_msg("seed %u: %u voices hang", seed, left_over);
    }
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
        TEST(test_layers),
        TEST(test_splits),
        TEST(test_transposition_of_a_part_and_of_the_box),
        TEST(test_drums_are_not_transposed),
        TEST(test_notes_end_where_they_began),
        TEST(test_velocity_curves),
        TEST(test_a_key_held_by_two_sounds_until_both_let_go),
        TEST(test_release_ends_only_its_own),
        TEST(test_pedals_belong_to_their_sources),
        TEST(test_reset_of_controllers_spares_the_pedals_of_others),
        TEST(test_panic_ends_all_at_once),
        TEST(test_active_sensing),
        TEST(test_120_and_123),
        TEST(test_modes_end_notes),
        TEST(test_mono_sounds_one_note_and_hangs_none),
        TEST(test_mono_with_a_key_struck_twice),
        TEST(test_bank_modes),
        TEST(test_bank_select_waits_for_the_program),
        TEST(test_resets),
        TEST(test_rhythm_parts),
        TEST(test_exclusive_classes_meet_among_busy_shards),
        TEST(test_nothing_hangs_when_all_sources_are_gone),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
