// The chorus: voices where they should be, nothing dry, no clicks, nothing that grows.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/chorus.h"
#include "tests/effects/probe.h"

enum { FRAMES = 96000, RATE_HZ = 48000 };

static float in[2][FRAMES], out[2][FRAMES], other[2][FRAMES];
static struct chorus chorus;

static void start(double rate_hz, const struct chorus_shape *shape)
{
    assert_int_equal(chorus_init(&chorus, rate_hz), 0);
    chorus_set(&chorus, shape);
    chorus_switch(&chorus, true);
}

static void run(float to[2][FRAMES], uint32_t from, uint32_t frames)
{
    chorus_run(&chorus, (const float *const[2]){in[0] + from, in[1] + from},
               (float *const[2]){to[0] + from, to[1] + from}, frames);
}

static double loudest(const float *samples, uint32_t from)
{
    double most = 0.0;
    for (uint32_t i = from; i < FRAMES; i++)
        most = fmax(most, fabs((double)samples[i]));
    return most;
}

static void test_a_still_voice_is_a_delay(void **state)
{
    (void)state;
    const struct chorus_shape shape = {1.0, 0.0, 10.0, 0.5, 1};
    memset(in, 0, sizeof in);
    in[0][20000] = 1.0f;
    start(RATE_HZ, &shape);
    run(out, 0, FRAMES);
    for (uint32_t i = 0; i < 25000; i++) {
        bool is_echo = i > 20000 && (i - 20000) % 480 == 0;
        int repeats = ((int)i - 20000) / 480 - 1;
        double wanted = is_echo ? pow(0.5, repeats) : 0.0;
        assert_true(fabs((double)out[0][i] - wanted) < 1e-5);
        assert_true(out[1][i] == 0.0f);
    }
    chorus_finish(&chorus);
}

/// A click through one swinging voice comes back between the shortest and the longest delay, and
/// over one swing it visits both.
static void test_the_swing_is_as_deep_as_stated(void **state)
{
    (void)state;
    const struct chorus_shape shape = {2.0, 6.0, 12.0, 0.0, 1};
    int least = FRAMES, most = 0;
    memset(in, 0, sizeof in);
    for (uint32_t i = 24000; i < FRAMES; i += 960)
        in[0][i] = 1.0f;
    start(RATE_HZ, &shape);
    run(out, 0, FRAMES);
    for (uint32_t i = 24000; i + 960 < FRAMES; i += 960) {
        int at = 0;
        for (int k = 0; k < 960; k++)
            at = fabsf(out[0][i + (uint32_t)k]) > fabsf(out[0][i + (uint32_t)at]) ? k : at;
        least = at < least ? at : least;
        most = at > most ? at : most;
    }
    printf("delays from %d to %d frames, asked for 432 to 720\n", least, most);
    assert_true(least >= 431 && least <= 440 && most >= 712 && most <= 721);
    chorus_finish(&chorus);
}

static void test_all_voices_are_as_loud_as_one(void **state)
{
    (void)state;
    probe_seed(31);
    probe_fill_noise(in[0], FRAMES, 0.5f);
    probe_fill_noise(in[1], FRAMES, 0.5f);
    for (uint32_t voices = 1; voices <= CHORUS_VOICES_MAX; voices++) {
        double power_in = 0.0, power_out = 0.0;
        start(RATE_HZ, &(struct chorus_shape){0.7, 5.0, 15.0, 0.0, voices});
        run(out, 0, FRAMES);
        for (uint32_t i = 20000; i < FRAMES; i++) {
            power_in += (double)in[0][i] * (double)in[0][i];
            power_out += (double)out[0][i] * (double)out[0][i];
        }
        double gain_db = 10.0 * log10(power_out / power_in);
        printf("%u voice%s: %.2f dB of white noise\n", voices, voices > 1 ? "s" : "", gain_db);
        assert_true(fabs(gain_db) < 2.0); // a cubic between samples loses treble
        chorus_finish(&chorus);
    }
}

static void test_feedback_never_grows(void **state)
{
    (void)state;
    static const double backs[] = {0.95, -0.95};
    for (int b = 0; b < 2; b++)
        for (uint32_t voices = 1; voices <= 3; voices++) {
            probe_seed(32);
            for (uint32_t i = 0; i < FRAMES; i++)
                in[0][i] = in[1][i] = i < FRAMES / 3 ? (i / 100 % 2 ? 1.0f : -1.0f) : 0.0f;
            start(RATE_HZ, &(struct chorus_shape){0.3, 3.0, 4.0, backs[b], voices});
            run(out, 0, FRAMES);
            assert_true(loudest(out[0], 0) < 40.0);
            assert_true(loudest(out[0], FRAMES - 1000) < 0.01);
            chorus_finish(&chorus);
        }
}

