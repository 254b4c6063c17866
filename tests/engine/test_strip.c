// Strips: gains that arrive exactly, move without a step, and do not depend on the period.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/engine/strip.h"

enum { FRAMES = 4800, RATE_HZ = 48000, RAMP_FRAMES = 240 };

static float in[2][FRAMES], out[2][FRAMES];

static void fill(float value)
{
    for (int i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = value;
    memset(out, 0, sizeof out);
}

static void run(struct strip *strip, uint32_t period)
{
    for (uint32_t at = 0; at < FRAMES; at += period) {
        uint32_t frames = FRAMES - at < period ? FRAMES - at : period;
        strip_add(strip, (float *[2]){in[0] + at, in[1] + at},
                  (float *[2]){out[0] + at, out[1] + at}, frames);
    }
}

static void test_fresh_is_transparent(void **state)
{
    (void)state;
    struct strip strip;
    strip_init(&strip, RATE_HZ);
    fill(0.7f);
    run(&strip, 64);
    assert_memory_equal(out, in, sizeof in);
    strip_set(&strip, 0.0f, 0.0f, false); // nothing new: no ramp
    assert_int_equal(strip.left_frames, 0);
}

static void test_gains_arrive_in_5_ms_without_a_step(void **state)
{
    (void)state;
    static const struct {
        float gain_db, balance;
        bool is_muted;
        float left, right;
    } cases[] = {{-6.0206f, 0, false, 0.5f, 0.5f},
                 {0, -1, false, 1, 0},
                 {0, 1, false, 0, 1},
                 {0, 0.25f, false, 0.75f, 1},
                 {-60, 0, false, 0, 0},
                 {6, 0, true, 0, 0},
                 {12, -0.5f, false, 3.98107f, 1.990535f}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct strip strip;
        strip_init(&strip, RATE_HZ);
        strip_set(&strip, cases[c].gain_db, cases[c].balance, cases[c].is_muted);
        fill(1.0f);
        run(&strip, 100);
        assert_true(fabsf(out[0][RAMP_FRAMES - 1] - cases[c].left) < 1e-4f);
        assert_true(fabsf(out[1][RAMP_FRAMES - 1] - cases[c].right) < 1e-4f);
        assert_true(out[0][RAMP_FRAMES - 1] == out[0][FRAMES - 1]);
        for (int side = 0; side < 2; side++) {
            float whole = fabsf(out[side][FRAMES - 1] - 1.0f), before = 1.0f;
            for (int i = 0; i < FRAMES; i++) {
                assert_true(fabsf(out[side][i] - before) <= whole / RAMP_FRAMES + 1e-5f);
                before = out[side][i];
            }
        }
    }
}

static void test_a_change_within_a_ramp_goes_on_from_there(void **state)
{
    (void)state;
    struct strip strip;
    strip_init(&strip, RATE_HZ);
    fill(1.0f);
    srand(1);
    float before = 1.0f;
    for (int at = 0; at < FRAMES; at += 16) {
        if (rand() % 4 == 0)
            strip_set(&strip, -70.0f + (float)(rand() % 80), (float)(rand() % 3 - 1), rand() % 2);
        strip_add(&strip, (float *[2]){in[0] + at, in[1] + at},
                  (float *[2]){out[0] + at, out[1] + at}, 16);
        for (int i = at; i < at + 16; i++) {
            assert_true(fabsf(out[0][i] - before) <= 3.98108f / RAMP_FRAMES + 1e-5f);
            before = out[0][i];
        }
    }
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1, 16, 100, 1024};
    static float first[2][FRAMES];
    for (int i = 0; i < 4; i++) {
        struct strip strip;
        strip_init(&strip, RATE_HZ);
        strip_set(&strip, -13.0f, 0.3f, false);
        fill(0.3f);
        run(&strip, periods[i]);
        if (i == 0)
            memcpy(first, out, sizeof first);
        assert_memory_equal(out, first, sizeof first);
    }
}

static void test_scaling_and_skipping_are_the_same_ramp(void **state)
{
    (void)state;
    struct strip adds, scales, skips;
    strip_init(&adds, RATE_HZ);
    strip_set(&adds, -20.0f, -0.4f, false);
    scales = skips = adds;
    fill(0.5f);
    run(&adds, 64);
    strip_scale(&scales, (float *[2]){in[0], in[1]}, FRAMES);
    assert_memory_equal(out, in, sizeof in);
    strip_skip(&skips, 100);
    assert_true(skips.gain[0] * 0.5f == out[0][99]);
    strip_skip(&skips, FRAMES);
    assert_true(skips.gain[0] == adds.gain[0] && skips.gain[1] == adds.gain[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh_is_transparent),
        cmocka_unit_test(test_gains_arrive_in_5_ms_without_a_step),
        cmocka_unit_test(test_a_change_within_a_ramp_goes_on_from_there),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_scaling_and_skipping_are_the_same_ramp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
