// A change of fonts under held notes: no gap, no click, nothing forgotten.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "dsp/synth/part.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 1 << 16, FONTS = 6 };

static struct font *fonts[FONTS];
static struct box box, undisturbed;
static float left[FRAMES], right[FRAMES], plain_left[FRAMES], plain_right[FRAMES];

static int start(void **state)
{
    (void)state;
    box_create(&box, fonts[0], 8, 1);
    box_create(&undisturbed, fonts[0], 8, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    box_destroy(&box);
    box_destroy(&undisturbed);
    return 0;
}

static void note(unsigned channel, unsigned key, unsigned velocity)
{
    box_note(&box, 0, 1, channel, key, velocity);
    box_note(&undisturbed, 0, 1, channel, key, velocity);
}

static void control(unsigned channel, unsigned number, unsigned value)
{
    box_control(&box, 0, 1, channel, number, value);
    box_control(&undisturbed, 0, 1, channel, number, value);
}

static void push(const struct event *event)
{
    box_push(&box, event);
    box_push(&undisturbed, event);
}

static void render_both(uint64_t frames)
{
    box_render(&box, left, right, frames);
    box_render(&undisturbed, plain_left, plain_right, frames);
}

static void expect_same(uint64_t frames)
{
    assert_memory_equal(left, plain_left, frames * sizeof *left);
    assert_memory_equal(right, plain_right, frames * sizeof *right);
}

static float loudest(const float *samples, uint64_t frames)
{
    float peak = 0.0f;
    for (uint64_t i = 0; i < frames; i++)
        peak = fmaxf(peak, fabsf(samples[i]));
    return peak;
}

static void test_held_notes_do_not_notice(void **state)
{
    (void)state;
    struct event program = {.type = EVENT_PROGRAM, .channel = 1, .program = {TONES_SINE}};
    push(&program);
    control(1, CC_SUSTAIN, 127);
    note(0, 60, 100);
    note(1, 69, 90);
    note(1, 69, 0); // held by the pedal
    render_both(1000);
    assert_int_equal(engine_set_font(box.engine, fonts[1]), 0);
    for (int i = 0; i < 20; i++) {
        control(0, CC_EXPRESSION, 127 - (unsigned)i);
        render_both(1000);
        expect_same(1000);
        assert_true(loudest(left, 1000) > 0.01f);
    }
    assert_int_equal(box_state(&box).font_generation, 2);
    assert_null(engine_collect_font(box.engine));
    note(0, 60, 0);
    control(1, CC_SUSTAIN, 0);
    render_both(FRAMES);
    expect_same(FRAMES);
    render_both(64);
    assert_ptr_equal(engine_collect_font(box.engine), fonts[0]);
    assert_null(engine_collect_font(box.engine));
}

/// The step between neighbouring samples, at its largest.
static float largest_step(const float *samples, uint64_t frames)
{
    float step = 0.0f;
    for (uint64_t i = 1; i < frames; i++)
        step = fmaxf(step, fabsf(samples[i] - samples[i - 1]));
    return step;
}

static void test_new_notes_play_the_new_font(void **state)
{
    (void)state;
    note(0, 60, 100);
    render_both(4000);
    assert_int_equal(engine_set_font(box.engine, fonts[1]), 0); // half as loud
    render_both(4000);
    note(0, 72, 100);
    render_both(4000);
    float old = plain_left[3999] / 2, grown = left[3999] - old;
    assert_true(fabsf(grown - old / 2) < 0.001f * old);
    assert_true(largest_step(left, 4000) <= largest_step(plain_left, 4000));
    note(0, 60, 0); // each ends where it sounds
    render_both(20000);
    assert_true(fabsf(left[19999] - grown) < 1e-4f);
    note(0, 72, 0);
    render_both(20000);
    assert_int_equal(box_state(&box).voices, 0);
}

static void test_a_key_struck_again_leaves_the_old_font(void **state)
{
    (void)state;
    note(0, 60, 100);
    render_both(1000);
    assert_int_equal(engine_set_font(box.engine, fonts[1]), 0);
    render_both(64);
    note(0, 60, 100);
    render_both(FRAMES);
    assert_int_equal(box_state(&box).voices, 1);
    assert_ptr_equal(engine_collect_font(box.engine), fonts[0]);
}

// ---- state ----

static void enter(unsigned channel, unsigned msb, unsigned lsb, unsigned value, bool is_nrpn)
{
    control(channel, is_nrpn ? CC_NRPN_MSB : CC_RPN_MSB, msb);
    control(channel, is_nrpn ? CC_NRPN_LSB : CC_RPN_LSB, lsb);
    control(channel, CC_DATA_LSB, value & 127);
    control(channel, CC_DATA_MSB, value >> 7);
}

static void set_state(void)
{
    static const uint8_t programs[] = {TONES_SINE, TONES_PLUCK, TONES_SAW, TONES_STEP};
    for (unsigned channel = 0; channel < 4; channel++) {
        push(&(struct event){
            .type = EVENT_PROGRAM, .channel = (uint8_t)channel, .program = {programs[channel]}});
        control(channel, CC_VOLUME, 60 + 10 * channel);
        control(channel, CC_PAN, 20 + 20 * channel);
        control(channel, CC_EXPRESSION, 120 - channel);
        control(channel, CC_MODULATION, 30 * channel);
        push(&(struct event){
            .type = EVENT_BEND, .channel = (uint8_t)channel, .bend = (int16_t)(2000 * channel)});
        push(&(struct event){.type = EVENT_CHANNEL_PRESSURE,
                             .channel = (uint8_t)channel,
                             .pressure = (uint8_t)(30 * channel)});
    }
    enter(0, 0, 0, 12 << 7, false);     // bend range
    enter(1, 0, 1, 8192 + 3000, false); // fine tuning
    enter(2, 0, 2, 67 << 7, false);     // coarse tuning
    enter(3, 120, 8, 8192 - 200, true); // the filter
    control(2, CC_MONO, 1);
    push(&(struct event){.type = EVENT_DRUM_PART, .channel = 5, .drum = {1}});
    push(&(struct event){.type = EVENT_MASTER_TUNE, .cents = 40});
    push(&(struct event){.type = EVENT_PARAM,
                         .param = {PARAM_SYNTH_QUALITY, 1}}); // linear, not the default
}

static void play_state(void)
{
    for (unsigned channel = 0; channel < 6; channel++)
        for (unsigned key = 50; key < 70; key += 4) {
            note(channel, key, 100);
            render_both(512);
            expect_same(512);
        }
    for (unsigned channel = 0; channel < 6; channel++)
        for (unsigned key = 50; key < 70; key += 4)
            note(channel, key, 0);
    render_both(FRAMES);
    expect_same(FRAMES);
}

static void test_the_state_goes_along(void **state)
{
    (void)state;
    set_state();
    render_both(512);
    assert_int_equal(engine_set_font(box.engine, fonts[2]), 0); // a copy of the first
    render_both(512);
    assert_int_equal(box_state(&box).font_generation, 2);
    play_state();
}

static void test_a_reset_reaches_the_new_font(void **state)
{
    (void)state;
    set_state();
    render_both(512);
    assert_int_equal(engine_set_font(box.engine, fonts[2]), 0);
    push(&(struct event){.type = EVENT_RESET, .reset = {RESET_GS}});
    render_both(512);
    play_state();
}

/// Three old fonts ring out, so a fourth offer has to wait; what changes meanwhile is caught up.
static void test_changes_while_an_offer_waits(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        box_note(&box, 0, 1, 8, 40 + (unsigned)i, 100);
        box_render(&box, NULL, NULL, 512);
        assert_int_equal(engine_set_font(box.engine, fonts[i]), 0);
        assert_int_equal(engine_set_font(box.engine, fonts[4]), -EBUSY);
        box_render(&box, NULL, NULL, 512);
    }
    assert_int_equal(box_state(&box).font_generation, 4);
    assert_int_equal(engine_set_font(box.engine, fonts[4]), 0); // a copy of the first
    box_render(&undisturbed, NULL, NULL, 3 * 1024);
    set_state();
    render_both(512);
    assert_int_equal(box_state(&box).font_generation, 4);
    assert_int_equal(engine_set_font(box.engine, fonts[5]), -EBUSY);
    box_push(&box, &(struct event){.source = 1, .type = EVENT_RELEASE});
    render_both(FRAMES);
    render_both(512);
    assert_int_equal(box_state(&box).font_generation, 5);
    play_state();
    int collected = 0;
    while (engine_collect_font(box.engine))
        collected++;
    assert_int_equal(collected, 4);
}

