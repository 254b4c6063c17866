// The effects in the engine: one sound for all periods and threads, sends behind the fader, spaces.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "dsp/effects/response.h"
#include "dsp/effects/space.h"
#include "dsp/engine/chain.h"
#include "dsp/synth/part.h"
#include "tests/effects/hall.h"
#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 60000, SCORE_MAX = 256, SECOND = BOX_RATE_HZ };

static struct font *tones;
static struct box box;
static float wanted[2][4 * SECOND], got[2][4 * SECOND];

/// Events in the order of their frames.
static struct event score[SCORE_MAX];
static size_t score_length;

// ---- the bench ----

static void open_box(int workers, int tail_workers, uint32_t period)
{
    box = (struct box){.period = period};
    box.engine = engine_create(&(struct engine_settings){.sample_rate_hz = BOX_RATE_HZ,
                                                         .max_frames = BOX_PERIOD_MAX,
                                                         .shards = 4,
                                                         .polyphony = 32,
                                                         .workers = workers,
                                                         .tail_workers = tail_workers});
    assert_non_null(box.engine);
    box.ring = engine_open_ring(box.engine, 1024);
    assert_int_equal(engine_set_font(box.engine, tones), 0);
}

/// With all effects off, or all but one.
static void open_dry_box(unsigned only)
{
    open_box(0, 0, 64);
    for (int i = 0; i < CHAIN_SWITCHES; i++)
        box_param(&box, EVENT_NOW, chain_switches[i], chain_switches[i] == only);
}

static struct impulse *make_impulse(enum space_kind kind, uint32_t frames_max)
{
    struct space_settings settings = space_standard(kind, BOX_RATE_HZ);
    struct impulse *impulse = space_create(&settings);
    assert_non_null(impulse);
    if (impulse->frames > frames_max)
        impulse->frames = frames_max;
    return impulse;
}

static struct response *cut(const struct impulse *impulse)
{
    struct schedule schedule = engine_space_schedule(box.engine);
    struct response *response = response_create(impulse, &schedule);
    assert_non_null(response);
    return response;
}

/// The engine alone holds it.
static void set_space(const struct impulse *impulse)
{
    struct response *response = cut(impulse);
    assert_int_equal(engine_set_space(box.engine, response), 0);
    response_drop(response);
}

static void assert_same(uint64_t frames, const char *what, unsigned number)
{
    for (int side = 0; side < 2; side++)
        for (uint64_t i = 0; i < frames; i++)
            if (got[side][i] != wanted[side][i])
                fail_msg("%s %u: side %d, frame %llu: %.9g, not %.9g", what, number, side,
                         (unsigned long long)i, (double)got[side][i], (double)wanted[side][i]);
}

static double loudest(const float *samples, uint64_t from, uint64_t to)
{
    double most = 0;
    for (uint64_t i = from; i < to; i++)
        most = fmax(most, fabs((double)samples[i]));
    return most;
}

/// The greatest second difference: of a step its height, of a sine of 220 Hz next to nothing.
static double bend(const float *samples, uint64_t from, uint64_t to)
{
    double most = 0;
    for (uint64_t i = from + 2; i < to; i++)
        most = fmax(most,
                    fabs((double)samples[i] - 2 * (double)samples[i - 1] + (double)samples[i - 2]));
    return most;
}

// ---- the score ----

static void add(struct event event)
{
    assert_true(score_length < SCORE_MAX);
    assert_true(!score_length || score[score_length - 1].frame <= event.frame);
    event.source = 1;
    score[score_length++] = event;
}

static void add_note(uint64_t frame, uint8_t channel, uint8_t key, uint8_t velocity)
{
    add((struct event){.frame = frame,
                       .channel = channel,
                       .type = velocity ? EVENT_NOTE_ON : EVENT_NOTE_OFF,
                       .note = {key, velocity}});
}

static void add_control(uint64_t frame, uint8_t channel, uint8_t number, uint8_t value)
{
    add((struct event){
        .frame = frame, .channel = channel, .type = EVENT_CONTROL, .control = {number, value}});
}

