// Tuning: what is asked for is what sounds.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/synth/part.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 1 << 15, SETTLE_FRAMES = 2048 };

/// The library tunes in whole cents.
static const double tolerance_cents = 1.05;

static struct font *tones;
static struct box box;
static float left[FRAMES], right[FRAMES];

static int start(void **state)
{
    (void)state;
    box_create(&box, tones, 8, 0);
    for (unsigned channel = 0; channel < 16; channel++)
        box_program(&box, 0, channel, TONES_SINE);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    box_destroy(&box);
    return 0;
}

/// Hz, by upward crossings of zero with linear interpolation.
static double measured_hz(void)
{
    double first = 0, last = 0;
    int cycles = -1;
    for (int i = SETTLE_FRAMES; i < FRAMES; i++) {
        if (!(left[i - 1] < 0.0f && left[i] >= 0.0f))
            continue;
        last = i - (double)left[i] / ((double)left[i] - (double)left[i - 1]);
        if (cycles++ < 0)
            first = last;
    }
    return cycles > 0 ? cycles * (double)BOX_RATE_HZ / (last - first) : 0;
}

/// The pitch must be `cents` above A4.
static void expect_near(double cents, double within_cents)
{
    box_render(&box, left, right, FRAMES);
    double got = 1200 * log2(measured_hz() / 440.0);
    if (!(fabs(got - cents) <= within_cents))
        fail_msg("sounds %.2f cents above A4, not %.2f", got, cents);
}

static void expect_cents(double cents) { expect_near(cents, tolerance_cents); }

/// The format's own modulator for the bend counts its range in parts of 128, not 127: 0.8 % less.
static void expect_bend(double cents) { expect_near(cents, tolerance_cents + 0.008 * fabs(cents)); }

static void strike(unsigned channel, unsigned key) { box_note(&box, 0, 1, channel, key, 100); }

static void let_go(unsigned channel, unsigned key)
{
    box_note(&box, 0, 1, channel, key, 0);
    box_render(&box, NULL, NULL, FRAMES);
}

static void enter_rpn(unsigned channel, unsigned number, unsigned value)
{
    box_control(&box, 0, 1, channel, CC_RPN_MSB, 0);
    box_control(&box, 0, 1, channel, CC_RPN_LSB, number);
    box_control(&box, 0, 1, channel, CC_DATA_MSB, value >> 7);
    box_control(&box, 0, 1, channel, CC_DATA_LSB, value & 127);
}

static void push_cents(enum event_type type, float cents)
{
    box_push(&box, &(struct event){.type = (uint8_t)type, .cents = cents});
}

static void tune_key(unsigned program, unsigned key, double semitones, bool is_realtime)
{
    box_push(&box, &(struct event){.type = EVENT_TUNE_KEY,
                                   .tune_key = {.program = (uint8_t)program,
                                                .key = (uint8_t)key,
                                                .is_realtime = is_realtime,
                                                .semitones = (float)semitones}});
}

static void tune_scale(unsigned parts, unsigned first, double cents, bool is_realtime)
{
    struct event event = {.type = EVENT_TUNE_SCALE,
                          .tune_scale = {.parts = (uint16_t)parts,
                                         .first = (uint8_t)first,
                                         .is_realtime = is_realtime}};
    for (int i = 0; i < 6; i++)
        event.tune_scale.cents_64[i] = (int16_t)lrint(cents * 64);
    box_push(&box, &event);
}

static void test_equal_temperament(void **state)
{
    (void)state;
    for (unsigned key = 45; key < 100; key += 6) {
        strike(0, key);
        expect_cents(100.0 * ((int)key - 69));
        let_go(0, key);
    }
}

static void test_the_master_by_parameter(void **state)
{
    (void)state;
    static const double cents[] = {-100, -33.5, 12, 100, 0};
    for (int i = 0; i < 5; i++) {
        box_param(&box, 0, PARAM_MASTER_TUNE, cents[i]);
        strike(0, 69);
        expect_cents(cents[i]);
        let_go(0, 69);
    }
}

static void test_the_master_follows_while_notes_sound(void **state)
{
    (void)state;
    strike(0, 69);
    box_param(&box, 0, PARAM_MASTER_TUNE, 60);
    expect_cents(60);
    push_cents(EVENT_MASTER_TUNE, -25.5f);
    expect_cents(34.5);
    push_cents(EVENT_MASTER_COARSE, 700);
    expect_cents(734.5);
    push_cents(EVENT_MASTER_COARSE, -1200);
    expect_cents(-1165.5);
    box_param(&box, 0, PARAM_MASTER_TUNE, -100);
    expect_cents(-1325.5);
    let_go(0, 69);
    strike(0, 69);
    expect_cents(-1325.5);
}

static void test_a_part_by_registered_parameters(void **state)
{
    (void)state;
    enter_rpn(0, 1, 8192 + 4096); // 50 cents
    strike(0, 69);
    expect_cents(50);
    enter_rpn(0, 2, 76 << 7); // 12 semitones, while it sounds
    expect_cents(1250);
    enter_rpn(0, 1, 0);
    expect_cents(1100);
    let_go(0, 69);
    box_control(&box, 0, 1, 0, CC_RESET, 0); // tunings are no controllers
    strike(1, 69);
    expect_cents(0);
}

