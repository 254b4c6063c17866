// The crossover: four bands whose sum is flat, 24 dB an octave, at rest and while it moves.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/crossover.h"
#include "tests/effects/probe.h"

enum { FRAMES = 65536 };

static stereo in[FRAMES], bands[CROSSOVER_BANDS][FRAMES];
static float band[FRAMES], sum[FRAMES];
static struct crossover crossover;

static void run(uint32_t from, uint32_t frames)
{
    stereo *out[CROSSOVER_BANDS];
    for (int i = 0; i < CROSSOVER_BANDS; i++)
        out[i] = bands[i] + from;
    crossover_run(&crossover, in + from, out, frames);
}

static void take_response(double rate_hz, const double split_hz[CROSSOVER_SPLITS])
{
    memset(in, 0, sizeof in);
    in[0] = (stereo){1.0, -0.5};
    crossover_init(&crossover, rate_hz);
    crossover_set(&crossover, split_hz);
    crossover_reset(&crossover);
    run(0, FRAMES);
}

static void add_up(int side)
{
    for (uint32_t i = 0; i < FRAMES; i++)
        sum[i] =
            (float)(bands[0][i][side] + bands[1][i][side] + bands[2][i][side] + bands[3][i][side]);
}

static double band_db(int number, double hz, double rate_hz)
{
    for (uint32_t i = 0; i < FRAMES; i++)
        band[i] = (float)bands[number][i][0];
    return probe_gain_db(band, FRAMES, hz, rate_hz);
}

static const double splits_hz[][CROSSOVER_SPLITS] = {
    {120, 1000, 6000}, {60, 250, 2000}, {400, 500, 600}, {1000, 1000, 1000}, {200, 5000, 15000}};

static void test_the_sum_is_flat(void **state)
{
    (void)state;
    static const double rates_hz[] = {44100, 48000, 96000};
    double worst = 0.0;
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 5; s++) {
            take_response(rates_hz[r], splits_hz[s]);
            add_up(0);
            double hz = NAN;
            while (probe_scale(&hz, 15, 0.49 * rates_hz[r], 1.25))
                worst = fmax(worst, fabs(probe_gain_db(sum, FRAMES, hz, rates_hz[r])));
            add_up(1);
            assert_true(fabs(probe_gain_db(sum, FRAMES, 700.0, rates_hz[r]) + 6.0206) < 0.001);
        }
    printf("the sum is flat within %.5f dB\n", worst);
    assert_true(worst < 0.1);
}

static void test_bands_fall_24_db_an_octave(void **state)
{
    (void)state;
    const double rate_hz = 96000;
    take_response(rate_hz, splits_hz[0]);
    for (int i = 0; i < CROSSOVER_SPLITS; i++) {
        double hz = splits_hz[0][i];
        double below = band_db(i, hz, rate_hz), above = band_db(i + 1, hz, rate_hz);
        double octaves = band_db(i, hz * 2, rate_hz) - band_db(i, hz * 4, rate_hz);
        printf("%5.0f Hz: %.2f and %.2f dB, then %.1f dB an octave\n", hz, below, above, octaves);
        assert_true(fabs(below + 6.02) < 0.3 && fabs(above + 6.02) < 0.3);
        assert_true(octaves > 22.0 && octaves < 32.0);
    }
    assert_true(fabs(band_db(0, 20, rate_hz)) < 0.1 && fabs(band_db(3, 20000, rate_hz)) < 0.1);
    assert_true(band_db(3, 1000, rate_hz) < -50 && band_db(0, 2000, rate_hz) < -90);
}

/// All-pass while the splits sweep: a tone keeps its level.
static void test_the_sum_stays_level_in_motion(void **state)
{
    (void)state;
    const double rate_hz = 48000;
    crossover_init(&crossover, rate_hz);
    for (uint32_t i = 0; i < FRAMES; i++)
        in[i] = (stereo){sin(0.09 * i), 0.0};
    for (uint32_t at = 0; at < FRAMES; at += 512) {
        crossover_set(&crossover, splits_hz[at / 4096 % 5]); // octaves in 20 ms
        run(at, 512);
    }
    add_up(0);
    const uint32_t begin = 4000; // the tone itself begins with a click
    double click =
        probe_click(sum + begin, FRAMES - begin, 0.09 * rate_hz / 6.283185307179586, rate_hz);
    printf("splits in motion: worst click %.1f dB\n", 20.0 * log10(click));
    assert_true(click < 0.01);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_true(fabsf(sum[i]) < 1.6f);
}

static void play(bool is_cut)
{
    crossover_init(&crossover, 48000);
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t until = (at / 1500 + 1) * 1500, left;
        if (at % 1500 == 0)
            crossover_set(&crossover, splits_hz[at / 1500 % 5]);
        left = (until < FRAMES ? until : FRAMES) - at;
        uint32_t frames = is_cut ? probe_period() : left;
        frames = frames < left ? frames : left;
        run(at, frames);
        at += frames;
    }
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    static stereo first[CROSSOVER_BANDS][FRAMES];
    probe_seed(11);
    for (uint32_t i = 0; i < FRAMES; i++)
        in[i] = (stereo){(double)probe_noise(), (double)probe_noise()};
    play(false);
    memcpy(first, bands, sizeof bands);
    play(true);
    assert_memory_equal(first, bands, sizeof bands);
}

static void test_it_recovers_from_nonsense(void **state)
{
    (void)state;
    crossover_init(&crossover, 48000);
    memset(in, 0, sizeof in);
    in[100][0] = NAN;
    in[200][1] = INFINITY;
    run(0, 1000);
    for (uint32_t i = 300; i < 1000; i++)
        for (int b = 0; b < CROSSOVER_BANDS; b++)
            assert_true(bands[b][i][0] == 0.0 && bands[b][i][1] == 0.0);
    static const double odd_hz[] = {NAN, -5.0, 1e9};
    crossover_set(&crossover, odd_hz);
    for (uint32_t i = 0; i < 5000; i++)
        in[i] = (stereo){1.0, 1.0};
    run(0, 5000);
    for (int b = 0; b < CROSSOVER_BANDS; b++)
        assert_true(isfinite(bands[b][4999][0]));
}

/// Left and right in one register, beside each by itself.
static void test_sides_do_not_mix(void **state)
{
    (void)state;
    static stereo both[CROSSOVER_BANDS][2000];
    probe_seed(12);
    for (uint32_t i = 0; i < 2000; i++)
        in[i] = (stereo){(double)probe_noise(), (double)probe_noise()};
    crossover_init(&crossover, 48000);
    run(0, 2000);
    for (int b = 0; b < CROSSOVER_BANDS; b++)
        memcpy(both[b], bands[b], sizeof both[b]);
    for (uint32_t i = 0; i < 2000; i++)
        in[i] = (stereo){0.0, in[i][0]};
    crossover_init(&crossover, 48000);
    run(0, 2000);
    for (int b = 0; b < CROSSOVER_BANDS; b++)
        for (uint32_t i = 0; i < 2000; i++) {
            assert_true(bands[b][i][0] == 0.0);
            assert_true(bands[b][i][1] == both[b][i][0]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sum_is_flat),
        cmocka_unit_test(test_bands_fall_24_db_an_octave),
        cmocka_unit_test(test_the_sum_stays_level_in_motion),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_it_recovers_from_nonsense),
        cmocka_unit_test(test_sides_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