static void add_program(uint64_t frame, uint8_t channel, uint8_t program)
{
    add((struct event){
        .frame = frame, .channel = channel, .type = EVENT_PROGRAM, .program = {program}});
}

static void add_param(uint64_t frame, unsigned index, double value)
{
    add((struct event){
        .frame = frame, .type = EVENT_PARAM, .param = {(uint16_t)index, (float)value}});
}

/// All on, and all doing something.
static void add_settings(void)
{
    for (int i = 0; i < CHAIN_SWITCHES; i++)
        add_param(0, chain_switches[i], 1);
    add_param(0, PARAM_CH_EQ1_GAIN, 6);
    add_param(0, PARAM_CH_EQ2_GAIN + 1, -9);
    add_param(0, PARAM_EQ1_GAIN, 3);
    add_param(0, PARAM_EQ4_GAIN, -4);
    add_param(0, PARAM_BAND2_THRESHOLD, -40);
    add_param(0, PARAM_BAND3_THRESHOLD, -40);
    add_param(0, PARAM_RESONANCE_AMOUNT, 6);
    add_param(0, PARAM_DELAY_TIME, 91.3);
    for (uint8_t part = 0; part < 3; part++) {
        add_program(0, part, (uint8_t)(part + 1)); // all three are pianos to the strings
        add_control(0, part, CC_CHORUS, 90);
        add_control(0, part, CC_DELAY, 70);
    }
}

/// Notes, sends, the pedal and parameters at frames that fit no grid.
static void write_score(void)
{
    static const struct {
        unsigned index;
        double value;
    } moves[] = {
        {PARAM_REVERB_LEVEL, -3},      {PARAM_CHORUS_RATE, 2.5}, {PARAM_DELAY_TIME, 33.7},
        {PARAM_CH_EQ1_FREQUENCY, 900}, {PARAM_EQ4_GAIN, 8},      {PARAM_BAND2_RATIO, 7},
        {PARAM_RESONANCE_DECAY, .6},   {PARAM_CHORUS_VOICES, 3}, {PARAM_DELAY_PING_PONG, 1},
        {PARAM_SPLIT1, 200},           {PARAM_EQ2_KIND, 0},      {PARAM_CH_BALANCE + 1, -.5},
        {PARAM_MASTER_GAIN, 3},        {PARAM_COMPRESSOR_ON, 0}, {PARAM_REVERB_ON, 0},
        {PARAM_CHORUS_ON, 0},          {PARAM_REVERB_ON, 1},     {PARAM_CHORUS_ON, 1},
        {PARAM_DELAY_ON, 0},           {PARAM_COMPRESSOR_ON, 1}, {PARAM_RESONANCE_ON, 0},
        {PARAM_DELAY_ON, 1},           {PARAM_RESONANCE_ON, 1},  {PARAM_LIMITER_CEILING, -9}};
    score_length = 0;
    add_settings();
    for (unsigned i = 0; i < sizeof moves / sizeof *moves; i++) {
        uint64_t frame = 1237 + 2311 * i;
        uint8_t part = (uint8_t)(i % 3), key = (uint8_t)(45 + 5 * (i % 7));
        add_note(frame, part, key, 110);
        add_control(frame + 17, part, CC_REVERB, (uint8_t)(20 + 37 * i % 100));
        add_control(frame + 333, 0, CC_SUSTAIN, i % 3 ? 127 : 40);
        add_param(frame + 501, moves[i].index, moves[i].value);
        add_control(frame + 777, part, i % 2 ? CC_CHORUS : CC_DELAY, (uint8_t)(11 * i % 128));
        if (i % 5 == 4)
            add_program(frame + 1001, 2, i % 2 ? 40 : 3);
        add_note(frame + 1501, part, key, 0);
    }
}

static void play(float out[2][4 * SECOND])
{
    assert_int_equal(box_play(&box, score, score_length, out[0], out[1], FRAMES), score_length);
}

// ---- one sound ----

