// The compressor: its curve and its times by measurement, and nothing at all where it has no work.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/compressor.h"
#include "tests/effects/probe.h"

enum { FRAMES = 96000, RATE_HZ = 48000 };

static float in[2][FRAMES], out[2][FRAMES], other[2][FRAMES];
static struct compressor compressor;

// A tone in each band, and splits so far away that the other bands have no share of it.
static const double tones_hz[CROSSOVER_BANDS] = {150.0, 400.0, 800.0, 1200.0};
static const double splits_hz[CROSSOVER_BANDS][CROSSOVER_SPLITS] = {
    {5000, 10000, 20000}, {20, 8000, 16000}, {20, 25, 16000}, {20, 25, 30}};

static void start(const struct compressor_shape *shape)
{
    compressor_init(&compressor, RATE_HZ);
    for (uint32_t i = 0; i < CROSSOVER_BANDS; i++)
        compressor_set(&compressor, i, shape);
    compressor_switch(&compressor, true);
}

static void run(float to[2][FRAMES], uint32_t from, uint32_t frames)
{
    for (int side = 0; side < 2; side++)
        memcpy(to[side] + from, in[side] + from, frames * sizeof(float));
    compressor_run(&compressor, to[0] + from, to[1] + from, frames);
}

static float linear(double db) { return (float)pow(10.0, db / 20.0); }

// ---- the static curve ----

/// What a steady tone loses, by its level after two seconds against before.
static double loss_db(int band, double level_db, const struct compressor_shape *shape)
{
    const uint32_t tail = FRAMES / 4;
    const double hz = tones_hz[band];
    start(shape);
    compressor_set_splits(&compressor, splits_hz[band]);
    probe_fill_sine(in[0], FRAMES, hz, RATE_HZ, linear(level_db));
    memcpy(in[1], in[0], sizeof in[0]);
    run(out, 0, FRAMES);
    double after = probe_sine_level(out[0] + FRAMES - tail, tail, hz, RATE_HZ);
    return level_db + shape->makeup_db - 20.0 * log10(after);
}

static double hard_curve(double level_db, double threshold_db, double ratio)
{
    return level_db > threshold_db ? (level_db - threshold_db) * (1.0 - 1.0 / ratio) : 0.0;
}

static void test_the_static_curve(void **state)
{
    (void)state;
    const struct compressor_shape shape = {-24.0, 4.0, 0.0, 5.0, 50.0, 3.0};
    double worst = 0.0;
    for (int band = 0; band < CROSSOVER_BANDS; band++) {
        double level = NAN;
        while (probe_count(&level, -40.0, 0.0, 8.0))
            worst = fmax(worst, fabs(loss_db(band, level, &shape) - hard_curve(level, -24.0, 4.0)));
    }
    printf("the curve is kept within %.2f dB in all bands\n", worst);
    assert_true(worst < 0.25);
}

static void test_the_knee(void **state)
{
    (void)state;
    const struct compressor_shape shape = {-20.0, 3.0, 12.0, 5.0, 50.0, 0.0};
    double before = 0.0, worst = 0.0;
    double level = NAN;
    while (probe_count(&level, -40.0, 0.0, 0.25)) {
        double loss = compressor_curve_db(&shape, level);
        if (level <= -26.0 || level >= -14.0)
            worst = fmax(worst, fabs(loss - hard_curve(level, -20.0, 3.0)));
        assert_true(loss >= before && loss - before <= 0.25 * (1.0 - 1.0 / 3.0) + 1e-9);
        before = loss;
    }
    assert_true(worst < 1e-9);
    assert_true(fabs(compressor_curve_db(&shape, -20.0) - 12.0 / 8.0 * (2.0 / 3.0)) < 1e-9);
    level = NAN;
    while (probe_count(&level, -28.0, -12.0, 4.0))
        assert_true(fabs(loss_db(1, level, &shape) - compressor_curve_db(&shape, level)) < 0.25);
}

// ---- times ----

