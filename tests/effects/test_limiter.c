// The limiter: never above its ceiling, nothing changed below it, as late as it says.

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

enum { FRAMES = 48000, RATE_HZ = 48000 };

static float in[2][FRAMES], out[2][FRAMES];
static struct limiter limiter;

static float noise(void) { return 2.0f * (float)rand() / (float)RAND_MAX - 1.0f; }

static void run(uint32_t period)
{
    memcpy(out, in, sizeof out);
    for (uint32_t at = 0; at < FRAMES; at += period) {
        uint32_t frames = FRAMES - at < period ? FRAMES - at : period;
        limiter_run(&limiter, out[0] + at, out[1] + at, frames);
    }
}

static void start(float ceiling_db, float release_ms)
{
    limiter_init(&limiter, RATE_HZ);
    limiter_set(&limiter, true, ceiling_db, release_ms);
}

static float loudest(const float *samples)
{
    float peak = 0.0f;
    for (int i = 0; i < FRAMES; i++)
        peak = fmaxf(peak, fabsf(samples[i]));
    return peak;
}

// ---- inputs ----

static void fill_noise(float gain)
{
    for (int i = 0; i < FRAMES; i++) {
        in[0][i] = gain * noise();
        in[1][i] = gain * noise();
    }
}

static void fill_impulses(float gain)
{
    memset(in, 0, sizeof in);
    for (int i = 0; i < FRAMES; i += 1 + rand() % 700)
        in[rand() % 2][i] = rand() % 2 ? gain : -gain;
}

static void fill_constant(float gain)
{
    for (int i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = i < FRAMES / 4 ? 0.0f : gain;
}

static void fill_sine(float gain)
{
    for (int i = 0; i < FRAMES; i++) {
        in[0][i] = gain * sinf(0.11f * (float)i);
        in[1][i] = gain * sinf(0.0013f * (float)i * (float)i / 1000.0f);
    }
}

static void fill_bursts(float gain)
{
    for (int i = 0; i < FRAMES; i++) {
        float level = i / 937 % 3 ? 0.01f : gain;
        in[0][i] = level * noise();
        in[1][i] = -level * noise();
    }
}

static void (*const fills[])(float) = {fill_noise, fill_impulses, fill_constant, fill_sine,
                                       fill_bursts};

enum { FILLS = sizeof fills / sizeof *fills };

// ---- properties ----

static void test_nothing_passes_the_ceiling(void **state)
{
    (void)state;
    static const float gains[] = {0.5f, 1.0f, 4.0f, 100.0f, 1e6f};
    static const float ceilings_db[] = {0.0f, -0.5f, -24.0f};
    srand(1);
    for (int fill = 0; fill < FILLS; fill++)
        for (size_t g = 0; g < sizeof gains / sizeof *gains; g++)
            for (int c = 0; c < 3; c++) {
                fills[fill](gains[g]);
                start(ceilings_db[c], c == 1 ? 10.0f : 300.0f);
                run(64);
                assert_true(loudest(out[0]) <= limiter.ceiling);
                assert_true(loudest(out[1]) <= limiter.ceiling);
            }
}

/// The ceiling is kept by a smooth gain, not by clipping: at every frame both channels are scaled
/// alike, and by no more than 1.
static void test_it_limits_by_a_gain_not_by_clipping(void **state)
{
    (void)state;
    srand(2);
    for (int fill = 0; fill < FILLS; fill++) {
        fills[fill](5.0f);
        start(-1.0f, 50.0f);
        run(128);
        uint32_t late = limiter_delay_frames(&limiter);
        for (uint32_t i = late; i < FRAMES; i++) {
            float left = in[0][i - late], right = in[1][i - late];
            if (fabsf(left) < 1e-3f || fabsf(right) < 1e-3f)
                continue;
            float gain = out[0][i] / left;
            assert_true(fabsf(gain - out[1][i] / right) < 2e-6f);
            assert_true(gain > 0.0f && gain <= 1.0f);
        }
    }
}

static void test_the_gain_moves_gently(void **state)
{
    (void)state;
    srand(3);
    float worst = 0.0f, before = 1.0f;
    for (int i = 0; i < FRAMES; i++) // a steady carrier shows the gain, bursts move it
        in[0][i] = 0.1f, in[1][i] = i / 3000 % 2 ? 8.0f : 0.01f;
    start(0.0f, 100.0f);
    run(64);
    for (int i = (int)limiter_delay_frames(&limiter); i < FRAMES; i++) {
        float gain = out[0][i] / 0.1f;
        worst = fmaxf(worst, fabsf(gain - before));
        before = gain;
    }
    printf("largest step of the gain: %.4f\n", worst);
    assert_true(worst <= 1.01f / (float)limiter.ahead_frames);
}

static void test_below_the_ceiling_it_only_delays(void **state)
{
    (void)state;
    srand(4);
    for (int fill = 0; fill < FILLS; fill++) {
        fills[fill](0.45f); // between samples noise may rise to twice that
        start(-0.5f, 120.0f);
        run(100);
        uint32_t late = limiter_delay_frames(&limiter);
        assert_memory_equal(out[0] + late, in[0], (FRAMES - late) * sizeof(float));
        assert_memory_equal(out[1] + late, in[1], (FRAMES - late) * sizeof(float));
        assert_true(limiter_reduction_db(&limiter) == 0.0f);
    }
}

static void test_off_it_only_delays(void **state)
{
    (void)state;
    srand(5);
    fill_noise(20.0f);
    limiter_init(&limiter, RATE_HZ);
    run(64);
    uint32_t late = limiter_delay_frames(&limiter);
    assert_memory_equal(out[0] + late, in[0], (FRAMES - late) * sizeof(float));
}

static void test_the_delay_is_as_stated(void **state)
{
    (void)state;
    static const double rates_hz[] = {8000, 44100, 48000, 96000, 192000};
    for (int r = 0; r < 5; r++) {
        limiter_init(&limiter, rates_hz[r]);
        limiter_set(&limiter, true, 0.0f, 100.0f);
        assert_in_range(limiter.ahead_frames, 2, LIMITER_AHEAD_MAX);
        memset(in, 0, sizeof in);
        in[0][1000] = 0.5f;
        run(77);
        for (uint32_t i = 0; i < FRAMES; i++)
            assert_true((out[0][i] != 0.0f) == (i == 1000 + limiter_delay_frames(&limiter)));
    }
}

static void test_it_is_transparent_again_after_release(void **state)
{
    (void)state;
    srand(6);
    start(0.0f, 2000.0f); // the longest release is the likeliest to get stuck
    for (int second = 0; second < 28; second++) {
        fill_noise(0.45f);
        if (second == 0)
            in[0][50] = 30.0f;
        run(64);
    }
    uint32_t late = limiter_delay_frames(&limiter);
    assert_memory_equal(out[0] + FRAMES / 2, in[0] + FRAMES / 2 - late, FRAMES / 2 * sizeof(float));
}

/// After a burst the missing gain shrinks to 1/e in the release time.
static void test_the_release_time(void **state)
{
    (void)state;
    static const float times_ms[] = {10.0f, 50.0f, 120.0f};
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < FRAMES; i++)
            in[0][i] = 0.01f, in[1][i] = i < 4800 ? 4.0f : 0.01f;
        start(0.0f, times_ms[t]);
        run(64);
        float missing = 0.0f;
        int at = 4800 + 3 * (int)limiter.ahead_frames, until = at;
        missing = 1.0f - out[0][at] / 0.01f;
        while (until < FRAMES && 1.0f - out[0][until] / 0.01f > missing * 0.36788f)
            until++;
        double measured_ms = 1000.0 * (until - at) / RATE_HZ;
        printf("release %.0f ms: measured %.2f ms\n", times_ms[t], measured_ms);
        assert_true(fabs(measured_ms - times_ms[t]) < 0.02 * times_ms[t] + 0.1);
    }
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1, 16, 100, 1024, 8192};
    static float first[2][FRAMES];
    srand(7);
    fill_bursts(3.0f);
    start(-3.0f, 80.0f);
    run(FRAMES);
    memcpy(first, out, sizeof first);
    for (int i = 0; i < 5; i++) {
        start(-3.0f, 80.0f);
        run(periods[i]);
        assert_memory_equal(out, first, sizeof first);
    }
}