static void test_periods_and_threads(void **state)
{
    static const uint32_t periods[] = {64, 16, 100, 1024, 8192};
    struct impulse *impulse = make_impulse(SPACE_HALL, SECOND);
    (void)state;
    write_score();
    for (unsigned i = 0; i < 15; i++) {
        open_box((int)(i / 5), 0, periods[i % 5]);
        set_space(impulse);
        play(i ? got : wanted);
        assert_int_equal(engine_late_blocks(box.engine), 0);
        if (i)
            assert_same(FRAMES, "workers * 10000 + period", i / 5 * 10000 + periods[i % 5]);
        box_destroy(&box);
    }
    assert_true(loudest(wanted[0], 0, FRAMES) > 0.05);
    impulse_destroy(impulse);
}

static void nap(double seconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

/// The score in real time, period by period. Returns blocks that were late.
static uint32_t play_live(const struct impulse *impulse)
{
    size_t pushed = 0;
    open_box(0, 1, 256);
    set_space(impulse);
    for (uint64_t at = 0; at < FRAMES;) {
        uint64_t run = FRAMES - at < box.period ? FRAMES - at : box.period;
        pushed +=
            box_play(&box, score + pushed, score_length - pushed, got[0] + at, got[1] + at, run);
        at += run;
        nap(256.0 / BOX_RATE_HZ);
    }
    uint32_t late = engine_late_blocks(box.engine);
    box_destroy(&box);
    return late;
}

/// A machine that stalls may be late; one that plays in time plays what is played offline.
static void test_live_tail(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_CATHEDRAL, 3 * SECOND);
    uint32_t late = 1;
    (void)state;
    write_score();
    open_box(0, 0, 1024);
    set_space(impulse);
    play(wanted);
    box_destroy(&box);
    for (int i = 0; i < 3 && late; i++)
        late = play_live(impulse);
    assert_int_equal(late, 0);
    assert_same(FRAMES, "live, period", 256);
    impulse_destroy(impulse);
}

// ---- off is off ----

static void add_phrase(uint64_t from, bool has_sends)
{
    for (unsigned i = 0; i < 6; i++) {
        uint64_t frame = from + 5003 * i;
        add_note(frame, (uint8_t)(i % 3), (uint8_t)(50 + 4 * i), 100);
        add_param(frame + 100, PARAM_CH_GAIN, -3.0 * i); // sends move while the fader does
        if (has_sends) {
            add_control(frame + 101, 0, CC_REVERB, 127);
            add_control(frame + 202, 1, CC_CHORUS, 127);
            add_control(frame + 303, 2, CC_DELAY, 127);
            add_param(frame + 404, PARAM_REVERB_LEVEL, 1.0 + i);
            add_param(frame + 404, PARAM_CHORUS_RATE, 1.0 + i);
            add_param(frame + 505, PARAM_DELAY_TIME, 10.0 + i);
            add_param(frame + 505, PARAM_RESONANCE_AMOUNT, i);
            add_param(frame + 606, PARAM_BAND1_RATIO, 2.0 + i);
            add_param(frame + 606, PARAM_LIMITER_CEILING, -20.0);
            add_param(frame + 707, PARAM_EQ3_GAIN, 3.0 + i);
        }
        add_note(frame + 4001, (uint8_t)(i % 3), (uint8_t)(50 + 4 * i), 0);
    }
}

/// A phrase with the effects on, or never on; then, when all has ended, one with them off.
static void play_then_off(float out[2][4 * SECOND], bool are_on, bool has_sends,
                          const struct impulse *impulse)
{
    open_box(0, 0, 100);
    set_space(impulse);
    score_length = 0;
    if (are_on)
        add_settings();
    else
        for (int i = 0; i < CHAIN_SWITCHES; i++)
            add_param(0, chain_switches[i], 0);
    for (uint8_t part = 0; part < 3; part++)
        add_program(0, part, (uint8_t)(part + 1));
    add_phrase(1001, are_on);
    box_play(&box, score, score_length, NULL, NULL, 40000);
    for (int i = 0; i < CHAIN_SWITCHES; i++)
        box_param(&box, 40000, chain_switches[i], 0);
    box_param(&box, 40000, PARAM_CH_EQ1_GAIN, 0);
    box_param(&box, 40000, PARAM_CH_EQ2_GAIN + 1, 0);
    box_render(&box, NULL, NULL, 2 * SECOND);
    score_length = 0;
    add_phrase(box.frame + 1001, has_sends);
    box_play(&box, score, score_length, out[0], out[1], 40000);
    box_destroy(&box);
}

