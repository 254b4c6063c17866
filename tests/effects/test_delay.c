// The delay: echoes on their frame, as loud and as dull as asked for, and no clicks.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/delay.h"
#include "tests/effects/probe.h"

enum { FRAMES = 96000, RATE_HZ = 48000 };

static float in[2][FRAMES], out[2][FRAMES], other[2][FRAMES];
static struct delay delay;

static void start(double rate_hz, const struct delay_shape *shape)
{
    assert_int_equal(delay_init(&delay, rate_hz), 0);
    delay_set(&delay, shape);
    delay_switch(&delay, true);
}

static void run(float to[2][FRAMES], uint32_t from, uint32_t frames)
{
    delay_run(&delay, (const float *const[2]){in[0] + from, in[1] + from},
              (float *const[2]){to[0] + from, to[1] + from}, frames);
}

static void strike(float left, float right)
{
    memset(in, 0, sizeof in);
    in[0][5000] = left;
    in[1][5000] = right;
}

/// Sum over one repeat, whose single samples the high cut spreads.
static double repeat(int side, uint32_t number, uint32_t frames)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < frames; i++)
        sum += (double)out[side][5000 + number * frames + i];
    return sum;
}

static void test_echoes_come_on_their_frame(void **state)
{
    (void)state;
    strike(1.0f, -0.5f);
    start(RATE_HZ, &(struct delay_shape){4801, 0.5, 6000.0, 0.0});
    run(out, 0, FRAMES);
    for (uint32_t i = 0; i < 5000 + 4801; i++)
        assert_true(out[0][i] == 0.0f);
    assert_true(out[0][5000 + 4801] == 1.0f && out[1][5000 + 4801] == -0.5f);
    for (uint32_t n = 1; n < 12; n++) {
        assert_true(fabs(repeat(0, n, 4801) - pow(0.5, n - 1.0)) < 1e-5);
        assert_true(fabs(repeat(1, n, 4801) + 0.5 * pow(0.5, n - 1.0)) < 1e-5);
    }
    delay_finish(&delay);
}

static void test_ping_pong_changes_sides(void **state)
{
    (void)state;
    strike(1.0f, 1.0f);
    start(RATE_HZ, &(struct delay_shape){3000, 0.7, 8000.0, 1.0});
    run(out, 0, FRAMES);
    for (uint32_t n = 1; n < 10; n++) {
        int side = n % 2 ? 0 : 1;
        assert_true(fabs(repeat(side, n, 3000) - pow(0.7, n - 1.0)) < 1e-4);
        assert_true(fabs(repeat(1 - side, n, 3000)) < 1e-6);
    }
    delay_finish(&delay);
}

static void test_the_high_cut(void **state)
{
    (void)state;
    static const double cuts_hz[] = {500.0, 3000.0, 12000.0};
    for (int i = 0; i < 3; i++) {
        const uint32_t frames = 8000;
        strike(1.0f, 1.0f);
        start(RATE_HZ, &(struct delay_shape){frames, 0.5, cuts_hz[i], 0.0});
        run(out, 0, FRAMES);
        const float *second = out[0] + 5000 + 2 * frames, *third = second + frames;
        double drop = probe_gain_db(third, frames, cuts_hz[i], RATE_HZ) -
                      probe_gain_db(second, frames, cuts_hz[i], RATE_HZ);
        printf("high cut %.0f Hz: %.2f dB from repeat to repeat, of which 6.02 by feedback\n",
               cuts_hz[i], drop);
        assert_true(fabs(drop + 6.02 + 3.01) < 0.05);
        delay_finish(&delay);
    }
}

static void test_two_seconds_at_192_khz(void **state)
{
    (void)state;
    static float silence[2][4000];
    const uint32_t longest = 384000;
    assert_int_equal(delay_init(&delay, 192000.0), 0);
    delay_set(&delay, &(struct delay_shape){longest + 9, 0.0, 20000.0, 0.0}); // held to 2 s
    delay_switch(&delay, true);
    int found = -1;
    for (uint32_t at = 0; at < longest + 8000; at += 4000) {
        float tile[2][4000];
        memset(silence, 0, sizeof silence);
        if (at == 4000)
            silence[0][0] = 1.0f;
        delay_run(&delay, (const float *const[2]){silence[0], silence[1]},
                  (float *const[2]){tile[0], tile[1]}, 4000);
        for (int i = 0; i < 4000; i++)
            if (tile[0][i] != 0.0f)
                found = (int)at + i;
    }
    assert_int_equal(found, 4000 + longest);
    delay_finish(&delay);
}