static void test_settings_may_change_at_any_time(void **state)
{
    (void)state;
    srand(8);
    fill_bursts(9.0f);
    start(0.0f, 50.0f);
    memcpy(out, in, sizeof out);
    for (uint32_t at = 0; at < FRAMES; at += 100) {
        limiter_set(&limiter, true, -24.0f * (float)rand() / (float)RAND_MAX,
                    10.0f + (float)(rand() % 500));
        limiter_run(&limiter, out[0] + at, out[1] + at, 100);
        for (int i = 0; i < 100; i++)
            assert_true(fabsf(out[0][at + (uint32_t)i]) <= limiter.ceiling);
    }
}

static void test_what_is_no_number_is_silence(void **state)
{
    (void)state;
    srand(9);
    fill_noise(0.5f);
    in[0][100] = NAN;
    in[1][200] = INFINITY;
    in[0][300] = -INFINITY;
    in[1][400] = 3e38f;
    start(0.0f, 50.0f);
    run(64);
    uint32_t late = limiter_delay_frames(&limiter);
    for (int i = 0; i < FRAMES; i++)
        assert_true(isfinite(out[0][i]) && isfinite(out[1][i]));
    assert_memory_equal(out[0] + late + 500, in[0] + 500, 1000 * sizeof(float));
    assert_true(out[0][100 + late] == 0.0f && out[1][400 + late] == 0.0f);
}

static void test_the_reduction_is_told(void **state)
{
    (void)state;
    fill_constant(4.0f);
    start(0.0f, 50.0f);
    run(64);
    assert_true(fabsf(limiter_reduction_db(&limiter) - 12.04f) < 0.02f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_passes_the_ceiling),
        cmocka_unit_test(test_it_limits_by_a_gain_not_by_clipping),
        cmocka_unit_test(test_the_gain_moves_gently),
        cmocka_unit_test(test_below_the_ceiling_it_only_delays),
        cmocka_unit_test(test_off_it_only_delays),
        cmocka_unit_test(test_the_delay_is_as_stated),
        cmocka_unit_test(test_it_is_transparent_again_after_release),
        cmocka_unit_test(test_the_release_time),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_settings_may_change_at_any_time),
        cmocka_unit_test(test_what_is_no_number_is_silence),
        cmocka_unit_test(test_the_reduction_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