static void test_three_changes_in_quick_succession(void **state)
{
    (void)state;
    note(0, 60, 100);
    render_both(1000);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(engine_set_font(box.engine, fonts[i]), 0);
        render_both(64);
        expect_same(64);
    }
    note(0, 60, 0);
    render_both(FRAMES);
    expect_same(FRAMES);
    render_both(64);
    int collected = 0;
    for (struct font *font; (font = engine_collect_font(box.engine)); collected++)
        assert_true(font == fonts[0] || font == fonts[1] || font == fonts[2]);
    assert_int_equal(collected, 3);
}

// ---- from another thread ----

static _Atomic bool is_over;

static void *change_fonts(void *context)
{
    int *changes = context;
    for (int i = 0; !atomic_load(&is_over); i++) {
        *changes += engine_set_font(box.engine, fonts[i % FONTS]) == 0;
        while (engine_collect_font(box.engine))
            ;
    }
    return NULL;
}

static void test_a_loader_on_its_own_thread(void **state)
{
    (void)state;
    pthread_t loader;
    int changes = 0;
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&loader, NULL, change_fonts, &changes), 0);
    for (unsigned i = 0; i < 2000 && box_state(&box).font_generation < 12; i++) {
        unsigned key = 40 + i * 7 % 40;
        box_note(&box, 0, 1, i % 16, key, 100);
        box_control(&box, 0, 1, i % 16, CC_EXPRESSION, i % 128);
        box_render(&box, NULL, NULL, 512);
        box_note(&box, 0, 1, i % 16, key, 0);
    }
    atomic_store(&is_over, true);
    pthread_join(loader, NULL);
    assert_true(changes >= 3);
    box_render(&box, NULL, NULL, FRAMES);
    assert_int_equal(box_state(&box).voices, 0);
}

static int load(void **state)
{
    (void)state;
    for (int i = 0; i < FONTS; i++)
        fonts[i] = tones_load(i == 1 ? 2000 : 4000);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    for (int i = 0; i < FONTS; i++)
        font_destroy(fonts[i]);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_held_notes_do_not_notice),
        TEST(test_new_notes_play_the_new_font),
        TEST(test_a_key_struck_again_leaves_the_old_font),
        TEST(test_the_state_goes_along),
        TEST(test_a_reset_reaches_the_new_font),
        TEST(test_changes_while_an_offer_waits),
        TEST(test_three_changes_in_quick_succession),
        TEST(test_a_loader_on_its_own_thread),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