static void change(uint32_t step)
{
    static const struct delay_shape shapes[] = {{12000, 0.4, 6000.0, 0.0},
                                                {3333, 0.8, 2000.0, 1.0},
                                                {777, 0.2, 12000.0, 0.5},
                                                {40, 0.5, 20000.0, 0.0}};
    delay_set(&delay, &shapes[step % 4]);
}

static void test_changes_do_not_click(void **state)
{
    (void)state;
    const double hz = 200.0;
    probe_fill_sine(in[0], FRAMES, hz, RATE_HZ, 0.5f);
    memcpy(in[1], in[0], sizeof in[0]);
    for (uint32_t i = 0; i < 4800; i++) // so that the tone's own beginning is no click
        in[0][i] *= (float)i / 4800.0f, in[1][i] *= (float)i / 4800.0f;
    start(RATE_HZ, &(struct delay_shape){5000, 0.3, 6000.0, 0.0});
    for (uint32_t at = 0; at < FRAMES; at += 1500) { // 31 ms: faster than the fade
        change(at / 1500);
        run(out, at, 1500);
    }
    double click = probe_click(out[0], FRAMES, hz, RATE_HZ) / 0.5;
    printf("changes: worst click %.1f dB of the tone\n", 20.0 * log10(click));
    assert_true(click < 0.01);
    delay_finish(&delay);
}

static void test_the_longest_feedback_stays_bounded(void **state)
{
    (void)state;
    probe_seed(41);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    in[0][100] = NAN;
    in[1][200] = INFINITY;
    start(RATE_HZ, &(struct delay_shape){1, 5.0, NAN, 1.0});
    run(out, 0, FRAMES / 2);
    delay_set(&delay, &(struct delay_shape){0, NAN, INFINITY, -7.0});
    run(out, FRAMES / 2, FRAMES / 2);
    for (uint32_t i = 0; i < FRAMES; i++)
        assert_true((fabsf(out[0][i]) < 51.0f || (i > 90 && i < 220)) && !isnan(out[1][i]));
    delay_finish(&delay);
}

static void test_off_is_silence_and_forgets(void **state)
{
    (void)state;
    probe_seed(42);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    start(RATE_HZ, &(struct delay_shape){500, 0.9, 6000.0, 0.0});
    run(out, 0, 10000);
    delay_switch(&delay, false);
    run(out, 10000, 10000);
    for (uint32_t i = 10960; i < 20000; i++)
        assert_true(out[0][i] == 0.0f && out[1][i] == 0.0f);
    memset(in, 0, sizeof in);
    delay_switch(&delay, true);
    run(out, 20000, 10000);
    for (uint32_t i = 20000; i < 30000; i++)
        assert_true(out[0][i] == 0.0f && out[1][i] == 0.0f);
    delay_finish(&delay);
}

static void play(float to[2][FRAMES], bool is_cut)
{
    start(RATE_HZ, &(struct delay_shape){700, 0.6, 4000.0, 0.3});
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t left = 1700 - at % 1700, frames = is_cut ? probe_period() : left;
        if (at % 1700 == 0) {
            change(at / 1700);
            delay_switch(&delay, at / 1700 % 7 != 3);
        }
        frames = frames < left ? frames : left;
        frames = frames < FRAMES - at ? frames : FRAMES - at;
        run(to, at, frames);
        at += frames;
    }
    delay_finish(&delay);
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    probe_seed(43);
    probe_fill_noise(in[0], FRAMES, 0.5f);
    probe_fill_noise(in[1], FRAMES, 0.5f);
    play(out, false);
    play(other, true);
    assert_memory_equal(other, out, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echoes_come_on_their_frame),
        cmocka_unit_test(test_ping_pong_changes_sides),
        cmocka_unit_test(test_the_high_cut),
        cmocka_unit_test(test_two_seconds_at_192_khz),
        cmocka_unit_test(test_changes_do_not_click),
        cmocka_unit_test(test_the_longest_feedback_stays_bounded),
        cmocka_unit_test(test_off_is_silence_and_forgets),
        cmocka_unit_test(test_the_period_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