static void test_off_is_off(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_ROOM, SECOND);
    (void)state;
    play_then_off(wanted, false, false, impulse);
    assert_true(loudest(wanted[0], 0, 40000) > 0.01);
    play_then_off(got, false, true, impulse);
    assert_same(40000, "sends with nothing on", 0);
    play_then_off(got, true, true, impulse);
    assert_same(40000, "sends, effects were on", 0);
    impulse_destroy(impulse);
}

// ---- sends ----

static void start_sine(unsigned key)
{
    box_program(&box, EVENT_NOW, 0, TONES_SINE);
    box_control(&box, EVENT_NOW, 1, 0, CC_REVERB, 127);
    box_control(&box, EVENT_NOW, 1, 0, CC_CHORUS, 127);
    box_control(&box, EVENT_NOW, 1, 0, CC_DELAY, 127);
    box_note(&box, EVENT_NOW, 1, 0, key, 127);
}

/// What is played on a muted part adds nothing to any effect.
static void test_mute_silences_sends(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_ROOM, SECOND);
    (void)state;
    for (int is_played = 0; is_played < 2; is_played++) {
        float(*out)[4 * SECOND] = is_played ? got : wanted;
        open_box(0, 0, 100);
        set_space(impulse);
        start_sine(57);
        box_render(&box, NULL, NULL, SECOND / 2);
        box_param(&box, box.frame + 7, PARAM_CH_MUTE, 1);
        box_note(&box, box.frame + 7, 1, 0, 57, 0);
        box_render(&box, NULL, NULL, SECOND / 4);
        if (is_played)
            box_note(&box, box.frame, 1, 0, 45, 127);
        box_render(&box, out[0], out[1], SECOND);
        box_destroy(&box);
    }
    assert_same(SECOND, "a muted part", 0);
    assert_true(loudest(wanted[0], 0, 4000) > 1e-4); // what was sent before rings on
    impulse_destroy(impulse);
}

/// Renders a held sine; what one effect adds to it is in `got` - `wanted`.
static void render_sine(float out[2][4 * SECOND], unsigned effect, unsigned level, double level_db,
                        const struct impulse *impulse)
{
    open_dry_box(effect);
    set_space(impulse);
    if (level)
        box_param(&box, EVENT_NOW, level, level_db);
    box_render(&box, NULL, NULL, 1024); // the levels settle
    start_sine(57);
    box_render(&box, out[0], out[1], SECOND);
    box_destroy(&box);
}

static void test_return_levels(void **state)
{
    static const unsigned effects[][2] = {{PARAM_REVERB_ON, PARAM_REVERB_LEVEL},
                                          {PARAM_CHORUS_ON, PARAM_CHORUS_LEVEL},
                                          {PARAM_DELAY_ON, PARAM_DELAY_LEVEL}};
    static float dry[2][4 * SECOND];
    struct impulse *impulse = make_impulse(SPACE_ROOM, SECOND);
    (void)state;
    render_sine(dry, PARAM_COUNT, 0, 0, impulse);
    for (unsigned e = 0; e < 3; e++) {
        double error = 0, most = 0;
        render_sine(wanted, effects[e][0], effects[e][1], 0, impulse);
        render_sine(got, effects[e][0], effects[e][1], -20, impulse);
        for (int i = 0; i < SECOND; i++) {
            double wet = (double)wanted[0][i] - (double)dry[0][i];
            most = fmax(most, fabs(wet));
            error = fmax(error, fabs(0.1 * wet - ((double)got[0][i] - (double)dry[0][i])));
        }
        assert_true(most > 0.01);
        assert_true(error < 1e-6);
        render_sine(got, effects[e][0], effects[e][1], -60, impulse);
        memcpy(wanted, dry, sizeof dry);
        assert_same(SECOND, "a return at -60 dB", e);
    }
    impulse_destroy(impulse);
}

