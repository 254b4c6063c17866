// The switch: untouched when off, all there when on, and no click between.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/bypass.h"
#include "tests/effects/probe.h"

enum { FRAMES = 8000, RATE_HZ = 48000, FADE = 960, WARM = 480 };

static float dry[2][FRAMES], wet[2][FRAMES], other[2][FRAMES];
static struct bypass bypass;

static void start(void)
{
    bypass_init(&bypass, RATE_HZ, 0.010);
    for (uint32_t i = 0; i < FRAMES; i++) {
        dry[0][i] = dry[1][i] = 1.0f;
        wet[0][i] = wet[1][i] = -1.0f;
    }
}

static void blend(float to[2][FRAMES], uint32_t from, uint32_t frames)
{
    bypass_blend(&bypass, (const float *const[2]){dry[0] + from, dry[1] + from},
                 (float *const[2]){to[0] + from, to[1] + from}, frames);
}

static void test_it_warms_up_then_fades(void **state)
{
    (void)state;
    start();
    assert_true(bypass_is_idle(&bypass));
    bypass_set(&bypass, true);
    assert_false(bypass_is_idle(&bypass));
    blend(wet, 0, FRAMES);
    for (uint32_t i = 0; i < WARM; i++)
        assert_true(wet[0][i] == 1.0f);
    for (uint32_t i = 1; i < FRAMES; i++)
        assert_true(fabsf(wet[0][i] - wet[0][i - 1]) <= 2.001f / FADE);
    for (uint32_t i = WARM + FADE; i < FRAMES; i++)
        assert_true(wet[1][i] == -1.0f);
}

static void test_what_is_off_may_be_anything(void **state)
{
    (void)state;
    start();
    wet[0][100] = NAN;
    blend(wet, 0, FRAMES);
    assert_memory_equal(wet, dry, sizeof wet);
}

static void test_it_may_turn_round_half_way(void **state)
{
    (void)state;
    start();
    for (uint32_t at = 0; at < FRAMES; at += 400) {
        bypass_set(&bypass, at / 400 % 3 != 1);
        blend(wet, at, 400);
    }
    for (uint32_t i = 1; i < FRAMES; i++)
        assert_true(fabsf(wet[0][i] - wet[0][i - 1]) <= 2.001f / FADE);
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    start();
    memcpy(other, wet, sizeof wet);
    bypass_set(&bypass, true);
    blend(wet, 0, FRAMES);
    bypass_init(&bypass, RATE_HZ, 0.010);
    bypass_set(&bypass, true);
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t frames = probe_period();
        frames = frames < FRAMES - at ? frames : FRAMES - at;
        blend(other, at, frames);
        at += frames;
    }
    assert_memory_equal(other, wet, sizeof wet);
}

static void test_against_silence(void **state)
{
    (void)state;
    start();
    bypass_blend(&bypass, NULL, (float *const[2]){wet[0], wet[1]}, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_true(wet[0][i] == 0.0f && wet[1][i] == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_warms_up_then_fades),
        cmocka_unit_test(test_what_is_off_may_be_anything),
        cmocka_unit_test(test_it_may_turn_round_half_way),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_against_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
