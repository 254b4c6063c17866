// The equaliser: as its prototypes say, untouched at 0 dB, without clicks, whatever the period.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/equaliser.h"
#include "tests/effects/probe.h"

enum { FRAMES = 65536, RATE_HZ = 48000, SETTLE = 9600 };

static float in[2][FRAMES], out[2][FRAMES], other[2][FRAMES];
static struct equaliser equaliser;

static void set(uint32_t band, enum biquad_kind kind, double hz, double gain_db, double q)
{
    equaliser_set(&equaliser, band, true, &(struct biquad_shape){kind, hz, gain_db, q});
}

static void start(uint32_t bands) { equaliser_init(&equaliser, RATE_HZ, bands); }

static void run(float to[2][FRAMES], uint32_t from, uint32_t frames)
{
    for (int side = 0; side < 2; side++)
        memmove(to[side] + from, in[side] + from, frames * sizeof(float));
    equaliser_run(&equaliser, to[0] + from, to[1] + from, frames);
}

/// Lets glides end on silence, then takes the response to an impulse.
static void take_response(void)
{
    memset(in, 0, sizeof in);
    run(out, 0, SETTLE);
    in[0][0] = in[1][0] = 1.0f;
    run(out, 0, FRAMES);
}

// ---- curves ----

static void assert_follows(const struct biquad_shape *shapes, uint32_t bands)
{
    double worst = 0.0;
    double hz = NAN;
    while (probe_scale(&hz, 25.0, 16000.0, 1.12)) {
        double wanted = 0.0;
        for (uint32_t i = 0; i < bands; i++)
            wanted += biquad_prototype_db(&shapes[i], hz);
        if (wanted > -60.0)
            worst = fmax(worst, fabs(probe_gain_db(out[0], FRAMES, hz, RATE_HZ) - wanted));
    }
    printf("%u band%s within %.3f dB of the prototype\n", bands, bands > 1 ? "s" : "", worst);
    assert_true(worst <= 0.1 * (bands > 1 ? 2 : 1));
    assert_memory_equal(out[0], out[1], sizeof out[0]);
}

static const struct biquad_shape shapes[] = {
    {BIQUAD_LOW_CUT, 40.0, 0.0, 0.7071},    {BIQUAD_LOW_SHELF, 120.0, 4.0, 0.7},
    {BIQUAD_PEAK, 300.0, -6.0, 1.4},        {BIQUAD_PEAK, 1000.0, 9.0, 4.0},
    {BIQUAD_PEAK, 4000.0, -12.0, 0.7},      {BIQUAD_PEAK, 11000.0, 15.0, 1.0},
    {BIQUAD_HIGH_SHELF, 8000.0, -9.0, 0.7}, {BIQUAD_HIGH_CUT, 14000.0, 0.0, 0.7071}};

static void test_each_band_is_as_its_prototype(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        start(1);
        equaliser_set(&equaliser, 0, true, &shapes[i]);
        take_response();
        assert_follows(&shapes[i], 1);
    }
}

static void test_eight_bands_add_up(void **state)
{
    (void)state;
    start(8);
    for (uint32_t i = 0; i < 8; i++)
        equaliser_set(&equaliser, i, true, &shapes[i]);
    take_response();
    assert_follows(shapes, 8);
}

// ---- what costs nothing ----

static void test_nothing_to_do_changes_no_bit(void **state)
{
    (void)state;
    probe_seed(1);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    start(8);
    run(out, 0, FRAMES);
    assert_memory_equal(out, in, sizeof in);
    for (uint32_t i = 0; i < 8; i++)
        set(i, BIQUAD_LOW_SHELF + i % 3, 500.0 * (i + 1), 0.0, 1.0);
    assert_true(equaliser_is_idle(&equaliser));
    run(out, 0, FRAMES);
    assert_memory_equal(out, in, sizeof in);
}