static void test_bend_and_its_range(void **state)
{
    (void)state;
    strike(0, 69);
    box_push(&box, &(struct event){.type = EVENT_BEND, .bend = 4096});
    expect_bend(100);
    enter_rpn(0, 0, 12 << 7);
    expect_bend(600);
    box_push(&box, &(struct event){.type = EVENT_BEND, .bend = -8192});
    expect_bend(-1200);
}

static void test_keys_of_a_tuning_program(void **state)
{
    (void)state;
    tune_key(3, 69, 69.37, false);
    tune_key(3, 70, 82.25, false);
    tune_key(3, 71, 50.5, false);
    strike(0, 69);
    expect_cents(0); // the program is not chosen yet
    enter_rpn(0, 3, 3 << 7);
    expect_cents(37); // and choosing it takes sounding notes along
    let_go(0, 69);
    strike(0, 70);
    expect_cents(1325);
    let_go(0, 70);
    strike(0, 71);
    expect_cents(-1850);
    let_go(0, 71);
    strike(1, 69); // another part
    expect_cents(0);
}

static void test_real_time_tuning_of_a_key(void **state)
{
    (void)state;
    enter_rpn(0, 3, 0);
    strike(0, 69);
    expect_cents(0);
    tune_key(0, 69, 69.5, false); // not for sounding notes
    expect_cents(0);
    tune_key(0, 69, 75.25, true);
    expect_cents(625);
    tune_key(0, 69, 60, true);
    expect_cents(-900);
    tune_key(0, 68, 80, true); // another key
    expect_cents(-900);
    let_go(0, 69);
    strike(0, 69);
    expect_cents(-900);
}

static void test_notes_of_the_octave(void **state)
{
    (void)state;
    tune_scale(0x0001, 6, 40, false); // F sharp to B: A among them
    strike(0, 69);
    expect_cents(40);
    tune_scale(0xffff, 6, -99.5, true);
    expect_cents(-99.5);
    tune_scale(0xffff, 0, 77, true); // C to F
    expect_cents(-99.5);
    let_go(0, 69);
    strike(2, 65);
    expect_cents(-400 + 77);
}

static void test_tunings_add_up(void **state)
{
    (void)state;
    box_param(&box, 0, PARAM_MASTER_TUNE, 100);
    push_cents(EVENT_MASTER_TUNE, 99);
    push_cents(EVENT_MASTER_COARSE, 2400);
    tune_scale(0xffff, 6, 90, false);
    tune_key(0, 69, 70.5, false);
    enter_rpn(0, 3, 0);
    enter_rpn(0, 1, 16383); // nearly 100 cents
    strike(0, 69);
    expect_cents(100 + 99 + 2400 + 90 + 150 + 8191 * 100.0 / 8192);
}

static void test_drums_are_not_tuned(void **state)
{
    (void)state;
    box_param(&box, 0, PARAM_MASTER_TUNE, 70);
    push_cents(EVENT_MASTER_COARSE, 300);
    tune_scale(0xffff, 6, 50, false);
    strike(9, 69);
    expect_cents(0);
    box_param(&box, 0, PARAM_MASTER_TUNE, -70);
    expect_cents(0);
}

static void test_a_reset_puts_all_back(void **state)
{
    (void)state;
    push_cents(EVENT_MASTER_TUNE, 50);
    tune_scale(0xffff, 6, 30, false);
    tune_key(0, 69, 72, false);
    enter_rpn(0, 3, 0);
    enter_rpn(0, 2, 70 << 7);
    box_push(&box, &(struct event){.type = EVENT_RESET, .reset = {RESET_GM}});
    box_program(&box, 0, 0, TONES_SINE);
    strike(0, 69);
    expect_cents(0);
    let_go(0, 69);
    enter_rpn(0, 3, 0);
    strike(0, 69);
    expect_cents(0);
}

static void test_a_new_font_is_in_tune(void **state)
{
    (void)state;
    box_param(&box, 0, PARAM_MASTER_TUNE, 25);
    enter_rpn(0, 2, 66 << 7);
    tune_scale(0xffff, 6, 30, false);
    strike(0, 69);
    expect_cents(255);
    struct font *other = tones_load(4000);
    assert_int_equal(engine_set_font(box.engine, other), 0);
    tune_scale(0xffff, 6, 10, true);
    expect_cents(235); // the old font, too
    let_go(0, 69);
    strike(0, 69);
    expect_cents(235);
    box_destroy(&box);
    font_destroy(other);
    box_create(&box, tones, 8, 0);
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
        TEST(test_equal_temperament),
        TEST(test_the_master_by_parameter),
        TEST(test_the_master_follows_while_notes_sound),
        TEST(test_a_part_by_registered_parameters),
        TEST(test_bend_and_its_range),
        TEST(test_keys_of_a_tuning_program),
        TEST(test_real_time_tuning_of_a_key),
        TEST(test_notes_of_the_octave),
        TEST(test_tunings_add_up),
        TEST(test_drums_are_not_tuned),
        TEST(test_a_reset_puts_all_back),
        TEST(test_a_new_font_is_in_tune),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