/// Each switch thrown while a sine sounds: nothing jumps, then or when an echo of it comes round.
static void test_switches_do_not_click(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_PLATE, SECOND);
    (void)state;
    for (int i = 0; i < CHAIN_SWITCHES; i++) {
        open_dry_box(PARAM_COUNT);
        set_space(impulse);
        box_param(&box, EVENT_NOW, PARAM_DELAY_TIME, 101);
        box_param(&box, EVENT_NOW, PARAM_BAND2_THRESHOLD, -40);
        box_param(&box, EVENT_NOW, PARAM_LIMITER_CEILING, -20);
        for (unsigned band = 0; band < 8; band++)
            box_param(&box, EVENT_NOW, PARAM_EQ1_GAIN + band * (PARAM_EQ2_KIND - PARAM_EQ1_KIND),
                      9);
        start_sine(57);
        box_render(&box, NULL, NULL, SECOND / 4);
        box_render(&box, got[0], got[1], SECOND / 4);
        double calm = bend(got[0], 0, SECOND / 4);
        for (int k = 0; k < 6; k++)
            box_param(&box, box.frame + 1013 + 4999 * (unsigned)k, chain_switches[i], k % 2 == 0);
        box_render(&box, got[0], got[1], SECOND);
        double most = bend(got[0], 0, SECOND), level = loudest(got[0], 0, SECOND);
        if (!(most < 4 * calm + 0.001))
            fail_msg("%s: a bend of %g, %g before, level %g", param_row(chain_switches[i])->path,
                     most, calm, level);
        box_destroy(&box);
    }
    impulse_destroy(impulse);
}

// ---- the space ----

/// What the reverb adds is the part's send, convolved.
static void test_reverb_is_convolution(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_HALL, 2 * SECOND);
    struct sound dry = sound_create(2 * SECOND, false), wet = sound_create(2 * SECOND, false);
    const double share = 100.0 / 127.0;
    (void)state;
    assert_int_equal(impulse->channels, 4);
    for (int is_wet = 0; is_wet < 2; is_wet++) {
        struct sound to = is_wet ? wet : dry;
        open_dry_box(is_wet ? PARAM_REVERB_ON : PARAM_COUNT);
        box.period = 333;
        set_space(impulse);
        box_control(&box, EVENT_NOW, 1, 0, CC_REVERB, 100);
        box_program(&box, EVENT_NOW, 0, TONES_SAW);
        for (unsigned i = 0; i < 8; i++) {
            box_note(&box, 2000 + i * 9001, 1, 0, 40 + 3 * i, 127);
            box_note(&box, 8000 + i * 9001, 1, 0, 40 + 3 * i, 0);
        }
        box_render(&box, to.channel[0], to.channel[1], 2 * SECOND);
        box_destroy(&box);
    }
    for (int side = 0; side < 2; side++)
        for (uint32_t i = 0; i < dry.frames; i++) {
            wet.channel[side][i] -= dry.channel[side][i];
            dry.channel[side][i] *= (float)share;
        }
    double error_db = hall_error_db(impulse, dry, wet, 300);
    printf("reverb against direct convolution: %.1f dB\n", error_db);
    assert_true(error_db < -100);
    sound_free(dry);
    sound_free(wet);
    impulse_destroy(impulse);
}

static void collect(void)
{
    for (int i = 0; engine_collect_space(box.engine) && i < 100; i++)
        box_render(&box, NULL, NULL, 4096);
    assert_false(engine_collect_space(box.engine));
}