static void test_it_is_untouched_again_after_use(void **state)
{
    (void)state;
    probe_seed(2);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    start(4);
    set(0, BIQUAD_PEAK, 500.0, 12.0, 1.0);
    set(1, BIQUAD_LOW_CUT, 500.0, 0.0, 1.0);
    run(out, 0, 10000);
    assert_false(equaliser_is_idle(&equaliser));
    set(0, BIQUAD_PEAK, 500.0, 0.0, 1.0);
    equaliser_set(&equaliser, 1, false, &shapes[0]);
    run(out, 10000, 10000);
    assert_true(equaliser_is_idle(&equaliser));
    run(out, 20000, 10000);
    assert_memory_equal(out[0] + 20000, in[0] + 20000, 10000 * sizeof(float));
    assert_memory_equal(out[1] + 20000, in[1] + 20000, 10000 * sizeof(float));
}

// ---- movement ----

/// Settings at fixed frames, periods of any length between.
static void play_changes(float to[2][FRAMES], bool is_cut)
{
    start(8);
    for (uint32_t at = 0, step = 0; at < FRAMES; step++) {
        uint32_t until = at + 1500 < FRAMES ? at + 1500 : FRAMES;
        double hz = 100.0 + 137.0 * (step % 60), gain = step % 3 ? 9.0 : 0.0;
        equaliser_set(&equaliser, step % 8, step % 5 != 0,
                      &(struct biquad_shape){(enum biquad_kind)(step % 5), hz, gain, 0.8});
        while (at < until) {
            uint32_t frames = is_cut ? probe_period() : until - at;
            frames = frames < until - at ? frames : until - at;
            run(to, at, frames);
            at += frames;
        }
    }
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    probe_seed(3);
    probe_fill_noise(in[0], FRAMES, 0.5f);
    probe_fill_noise(in[1], FRAMES, 0.5f);
    play_changes(out, false);
    for (int i = 0; i < 3; i++) {
        play_changes(other, true);
        assert_memory_equal(other, out, sizeof out);
    }
}

/// Loudness of the worst click while `change` is called every 1000 frames, over a sine.
static double click_db(void (*change)(uint32_t step))
{
    probe_fill_sine(in[0], FRAMES, 700.0, RATE_HZ, 0.25f);
    memcpy(in[1], in[0], sizeof in[0]);
    start(2);
    for (uint32_t at = 0; at < FRAMES; at += 1024) {
        change(at / 1024);
        run(out, at, 1024);
    }
    return 20.0 * log10(probe_click(out[0], FRAMES, 700.0, RATE_HZ) / 0.25);
}

static void sweep_frequency(uint32_t step)
{
    set(0, BIQUAD_PEAK, step % 2 ? 300.0 : 1400.0, 12.0, 1.0);
}
static void sweep_gain(uint32_t step) { set(0, BIQUAD_PEAK, 700.0, step % 2 ? 12.0 : -12.0, 1.0); }
static void switch_on_and_off(uint32_t step)
{
    equaliser_set(&equaliser, 0, step / 2 % 2,
                  &(struct biquad_shape){BIQUAD_LOW_SHELF, 1000.0, 12.0, 0.7});
}
static void change_kind(uint32_t step)
{
    set(0, step / 3 % 2 ? BIQUAD_HIGH_CUT : BIQUAD_LOW_CUT, 700.0, 0.0, 1.0);
}

static void test_changes_do_not_click(void **state)
{
    (void)state;
    static void (*const changes[])(uint32_t) = {sweep_frequency, sweep_gain, switch_on_and_off,
                                                change_kind};
    static const char *const names[] = {"frequency", "gain", "switch", "kind"};
    for (int i = 0; i < 4; i++) {
        double click = click_db(changes[i]);
        printf("changes of %s: worst click %.1f dB of the tone\n", names[i], click);
        assert_true(click < -40.0); // a gain that jumps by 12 dB would click at +9 dB
    }
}

