// The strings of a piano: who holds them, whatever is done to the parts, and when they move.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/engine/chain.h"
#include "dsp/engine/router.h"
#include "dsp/synth/part.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { RATE_HZ = 48000, FRAMES = 16384, ORGAN = 16, PIANO = 0, PEDAL_HELD = 127 };

static struct font *tones;
static struct synth *synth;
static struct strings strings;
static struct router router;
static float value[PARAM_COUNT];
static uint64_t now;

static int start(void **state)
{
    (void)state;
    now = 0;
    router = (struct router){.synth = NULL};
    memset(&strings, 0, sizeof strings);
    synth = synth_create(&(struct synth_settings){
        .sample_rate_hz = RATE_HZ, .shards = 2, .polyphony = 64, .max_frames = CHAIN_FRAMES_MAX});
    assert_non_null(synth);
    assert_int_equal(synth_set_font(synth, tones), 0);
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        struct param_value standard;
        param_default(i, &standard);
        value[i] = (float)standard.number;
    }
    assert_int_equal(strings_init(&strings, RATE_HZ, CHAIN_FRAMES_MAX, RESONANCE_MODES_LEAST), 0);
    strings_set(&strings, true, 0, 1, 0);
    router_init(&router, synth, &strings, value, RATE_HZ);
    synth_begin(synth, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    strings_finish(&strings);
    synth_destroy(synth);
    return 0;
}

// ---- what the router tells ----

static void run(struct event event)
{
    event.frame = now;
    router_run(&router, &event, now);
}

static void note(unsigned source, unsigned channel, unsigned key, unsigned velocity)
{
    run((struct event){.source = (uint16_t)source,
                       .channel = (uint8_t)channel,
                       .type = velocity ? EVENT_NOTE_ON : EVENT_NOTE_OFF,
                       .note = {(uint8_t)key, (uint8_t)velocity}});
}

static void control(unsigned source, unsigned channel, unsigned number, unsigned to)
{
    run((struct event){.source = (uint16_t)source,
                       .channel = (uint8_t)channel,
                       .type = EVENT_CONTROL,
                       .control = {(uint8_t)number, (uint8_t)to}});
}

static void program(unsigned channel, unsigned to)
{
    run((struct event){
        .channel = (uint8_t)channel, .type = EVENT_PROGRAM, .program = {(uint8_t)to}});
}

static void box_event(unsigned source, enum event_type type, unsigned mode)
{
    struct event event = {.source = (uint16_t)source, .type = (uint8_t)type};
    if (type == EVENT_RESET)
        event.reset.mode = (uint8_t)mode;
    else if (type == EVENT_DRUM_PART)
        event.drum.mode = (uint8_t)mode;
    run(event);
}

static void set(unsigned index, double to)
{
    value[index] = (float)to;
    router_set(&router, index, now);
}

/// Lets the strings move; the synth forgets what it was told.
static void settle(void)
{
    static float sound[2][64], *bus[PARTS][2];
    memset(sound, 0, sizeof sound);
    strings_run(&strings, now, (float *const[2]){sound[0], sound[1]}, 64);
    synth_render(synth, now, 64, bus);
    now += 64;
    synth_begin(synth, now);
    assert_int_equal(strings.read, strings.written);
}

static unsigned held(void)
{
    unsigned sum = 0;
    settle();
    for (int key = 0; key < STRINGS_KEYS; key++) {
        sum += strings.holders[key];
        if (key >= PIANO_LOW && key <= PIANO_HIGH)
            assert_int_equal(strings.resonance.is_held[key - PIANO_LOW], strings.holders[key] > 0);
    }
    return sum;
}

static double lift(void)
{
    settle();
    return strings.resonance.lift;
}

static void test_keys(void **state)
{
    (void)state;
    note(1, 0, 60, 100);
    note(2, 0, 60, 100); // a second source on the same key of the same part
    note(1, 1, 60, 100); // another piano
    assert_int_equal(held(), 2);
    note(1, 0, 60, 0);
    assert_int_equal(held(), 2);
    note(2, 0, 60, 0);
    assert_int_equal(held(), 1);
    note(1, 0, 60, 0); // not held any more
    note(1, 1, 60, 0);
    assert_int_equal(held(), 0);
}

