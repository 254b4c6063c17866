// The limiter between samples: the true peak of what leaves, by an eight-fold oversampler that has
// nothing to do with the limiter's own, stays within 0.1 dB of the ceiling.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/limiter.h"
#include "dsp/effects/true_peak.h"
#include "tests/effects/probe.h"

enum { FRAMES = 24000, RATE_HZ = 48000, TIMES = 8, HALF = 40, TAPS = 2 * HALF };

static const double pi = 3.14159265358979323846;
static double kernel[TIMES][TAPS];
static float in[2][FRAMES], out[2][FRAMES];
static struct limiter limiter;

static double noise(void) { return 2.0 * rand() / RAND_MAX - 1.0; }

// ---- the oversampler: sinc under a Kaiser window, 80 taps a phase ----

static double bessel_i0(double x)
{
    double sum = 1.0, term = 1.0;
    for (int k = 1; k < 60; k++) {
        term *= x / (2.0 * k) * x / (2.0 * k);
        sum += term;
    }
    return sum;
}

static void make_kernel(void)
{
    const double beta = 9.0;
    for (int phase = 0; phase < TIMES; phase++)
        for (int tap = 0; tap < TAPS; tap++) {
            double t = tap - HALF + 1 - (double)phase / TIMES, edge = t / HALF;
            double window = bessel_i0(beta * sqrt(fmax(0.0, 1.0 - edge * edge))) / bessel_i0(beta);
            kernel[phase][tap] = t == 0.0 ? 1.0 : window * sin(pi * t) / (pi * t);
        }
}

static double true_peak(const float *samples)
{
    double most = 0.0;
    for (int i = 0; i + TAPS <= FRAMES; i++)
        for (int phase = 0; phase < TIMES; phase++) {
            double sum = 0.0;
            for (int tap = 0; tap < TAPS; tap++)
                sum += kernel[phase][tap] * (double)samples[i + tap];
            most = fmax(most, fabs(sum));
        }
    return most;
}

// ---- what is played ----

/// A sine that swells and falls, so that the gain moves while it sounds.
static void fill_sine(double hz)
{
    double phase = 2.0 * pi * rand() / RAND_MAX;
    for (int i = 0; i < FRAMES; i++) {
        double level = 4.0 * (0.3 + 0.7 * sin(2.0 * pi * 9.0 * i / RATE_HZ));
        in[0][i] = (float)(level * sin(2.0 * pi * hz * i / RATE_HZ + phase));
        in[1][i] = 0.5f * in[0][i];
    }
}

/// Noise below `hz`, by a windowed sinc.
static void fill_noise(double hz, double gain)
{
    enum { REACH = 64 };
    static double raw[FRAMES + 2 * REACH];
    double h[2 * REACH + 1];
    for (int k = -REACH; k <= REACH; k++) {
        double share = 2.0 * hz / RATE_HZ, window = 0.5 + 0.5 * cos(pi * k / (REACH + 1));
        h[k + REACH] = window * (k ? sin(pi * share * k) / (pi * k) : share);
    }
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < FRAMES + 2 * REACH; i++)
            raw[i] = gain * noise();
        for (int i = 0; i < FRAMES; i++) {
            double sum = 0.0;
            for (int k = 0; k <= 2 * REACH; k++)
                sum += h[k] * raw[i + k];
            in[side][i] = (float)sum;
        }
    }
}

static void add_bursts(void)
{
    for (int i = 0; i < FRAMES; i++)
        if (i / 700 % 3)
            in[0][i] *= 0.1f, in[1][i] *= 0.1f;
}