/// The filter may be driven anywhere at any speed: it stays bounded.
static void test_wild_settings_stay_bounded(void **state)
{
    (void)state;
    probe_seed(4);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    memcpy(in[1], in[0], sizeof in[0]);
    start(1);
    float most = 0.0f;
    for (uint32_t at = 0; at < FRAMES; at += 64) {
        double step_gain = at % 128 ? 24.0 : 20.0;
        double hz = 20.0 * pow(1000.0, 0.5 + 0.5 * (double)probe_noise());
        set(0, BIQUAD_PEAK, hz, step_gain, 20.0);
        run(out, at, 64);
        for (uint32_t i = at; i < at + 64; i++)
            most = fmaxf(most, fabsf(out[0][i]));
    }
    printf("noise of 1 through a filter driven wildly: %.1f at most\n", (double)most);
    assert_true(most < 20.0f);
}

static void test_it_recovers_from_nonsense(void **state)
{
    (void)state;
    probe_fill_sine(in[0], FRAMES, 500.0, RATE_HZ, 0.5f);
    memcpy(in[1], in[0], sizeof in[0]);
    in[0][1000] = NAN;
    in[1][2000] = INFINITY;
    start(8);
    for (uint32_t i = 0; i < 8; i++)
        equaliser_set(&equaliser, i, true, &shapes[i]);
    run(out, 0, FRAMES);
    for (uint32_t i = 2100; i < FRAMES; i++)
        assert_true(isfinite(out[0][i]) && isfinite(out[1][i]));
    equaliser_set(&equaliser, 99, true, &shapes[0]); // no such band: nothing happens
    equaliser_set(&equaliser, 0, true, &(struct biquad_shape){(enum biquad_kind)77, 1, 1, 1});
}

// ---- the SIMD section beside plain C ----

static double plain(const struct svf_coefficients *k, double s[2], double x)
{
    double y = k->c1 * s[0] + (k->c2 * s[1] + k->d * x);
    double s1 = k->p1 * s[0] + k->p * (x - s[1]);
    s[1] = k->p * s[0] + (k->p2 * s[1] + (1.0 - k->p2) * x);
    s[0] = s1;
    return y;
}

static void test_it_agrees_with_its_plain_twin(void **state)
{
    (void)state;
    struct biquad biquad = biquad_design(&shapes[3], RATE_HZ);
    struct svf svf;
    svf_init(&svf);
    svf.now = svf_from_biquad(&biquad, 1.0);
    double s[2][2] = {{0.0}}, x[2] = {0.0}, y[2] = {0.0}, worst_plain = 0.0, worst_biquad = 0.0;
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    probe_seed(5);
    for (int i = 0; i < 20000; i++) {
        stereo frame = {x[0] = (double)probe_noise(), x[1] = (double)probe_noise()};
        svf_run(&svf, &frame, 1);
        for (int side = 0; side < 2; side++) {
            y[side] = plain(&svf.now, s[side], x[side]);
            worst_plain = fmax(worst_plain, fabs(y[side] - frame[side]));
        }
        double direct = biquad.b[0] * x[0] + biquad.b[1] * x1 + biquad.b[2] * x2 -
                        biquad.a[1] * y1 - biquad.a[2] * y2;
        worst_biquad = fmax(worst_biquad, fabs(direct - y[0]));
        x2 = x1, x1 = x[0], y2 = y1, y1 = direct;
    }
    printf("from plain C %.1e, from the biquad's direct form %.1e\n", worst_plain, worst_biquad);
    assert_true(worst_plain < 1e-13);
    assert_true(worst_biquad < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_band_is_as_its_prototype),
        cmocka_unit_test(test_eight_bands_add_up),
        cmocka_unit_test(test_nothing_to_do_changes_no_bit),
        cmocka_unit_test(test_it_is_untouched_again_after_use),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_changes_do_not_click),
        cmocka_unit_test(test_wild_settings_stay_bounded),
        cmocka_unit_test(test_it_recovers_from_nonsense),
        cmocka_unit_test(test_it_agrees_with_its_plain_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