static void test_off_is_silence_and_forgets(void **state)
{
    (void)state;
    probe_seed(33);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    assert_int_equal(chorus_init(&chorus, RATE_HZ), 0);
    run(out, 0, 10000);
    assert_true(loudest(out[0], 0) >= 0.0);
    for (uint32_t i = 0; i < 10000; i++)
        assert_true(out[0][i] == 0.0f && out[1][i] == 0.0f);
    chorus_switch(&chorus, true);
    run(out, 10000, 10000);
    chorus_switch(&chorus, false);
    run(out, 20000, 10000);
    for (uint32_t i = 21000; i < 30000; i++)
        assert_true(out[0][i] == 0.0f && out[1][i] == 0.0f);
    memset(in, 0, sizeof in);
    chorus_switch(&chorus, true);
    run(out, 30000, 10000);
    for (uint32_t i = 30000; i < 40000; i++)
        assert_true(out[0][i] == 0.0f && out[1][i] == 0.0f);
    chorus_finish(&chorus);
}

static void change(uint32_t step)
{
    static const struct chorus_shape shapes[] = {{0.4, 6.3, 12.0, 0.06, 2},
                                                 {3.0, 2.0, 30.0, -0.5, 3},
                                                 {0.1, 8.0, 5.0, 0.5, 1},
                                                 {1.1, 6.3, 20.0, 0.0, 2}};
    chorus_set(&chorus, &shapes[step % 4]);
}

static void test_changes_do_not_click(void **state)
{
    (void)state;
    const double hz = 300.0;
    probe_fill_sine(in[0], FRAMES, hz, RATE_HZ, 0.5f);
    memcpy(in[1], in[0], sizeof in[0]);
    start(RATE_HZ, &chorus_standard);
    for (uint32_t at = 0; at < FRAMES; at += 12000) {
        if (at >= 12000)
            change(at / 12000);
        run(out, at, 12000);
    }
    double click = probe_click(out[0] + 6000, FRAMES - 6000, hz, RATE_HZ) / 0.5;
    // Delays that glide bend the pitch, which is no click but leaves some in this measure.
    printf("changes: %.1f dB of the tone at worst\n", 20.0 * log10(click));
    assert_true(click < 0.01);
    chorus_finish(&chorus);
}

static void play(float to[2][FRAMES], bool is_cut)
{
    start(RATE_HZ, &chorus_standard);
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t left = 2500 - at % 2500, frames = is_cut ? probe_period() : left;
        if (at % 2500 == 0) {
            change(at / 2500);
            chorus_switch(&chorus, at / 2500 % 7 != 3);
        }
        frames = frames < left ? frames : left;
        frames = frames < FRAMES - at ? frames : FRAMES - at;
        run(to, at, frames);
        at += frames;
    }
    chorus_finish(&chorus);
}

static void test_the_period_does_not_matter(void **state)
{
    (void)state;
    probe_seed(34);
    probe_fill_noise(in[0], FRAMES, 0.5f);
    probe_fill_noise(in[1], FRAMES, 0.5f);
    play(out, false);
    play(other, true);
    assert_memory_equal(other, out, sizeof out);
    memcpy(other, in, sizeof in); // in place
    start(RATE_HZ, &chorus_standard);
    run(out, 0, FRAMES);
    chorus_finish(&chorus);
    start(RATE_HZ, &chorus_standard);
    chorus_run(&chorus, (const float *const[2]){other[0], other[1]},
               (float *const[2]){other[0], other[1]}, FRAMES);
    chorus_finish(&chorus);
    assert_memory_equal(other, out, sizeof out);
}

static void test_all_rates_and_odd_settings(void **state)
{
    (void)state;
    static const double rates_hz[] = {8000, 44100, 192000};
    const struct chorus_shape odd = {NAN, INFINITY, -5.0, NAN, 4000000000u};
    const struct chorus_shape wide = {10.0, 20.0, 50.0, 0.95, 3};
    probe_seed(35);
    probe_fill_noise(in[0], FRAMES, 1.0f);
    probe_fill_noise(in[1], FRAMES, 1.0f);
    in[0][500] = NAN;
    in[1][600] = INFINITY;
    for (int r = 0; r < 3; r++) {
        start(rates_hz[r], &wide);
        run(out, 0, FRAMES / 2);
        chorus_set(&chorus, &odd);
        run(out, FRAMES / 2, FRAMES / 2);
        assert_true(loudest(out[0], 0) < 60.0 && loudest(out[1], 0) < 60.0);
        for (uint32_t i = 0; i < FRAMES; i++)
            assert_true(isfinite(out[0][i]) && isfinite(out[1][i]));
        chorus_finish(&chorus);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_still_voice_is_a_delay),
        cmocka_unit_test(test_the_swing_is_as_deep_as_stated),
        cmocka_unit_test(test_all_voices_are_as_loud_as_one),
        cmocka_unit_test(test_feedback_never_grows),
        cmocka_unit_test(test_off_is_silence_and_forgets),
        cmocka_unit_test(test_changes_do_not_click),
        cmocka_unit_test(test_the_period_does_not_matter),
        cmocka_unit_test(test_all_rates_and_odd_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