/// A quarter of the rate at 45 degrees: samples of 0.707, a true peak of 1, the textbook's trap.
static void fill_trap(void)
{
    for (int i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = (float)(1.0 * sin(pi / 2.0 * i + pi / 4.0));
}

static void fill_square(void)
{
    for (int i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = i / 37 % 2 ? 1.5f : -1.5f;
}

// ---- properties ----

static double over_db(float ceiling_db, float release_ms)
{
    limiter_init(&limiter, RATE_HZ);
    limiter_set(&limiter, true, ceiling_db, release_ms);
    memcpy(out, in, sizeof out);
    for (uint32_t at = 0; at < FRAMES; at += 64)
        limiter_run(&limiter, out[0] + at, out[1] + at, FRAMES - at < 64 ? FRAMES - at : 64);
    double peak = fmax(true_peak(out[0]), true_peak(out[1]));
    return 20.0 * log10(peak) - (double)ceiling_db;
}

static double expect_within(const char *name, double bound_db)
{
    double over = over_db(-1.0f, 50.0f);
    printf("%-28s true peak %+.3f dB from the ceiling\n", name, over);
    assert_true(over <= bound_db);
    return over;
}

static void test_sines(void **state)
{
    (void)state;
    static const double frequencies_hz[] = {50, 997, 5000, 10000, 12001, 15000, 18000, 20000};
    for (size_t i = 0; i < sizeof frequencies_hz / sizeof *frequencies_hz; i++) {
        char name[32];
        snprintf(name, sizeof name, "sine %.0f Hz", frequencies_hz[i]);
        fill_sine(frequencies_hz[i]);
        expect_within(name, 0.1);
    }
}

static void test_noise(void **state)
{
    (void)state;
    static const double edges_hz[] = {500, 4000, 12000, 18000, 20000, 24000};
    for (size_t i = 0; i < sizeof edges_hz / sizeof *edges_hz; i++) {
        double bound_db = edges_hz[i] <= 20000 ? 0.1 : 1.5;
        char name[32];
        fill_noise(edges_hz[i], 4.0 * sqrt(24000.0 / edges_hz[i]));
        snprintf(name, sizeof name, "noise to %.0f Hz", edges_hz[i]);
        expect_within(name, bound_db);
        add_bursts();
        snprintf(name, sizeof name, "bursts to %.0f Hz", edges_hz[i]);
        expect_within(name, bound_db);
    }
}

static void test_traps(void **state)
{
    (void)state;
    fill_trap();
    assert_true(expect_within("a quarter of the rate", 0.1) > -0.02); // nor needlessly low
    fill_square();
    expect_within("a square wave", 0.1);
}

/// The samples alone are below the ceiling here: a limiter of sample peaks would do nothing.
static void test_the_trap_is_one(void **state)
{
    (void)state;
    fill_trap();
    memcpy(out, in, sizeof out);
    assert_true(20.0 * log10(true_peak(out[0])) > -0.01);
    for (int i = 0; i < FRAMES; i++)
        assert_true(fabsf(in[0][i]) < 0.7072f);
}

/// The estimate by itself, on steady sines: how far from the truth.
static void test_the_estimate(void **state)
{
    (void)state;
    double worst_db = 0.0;
    double hz = NAN;
    while (probe_scale(&hz, 100.0, 20000.0, 1.19)) {
        struct true_peak peak;
        float peaks[TRUE_PEAK_TILE], most = 1e-9f;
        true_peak_init(&peak);
        for (uint32_t i = 0; i < FRAMES; i++)
            in[0][i] = in[1][i] = (float)sin(2.0 * pi * hz * i / RATE_HZ + 1.0);
        for (uint32_t at = 0; at + TRUE_PEAK_TILE <= FRAMES; at += TRUE_PEAK_TILE) {
            assert_true(true_peak_run(&peak, in[0] + at, in[1] + at, TRUE_PEAK_TILE, 0.0f, peaks));
            for (int i = 0; i < TRUE_PEAK_TILE && at > 100; i++)
                most = fmaxf(most, peaks[i]);
        }
        double off_db = 20.0 * log10((double)most);
        worst_db = fmax(worst_db, fabs(off_db));
        assert_true(fabs(off_db) < 0.02);
    }
    printf("the estimate is off by %.3f dB at most\n", worst_db);
}

// ---- the wide kernels beside plain C ----

static double point(const struct true_peak *peak, const float *newest, int quarter)
{
    double sum = 0.0;
    newest += quarter < 0 ? -1 : quarter / 4;
    unsigned way = (unsigned)quarter & 3;
    if (way == 0)
        return (double)newest[-TRUE_PEAK_DELAY_FRAMES];
    for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
        sum += (double)peak->taps[way - 1][tap] * (double)newest[-tap];
    return sum;
}

static double plain_peak(const struct true_peak *peak, const float *newest)
{
    double most = 0.0;
    for (int quarter = 0; quarter < 4; quarter++) {
        double here = point(peak, newest, quarter), sign = here < 0.0 ? -1.0 : 1.0;
        double a = sign * point(peak, newest, quarter - 1), b = sign * here;
        double c = sign * point(peak, newest, quarter + 1), bend = 8.0 * (2.0 * b - a - c);
        double lift = b >= a && b >= c && bend > 1e-30 ? (a - c) * (a - c) / bend : 0.0;
        most = fmax(most, b + fmin(lift, 0.25 * b));
    }
    return most;
}

/// Tiles of any length, and a floor that lets tiles be skipped: no peak above it is missed, and
/// each is what plain C makes of it.
static void test_the_estimate_agrees_with_plain_c(void **state)
{
    (void)state;
    static const float floors[] = {0.0f, 0.5f, 1.5f, 3.0f};
    double worst = 0.0;
    for (int f = 0; f < 4; f++) {
        struct true_peak peak;
        true_peak_init(&peak);
        for (int i = 0; i < 8000; i++) {
            float level = i / 300 % 2 ? 1.0f : 0.05f;
            in[0][i] = level * (float)noise();
            in[1][i] = level * (float)noise();
        }
        for (uint32_t at = 0, frames; at + TRUE_PEAK_TILE <= 8000; at += frames) {
            float peaks[TRUE_PEAK_TILE];
            frames = 1 + (uint32_t)rand() % TRUE_PEAK_TILE;
            bool is_near = true_peak_run(&peak, in[0] + at, in[1] + at, frames, floors[f], peaks);
            for (uint32_t i = 0; i < frames && at > 40; i++) {
                double plain =
                    fmax(plain_peak(&peak, in[0] + at + i), plain_peak(&peak, in[1] + at + i));
                if (plain > (double)floors[f]) {
                    assert_true(is_near);
                    worst = fmax(worst, fabs((double)peaks[i] - plain));
                }
            }
        }
    }
    printf("the estimate is %.1e from plain C\n", worst);
    assert_true(worst < 2e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sines),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_the_trap_is_one),
        cmocka_unit_test(test_the_estimate),
        cmocka_unit_test(test_the_estimate_agrees_with_plain_c),
    };
    make_kernel();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