/// Milliseconds from a step of the level until the reduction has gone from `first` to `second` of
/// its way.
static double measure_ms(double from_db, double to_db, const struct compressor_shape *shape,
                         double first, double second)
{
    const uint32_t band = 0, step_at = FRAMES / 2;
    double start_db = hard_curve(from_db, shape->threshold_db, shape->ratio);
    double end_db = hard_curve(to_db, shape->threshold_db, shape->ratio);
    int begun = -1;
    for (uint32_t i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = linear(i < step_at ? from_db : to_db) *
                              (float)sin(2.0 * 3.14159265358979 * 1000.0 * i / RATE_HZ);
    start(shape);
    compressor_set_splits(&compressor, splits_hz[band]);
    for (uint32_t at = 0; at < FRAMES; at += 16) {
        run(out, at, 16);
        double way =
            ((double)compressor_reduction_db(&compressor, band) - start_db) / (end_db - start_db);
        if (at < step_at)
            continue;
        if (begun < 0 && way >= first)
            begun = (int)at;
        if (way >= second)
            return 1000.0 * ((int)at - (first > 0.0 ? begun : (int)step_at)) / RATE_HZ;
    }
    return (double)NAN;
}

static void test_the_attack(void **state)
{
    (void)state;
    static const double times_ms[] = {2.0, 10.0, 50.0, 200.0};
    for (int i = 0; i < 4; i++) {
        const struct compressor_shape shape = {-30.0, 4.0, 0.0, times_ms[i], 300.0, 0.0};
        double measured = measure_ms(-40.0, -6.0, &shape, 0.0, 1.0 - exp(-1.0));
        printf("attack %.0f ms: 63 %% after %.2f ms\n", times_ms[i], measured);
        assert_true(fabs(measured - times_ms[i]) < 0.05 * times_ms[i] + 0.7); // two ticks
    }
}

static void test_the_release(void **state)
{
    (void)state;
    static const double times_ms[] = {20.0, 100.0, 300.0};
    for (int i = 0; i < 3; i++) {
        const struct compressor_shape shape = {-30.0, 4.0, 0.0, 5.0, times_ms[i], 0.0};
        // From 10 % on, because the hold comes first; then to 1/e of what is left.
        double measured = measure_ms(-6.0, -40.0, &shape, 0.1, 1.0 - 0.9 * exp(-1.0));
        printf("release %.0f ms: measured %.2f ms\n", times_ms[i], measured);
        assert_true(fabs(measured - times_ms[i]) < 0.05 * times_ms[i] + 0.4);
        double waited = measure_ms(-6.0, -40.0, &shape, 0.0, 0.02);
        assert_true(waited > 12.0 && waited < 27.0 + 0.03 * times_ms[i]);
    }
}

// ---- both channels, and no work ----

static void test_both_channels_get_one_gain(void **state)
{
    (void)state;
    const struct compressor_shape shape = {-40.0, 8.0, 6.0, 1.0, 30.0, 0.0};
    probe_seed(21);
    probe_fill_noise(in[0], FRAMES, 0.9f);
    for (uint32_t i = 0; i < FRAMES; i++)
        in[1][i] = -0.125f * in[0][i];
    start(&shape);
    run(out, 0, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_true(fabsf(out[1][i] + 0.125f * out[0][i]) < 1e-6f);
}

static void test_without_work_no_bit_changes(void **state)
{
    (void)state;
    const struct compressor_shape idle = {-40.0, 1.0, 6.0, 1.0, 30.0, 0.0};
    probe_seed(22);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    start(&idle);
    run(out, 0, FRAMES);
    assert_memory_equal(out, in, sizeof in);
    const struct compressor_shape busy = {-40.0, 3.0, 6.0, 1.0, 30.0, 0.0};
    start(&busy);
    compressor_switch(&compressor, false);
    run(out, 0, FRAMES / 2);
    for (uint32_t i = 0; i < CROSSOVER_BANDS; i++)
        compressor_set(&compressor, i, &idle);
    run(out, FRAMES / 2, FRAMES / 2);
    assert_memory_equal(out[0] + FRAMES / 2, in[0] + FRAMES / 2, FRAMES / 2 * sizeof(float));
}

static void test_the_crossover_alone_is_flat(void **state)
{
    (void)state;
    const struct compressor_shape shape = {0.0, 2.0, 0.0, 1.0, 30.0, 0.0}; // never reached
    static float response[2][FRAMES];
    memset(in, 0, sizeof in);
    in[0][FRAMES / 2] = in[1][FRAMES / 2] = 0.5f;
    start(&shape);
    run(response, 0, FRAMES);
    double hz = NAN;
    while (probe_scale(&hz, 30.0, 20000.0, 1.3))
        assert_true(fabs(probe_gain_db(response[0], FRAMES, hz, RATE_HZ) + 6.0206) < 0.1);
}

// ---- changes ----

static void test_switching_does_not_click(void **state)
{
    (void)state;
    const struct compressor_shape shape = {-30.0, 4.0, 6.0, 10.0, 100.0, 6.0};
    double worst = 0.0;
    for (int tone = 0; tone < CROSSOVER_BANDS - 1; tone++) {
        probe_fill_sine(in[0], FRAMES, tones_hz[tone], RATE_HZ, 0.5f);
        memcpy(in[1], in[0], sizeof in[0]);
        start(&shape);
        for (uint32_t at = 0; at < FRAMES; at += 2400) {
            compressor_switch(&compressor, at / 2400 % 4 < 2);
            run(out, at, 2400);
        }
        worst = fmax(worst, probe_click(out[0], FRAMES, tones_hz[tone], RATE_HZ) / 0.5);
    }
    printf("switching: worst click %.1f dB of the tone\n", 20.0 * log10(worst));
    assert_true(worst < 0.01);
}

static void play(float to[2][FRAMES], bool is_cut)
{
    struct compressor_shape shape = {-30.0, 4.0, 6.0, 3.0, 60.0, 0.0};
    start(&shape);
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t left = 3000 - at % 3000, frames = is_cut ? probe_period() : left;
        if (at % 3000 == 0) {
            shape.ratio = at / 3000 % 4 ? 5.0 : 1.0;
            shape.makeup_db = (double)(at / 3000 % 5);
            shape.threshold_db = -20.0 - (double)(at / 3000 % 7);
            compressor_set(&compressor, at / 3000 % 4, &shape);
            compressor_switch(&compressor, at / 3000 % 6 != 0);
        }
        frames = frames < left ? frames : left;
        run(to, at, frames);
        at += frames;
    }
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    probe_seed(23);
    for (uint32_t i = 0; i < FRAMES; i++) {
        in[0][i] = (i / 4000 % 2 ? 0.9f : 0.05f) * probe_noise();
        in[1][i] = (i / 5000 % 2 ? 0.9f : 0.05f) * probe_noise();
    }
    play(out, false);
    for (int i = 0; i < 2; i++) {
        play(other, true);
        assert_memory_equal(other, out, sizeof out);
    }
}

static void test_nonsense_does_no_lasting_harm(void **state)
{
    (void)state;
    const struct compressor_shape odd = {NAN, INFINITY, -1.0, 0.0, NAN, 1e9};
    const struct compressor_shape shape = {-30.0, 4.0, 6.0, 3.0, 60.0, 0.0};
    probe_seed(24);
    probe_fill_noise(in[0], FRAMES, 0.5f);
    probe_fill_noise(in[1], FRAMES, 0.5f);
    in[0][5000] = NAN;
    in[1][6000] = INFINITY;
    in[0][7000] = 3e38f;
    start(&shape);
    compressor_set(&compressor, 99, &odd);
    run(out, 0, FRAMES / 2);
    for (uint32_t i = FRAMES / 4; i < FRAMES / 2; i++)
        assert_true(isfinite(out[0][i]) && isfinite(out[1][i]));
    compressor_set(&compressor, 0, &odd);
    run(out, FRAMES / 2, FRAMES / 2);
    for (uint32_t i = FRAMES / 2; i < FRAMES; i++)
        assert_true(isfinite(out[0][i]) && fabsf(out[0][i]) < 20.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_static_curve),
        cmocka_unit_test(test_the_knee),
        cmocka_unit_test(test_the_attack),
        cmocka_unit_test(test_the_release),
        cmocka_unit_test(test_both_channels_get_one_gain),
        cmocka_unit_test(test_without_work_no_bit_changes),
        cmocka_unit_test(test_the_crossover_alone_is_flat),
        cmocka_unit_test(test_switching_does_not_click),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_nonsense_does_no_lasting_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