/// From one space to another, to none and back: no click, and nothing is held any longer.
static void test_change_of_space(void **state)
{
    struct impulse *impulse[2] = {make_impulse(SPACE_PLATE, SECOND),
                                  make_impulse(SPACE_CATHEDRAL, 3 * SECOND)};
    (void)state;
    open_dry_box(PARAM_REVERB_ON);
    struct response *response[] = {cut(impulse[0]), cut(impulse[1]), NULL};
    assert_int_equal(engine_set_space(box.engine, response[0]), 0);
    start_sine(57);
    box_render(&box, NULL, NULL, SECOND);
    box_render(&box, got[0], got[1], SECOND / 4);
    double calm = bend(got[0], 0, SECOND / 4);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(engine_set_space(box.engine, response[(i + 1) % 3]), 0);
        box_render(&box, got[0], got[1], SECOND / 4);
        double most = bend(got[0], 0, SECOND / 4);
        if (!(most < 4 * calm + 0.001))
            fail_msg("change %d: a bend of %g, %g before", i, most, calm);
        collect();
        for (int k = 0; k < 2; k++)
            assert_int_equal(response[k]->holders, 1 + ((i + 1) % 3 == k));
    }
    box_destroy(&box);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(response[k]->holders, 1);
        response_drop(response[k]);
        impulse_destroy(impulse[k]);
    }
}

/// The first space of an engine that already plays.
static void test_late_first_space(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_PLATE, SECOND);
    (void)state;
    open_dry_box(PARAM_REVERB_ON);
    start_sine(57);
    box_render(&box, NULL, NULL, SECOND / 4 + 37); // not where the sine is zero
    box_render(&box, got[0], got[1], SECOND / 4);
    double calm = bend(got[0], 0, SECOND / 4);
    set_space(impulse);
    box_render(&box, got[0], got[1], SECOND);
    double most = bend(got[0], 0, SECOND);
    if (!(most < 4 * calm + 0.001))
        fail_msg("a bend of %g, %g before", most, calm);
    box_destroy(&box);
    impulse_destroy(impulse);
}

/// A response that was cut otherwise, or is too long, is refused and changes nothing.
static void test_foreign_responses(void **state)
{
    struct impulse *impulse = make_impulse(SPACE_ROOM, 4800);
    struct schedule schedule = hall_cut("32");
    (void)state;
    open_dry_box(PARAM_REVERB_ON);
    struct response *response = response_create(impulse, &schedule);
    assert_non_null(response);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(engine_set_space(box.engine, response), -22);
        assert_int_equal(response->holders, 1);
        set_space(impulse);
    }
    response_drop(response);
    box_destroy(&box);
    impulse_destroy(impulse);
}

/// A fresh engine that goes on where another was hears the same parts as pianos.
static void test_copied_state(void **state)
{
    (void)state;
    for (int is_copy = 0; is_copy < 2; is_copy++) {
        float(*out)[4 * SECOND] = is_copy ? got : wanted;
        open_dry_box(PARAM_RESONANCE_ON);
        box_program(&box, EVENT_NOW, 0, 40);
        box_render(&box, NULL, NULL, 4096);
        if (is_copy) {
            struct box old = box;
            open_box(0, 0, 64);
            engine_copy_state(box.engine, old.engine);
            box_render(&box, NULL, NULL, 4096);
            box_destroy(&old);
        }
        box_control(&box, EVENT_NOW, 1, 0, CC_SUSTAIN, 127);
        box_note(&box, EVENT_NOW, 1, 0, 60, 127);
        box_render(&box, out[0], out[1], 8192);
        box_destroy(&box);
    }
    assert_same(8192, "a copy", 0);
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
        cmocka_unit_test(test_periods_and_threads),
        cmocka_unit_test(test_live_tail),
        cmocka_unit_test(test_off_is_off),
        cmocka_unit_test(test_mute_silences_sends),
        cmocka_unit_test(test_return_levels),
        cmocka_unit_test(test_switches_do_not_click),
        cmocka_unit_test(test_reverb_is_convolution),
        cmocka_unit_test(test_change_of_space),
        cmocka_unit_test(test_late_first_space),
        cmocka_unit_test(test_foreign_responses),
        cmocka_unit_test(test_copied_state),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