static void test_layer_of_all_parts(void **state)
{
    (void)state;
    for (unsigned part = 0; part < PARTS; part++)
        set(PARAM_CH_CHANNEL + part, 1);
    for (unsigned key = 0; key < KEYS; key++) {
        note(1, 0, key, 100);
        if (key % 8 == 7)
            settle();
    }
    assert_int_equal(held(), 15 * KEYS); // part 10 plays drums
    box_event(1, EVENT_RELEASE, 0);
    assert_int_equal(held(), 0);
}

static void test_no_piano(void **state)
{
    (void)state;
    program(0, ORGAN);
    note(1, 0, 60, 100);
    note(1, 9, 60, 100);
    set(PARAM_CH_KIND + 2, 2);
    note(1, 2, 60, 100);
    control(1, 0, CC_SUSTAIN, 127);
    control(1, 9, CC_SUSTAIN, 127);
    control(1, 2, CC_SUSTAIN, 127);
    assert_int_equal(held(), 0);
    assert_true(lift() == 0.0);
    assert_int_equal(router_piano_parts(&router), 0xffff & ~(1 << 0 | 1 << 2 | 1 << 9));
    for (unsigned number = 0; number < 8; number++) {
        program(0, number);
        assert_int_equal(router_piano_parts(&router) & 1, 1);
    }
    program(0, 8);
    assert_int_equal(router_piano_parts(&router) & 1, 0);
}

/// A key that went down on a piano comes up whatever the part has become.
static void test_program_change_mid_note(void **state)
{
    (void)state;
    note(1, 0, 60, 100);
    note(1, 0, 64, 100);
    program(0, ORGAN);
    note(1, 0, 60, 0);
    assert_int_equal(held(), 1);
    note(1, 0, 67, 100);
    assert_int_equal(held(), 1);
    program(0, PIANO);
    note(1, 0, 67, 0); // which the strings never heard of
    assert_int_equal(held(), 1);
    note(1, 0, 64, 100); // struck again while it is held
    assert_int_equal(held(), 1);
    note(1, 0, 64, 0);
    assert_int_equal(held(), 0);
    note(1, 0, 72, 100);
    program(0, ORGAN);
    note(1, 0, 72, 100); // struck again as an organ
    note(1, 0, 72, 0);
    assert_int_equal(held(), 0);
}

/// The pedal follows the part as that becomes a piano, or ceases to be one.
static void test_pedal_follows_the_program(void **state)
{
    (void)state;
    control(1, 0, CC_SUSTAIN, PEDAL_HELD);
    assert_true(lift() == 1.0);
    program(0, ORGAN);
    assert_true(lift() == 0.0);
    program(0, PIANO);
    assert_true(lift() == 1.0);
    set(PARAM_CH_KIND, 2);
    assert_true(lift() == 0.0);
    set(PARAM_CH_KIND, 0);
    assert_true(lift() == 1.0);
    box_event(1, EVENT_DRUM_PART, 1);
    assert_true(lift() == 0.0);
    box_event(1, EVENT_DRUM_PART, 0);
    assert_true(lift() == 1.0);
    set(PARAM_CH_PROGRAM, ORGAN);
    assert_true(lift() == 0.0);
}

static void test_pedals_of_two_sources(void **state)
{
    (void)state;
    control(1, 0, CC_SUSTAIN, 60);
    double half = lift();
    assert_true(half > 0.0 && half < 1.0);
    control(2, 0, CC_SUSTAIN, PEDAL_HELD);
    control(1, 3, CC_SUSTAIN, 10);
    assert_true(lift() == 1.0);
    control(2, 0, CC_SUSTAIN, 0);
    assert_true(lift() == half);
    control(1, 0, CC_RESET, 0);
    assert_true(lift() == 0.0);
}

static void hold_much(void)
{
    for (unsigned part = 0; part < PARTS; part++) {
        for (unsigned key = 40; key < 60; key++)
            note(1 + key % 3, part, key, 100);
        control(1, part, CC_SUSTAIN, PEDAL_HELD);
        settle();
    }
    assert_int_equal(held(), 15 * 20);
    assert_true(lift() == 1.0);
}

