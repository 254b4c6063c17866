// Meters: known levels.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/base/meter.h"

enum { RATE_HZ = 48000, PERIOD = 64 };

static float sound[RATE_HZ];

static void fill_sine(float level)
{
    for (int i = 0; i < RATE_HZ; i++)
        sound[i] = level * (float)sin(2 * M_PI * 997.0 * i / RATE_HZ);
}

static void run(struct meter *meter, const float *samples, uint32_t frames, uint32_t period)
{
    for (uint32_t at = 0; at < frames; at += period)
        meter_run(meter, samples ? samples + at : NULL,
                  frames - at < period ? frames - at : period);
}

static void expect_near(double got, double wanted, double tolerance)
{
    if (fabs(got - wanted) > tolerance)
        fail_msg("got %g, wanted %g", got, wanted);
}

static void test_silence_is_120_down(void **state)
{
    (void)state;
    struct meter meter;
    meter_init(&meter, RATE_HZ);
    run(&meter, NULL, 1000, PERIOD);
    assert_true(meter_peak_db(&meter) == -120.0f && meter_rms_db(&meter) == -120.0f);
    assert_true(meter_to_db(0.0f) == -120.0f && meter_to_db(1.0f) == 0.0f);
    expect_near(meter_to_db(0.1f), -20.0, 1e-4);
}

static void test_a_sine(void **state)
{
    (void)state;
    static const float levels[] = {1.0f, 0.5f, 0.01f, 1e-4f};
    for (int i = 0; i < 4; i++) {
        struct meter meter;
        meter_init(&meter, RATE_HZ);
        fill_sine(levels[i]);
        for (int second = 0; second < 3; second++)
            run(&meter, sound, RATE_HZ, PERIOD);
        double level_db = 20 * log10((double)levels[i]);
        expect_near(meter_peak_db(&meter), level_db, 0.05);
        expect_near(meter_rms_db(&meter), level_db - 3.0103, 0.05);
        assert_true(meter.clips == 0);
    }
}

static void test_the_peak_falls_20_db_a_second(void **state)
{
    (void)state;
    static const uint32_t periods[] = {16, 64, 1000};
    for (int i = 0; i < 3; i++) {
        struct meter meter;
        meter_init(&meter, RATE_HZ);
        sound[0] = 1.0f;
        meter_run(&meter, sound, 1);
        run(&meter, NULL, RATE_HZ, periods[i]);
        expect_near(meter_peak_db(&meter), -20.0, 0.05);
        run(&meter, NULL, RATE_HZ / 2, periods[i]);
        expect_near(meter_peak_db(&meter), -30.0, 0.05);
    }
}

static void test_the_mean_takes_300_ms(void **state)
{
    (void)state;
    struct meter meter;
    meter_init(&meter, RATE_HZ);
    for (int i = 0; i < RATE_HZ; i++)
        sound[i] = 1.0f;
    run(&meter, sound, RATE_HZ * 3 / 10, PERIOD);
    expect_near(meter.mean_square, 1.0 - exp(-1.0), 1e-3);
}

static void test_clips_are_counted(void **state)
{
    (void)state;
    struct meter meter;
    meter_init(&meter, RATE_HZ);
    memset(sound, 0, sizeof sound);
    sound[3] = 1.0f; // full scale is no clip
    sound[5] = 1.0001f;
    sound[900] = -7.0f;
    run(&meter, sound, 1000, PERIOD);
    assert_true(meter.clips == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_is_120_down),
        cmocka_unit_test(test_a_sine),
        cmocka_unit_test(test_the_peak_falls_20_db_a_second),
        cmocka_unit_test(test_the_mean_takes_300_ms),
        cmocka_unit_test(test_clips_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