static void test_nothing_stays_held(void **state)
{
    (void)state;
    for (unsigned mode = RESET_GM; mode <= RESET_GM_OFF; mode++) {
        hold_much();
        box_event(2, EVENT_RESET, mode);
        assert_int_equal(held(), 0);
        assert_true(lift() == 0.0);
    }
    hold_much();
    box_event(2, EVENT_PANIC, 0);
    assert_int_equal(held(), 0);
    assert_true(lift() == 0.0);
    static const unsigned enders[] = {CC_SOUND_OFF, 124, 125, 126, 127};
    for (unsigned i = 0; i < sizeof enders / sizeof *enders; i++) {
        hold_much();
        for (unsigned part = 0; part < PARTS; part++)
            control(2, part, enders[i], 0);
        assert_int_equal(held(), 0);
        for (unsigned part = 0; part < PARTS; part++) {
            control(1, part, CC_SUSTAIN, 0);
            control(1, part, 127, 0); // all parts are polyphonic again
        }
    }
    hold_much();
    for (unsigned source = 1; source <= 3; source++)
        box_event(source, EVENT_RELEASE, 0);
    assert_int_equal(held(), 0);
    assert_true(lift() == 0.0);
}

/// A source that promised to be heard of and falls silent lets its strings go.
static void test_silent_source(void **state)
{
    (void)state;
    note(5, 0, 60, 100);
    control(5, 0, CC_SUSTAIN, PEDAL_HELD);
    box_event(5, EVENT_SENSING, 0);
    assert_int_equal(held(), 1);
    now = router_deadline(&router);
    router_watch(&router, now);
    assert_int_equal(held(), 0);
    assert_true(lift() == 0.0);
}

/// Whatever comes, no count of holders runs under or over.
static void test_random_play(void **state)
{
    unsigned seed = 7;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned dice = (unsigned)rand_r(&seed), source = dice % 5, channel = dice / 5 % PARTS;
        unsigned key = dice / 97 % KEYS;
        switch (rand_r(&seed) % 12) {
        case 0:
            program(channel, dice % 12);
            break;
        case 1:
            control(source, channel, CC_SUSTAIN, key);
            break;
        case 2:
            control(source, channel, key, 64);
            break;
        case 3:
            set(PARAM_CH_KIND + channel, dice % 3);
            break;
        case 4:
            if (dice % 50 == 0)
                box_event(source, (enum event_type)(dice % 3 ? EVENT_RELEASE : EVENT_PANIC), 0);
            break;
        case 5:
            set(PARAM_CH_TRANSPOSE + channel, (int)(dice % 25) - 12);
            break;
        default:
            note(source, channel, key, dice % 2 ? 100 : 0);
        }
        if (i % 16 == 0) {
            held();
            for (int k = 0; k < STRINGS_KEYS; k++)
                assert_true(strings.holders[k] <= PARTS);
        }
    }
    box_event(0, EVENT_PANIC, 0);
    assert_int_equal(held(), 0);
}

// ---- when they move ----

struct move {
    uint64_t frame;
    int key; ///< -1: the pedal
    int value;
};

static const struct move moves[] = {{0, 48, 1},     {37, 60, 1},    {37, 64, 1},   {1001, -1, 90},
                                    {1499, 60, 0},  {2003, -1, 0},  {2003, 55, 1}, {3333, -1, 127},
                                    {5000, 48, 0},  {9001, -1, 40}, {9001, 64, 0}, {9002, 64, 1},
                                    {12345, 55, 0}, {12346, -1, 0}};

enum { MOVES = sizeof moves / sizeof *moves };

/// Noise through the strings in runs of `period`; motions are told `ahead` before the run in which
/// they fall, as an engine does that looks over a whole period.
static void ring(uint32_t period, uint32_t ahead, float sound[2][FRAMES])
{
    unsigned seed = 3, told = 0;
    for (int i = 0; i < FRAMES; i++)
        sound[0][i] = sound[1][i] = (float)rand_r(&seed) / (float)RAND_MAX - 0.5f;
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t frames = FRAMES - at < period ? FRAMES - at : period;
        for (; told < MOVES && moves[told].frame < at + frames + ahead; told++) {
            const struct move *move = &moves[told];
            if (move->key < 0)
                strings_move_pedal(&strings, move->frame, (uint8_t)move->value);
            else
                strings_move_key(&strings, move->frame, (uint8_t)move->key, move->value);
        }
        strings_run(&strings, at, (float *const[2]){sound[0] + at, sound[1] + at}, frames);
        at += frames;
    }
}

static void test_any_period(void **state)
{
    static float wanted[2][FRAMES], got[2][FRAMES];
    static const uint32_t periods[] = {1, 16, 64, 100, 1024};
    (void)state;
    ring(64, 0, wanted);
    double loudest = 0;
    for (int i = 0; i < FRAMES; i++)
        loudest = fmax(loudest, fabs((double)wanted[0][i]));
    assert_true(loudest > 1e-3);
    for (unsigned i = 0; i < sizeof periods / sizeof *periods; i++) {
        finish(NULL);
        start(NULL);
        ring(periods[i], i % 2 ? 700 : 0, got);
        assert_memory_equal(got, wanted, sizeof got);
    }
}

/// Of more motions than there is room for none is lost.
static void test_full_queue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * STRINGS_MOTIONS; i++)
        strings_move_key(&strings, 10, (uint8_t)(i / 2 % KEYS), i % 2 == 0);
    for (unsigned key = 0; key < KEYS; key++)
        strings_move_key(&strings, 10, (uint8_t)key, true);
    assert_int_equal(held(), KEYS);
}

// ---- what is heard ----

static void play(unsigned to, bool has_strings, float out[2][FRAMES])
{
    struct box box;
    box_create(&box, tones, 2, 0);
    box_param(&box, 0, PARAM_RESONANCE_ON, has_strings);
    box_param(&box, 0, PARAM_RESONANCE_AMOUNT, 0);
    box_param(&box, 0, PARAM_CH_KIND, to == ORGAN ? 1 : 0);
    box_program(&box, 0, 0, to);
    box_program(&box, 0, 1, PIANO);
    box_control(&box, 1001, 1, 1, CC_SUSTAIN, 127); // a silent piano whose strings are free
    box_note(&box, 2003, 1, 0, 57, 127);
    box_note(&box, 8001, 1, 0, 57, 0);
    box_render(&box, out[0], out[1], FRAMES);
    box_destroy(&box);
}

static void test_only_pianos_ring(void **state)
{
    static float with[2][FRAMES], without[2][FRAMES];
    static const unsigned programs[] = {TONES_SINE, ORGAN};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        play(programs[i], true, with);
        play(programs[i], false, without);
        double loudest = 0, added = 0;
        for (int k = 0; k < FRAMES; k++) {
            loudest = fmax(loudest, fabs((double)without[0][k]));
            added = fmax(added, fabs((double)with[0][k] - (double)without[0][k]));
        }
        assert_true(loudest > 0.01);
        if (programs[i] == ORGAN)
            assert_true(added == 0.0);
        else
            assert_true(added > 1e-4);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys, start, finish),
        cmocka_unit_test_setup_teardown(test_layer_of_all_parts, start, finish),
        cmocka_unit_test_setup_teardown(test_no_piano, start, finish),
        cmocka_unit_test_setup_teardown(test_program_change_mid_note, start, finish),
        cmocka_unit_test_setup_teardown(test_pedal_follows_the_program, start, finish),
        cmocka_unit_test_setup_teardown(test_pedals_of_two_sources, start, finish),
        cmocka_unit_test_setup_teardown(test_nothing_stays_held, start, finish),
        cmocka_unit_test_setup_teardown(test_silent_source, start, finish),
        cmocka_unit_test_setup_teardown(test_random_play, start, finish),
        cmocka_unit_test_setup_teardown(test_any_period, start, finish),
        cmocka_unit_test_setup_teardown(test_full_queue, start, finish),
        cmocka_unit_test(test_only_pianos_ring),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
