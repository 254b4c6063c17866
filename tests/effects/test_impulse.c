// Impulse responses in memory: what is refused, what shaping does, and that nothing else changes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/effects/impulse.h"

enum { RATE = 48000 };

static uint32_t seed = 1;

static float noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-31f;
}

/// Noise that decays by 60 dB in `seconds`, and lasts a little longer.
static struct impulse *decaying(double seconds, uint32_t channels, uint32_t rate_hz)
{
    struct impulse *impulse =
        impulse_create_silent((uint32_t)(1.2 * seconds * rate_hz), channels, rate_hz);
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < impulse->frames; i++)
            impulse->channel[c][i] = noise() * (float)pow(10, -3.0 * i / (seconds * rate_hz));
    return impulse;
}

static double energy(const float *samples, uint32_t frames)
{
    double sum = 0;
    for (uint32_t i = 0; i < frames; i++)
        sum += (double)samples[i] * (double)samples[i];
    return sum;
}

/// Of the response at one frequency, in dB.
static double gain_db(const struct impulse *impulse, double hz)
{
    double re = 0, im = 0;
    for (uint32_t i = 0; i < impulse->frames; i++) {
        re += (double)impulse->channel[0][i] * cos(2 * M_PI * hz * i / impulse->rate_hz);
        im += (double)impulse->channel[0][i] * sin(2 * M_PI * hz * i / impulse->rate_hz);
    }
    return 10 * log10(re * re + im * im);
}

static struct impulse *click(void)
{
    struct impulse *impulse = impulse_create_silent(RATE, 1, RATE);
    impulse->channel[0][0] = 1;
    return impulse;
}

// ---- what is refused ----

static void faults_are_found(void **state)
{
    (void)state;
    float good[] = {1, 0.5f, 0, 0}, silent[4] = {0}, broken[] = {1, NAN, 0, 0};
    float infinite[] = {1, 0, INFINITY, 0}, loud[] = {1, 0, -2e6f, 0};
    assert_int_equal(impulse_check(good, 4, 1, RATE), IMPULSE_OK);
    assert_int_equal(impulse_check(good, 2, 2, RATE), IMPULSE_OK);
    assert_int_equal(impulse_check(good, 1, 4, RATE), IMPULSE_OK);
    assert_int_equal(impulse_check(good, 1, 1, RATE), IMPULSE_OK); // a gain
    assert_int_equal(impulse_check(good, 1, 3, RATE), IMPULSE_BAD_CHANNELS);
    assert_int_equal(impulse_check(good, 1, 8, RATE), IMPULSE_BAD_CHANNELS);
    assert_int_equal(impulse_check(good, 1, 0, RATE), IMPULSE_BAD_CHANNELS);
    assert_int_equal(impulse_check(good, 4, 1, 7999), IMPULSE_BAD_RATE);
    assert_int_equal(impulse_check(good, 4, 1, 384001), IMPULSE_BAD_RATE);
    assert_int_equal(impulse_check(good, 0, 1, RATE), IMPULSE_EMPTY);
    // Lengths are judged before a sample is read.
    assert_int_equal(impulse_check(good, 60u * RATE + 1, 1, RATE), IMPULSE_TOO_LONG);
    assert_int_equal(impulse_check(good, UINT64_MAX, 4, 192000), IMPULSE_TOO_LONG);
    assert_int_equal(impulse_check(broken, 4, 1, RATE), IMPULSE_NOT_FINITE);
    assert_int_equal(impulse_check(infinite, 4, 1, RATE), IMPULSE_NOT_FINITE);
    assert_int_equal(impulse_check(loud, 4, 1, RATE), IMPULSE_NOT_FINITE);
    assert_int_equal(impulse_check(silent, 4, 1, RATE), IMPULSE_SILENT);
    errno = 0;
    assert_null(impulse_create(silent, 4, 1, RATE));
    assert_int_equal(errno, EINVAL);
    for (int fault = IMPULSE_OK; fault <= IMPULSE_SILENT; fault++)
        assert_true(strlen(impulse_fault_text((enum impulse_fault)fault)) > 10);
    impulse_destroy(NULL);
}

static void samples_go_to_their_channels(void **state)
{
    (void)state;
    const float samples[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct impulse *impulse = impulse_create(samples, 2, 4, RATE);
    assert_int_equal(impulse->frames, 2);
    for (uint32_t c = 0; c < 4; c++) {
        assert_true(impulse->channel[c][0] == (float)(c + 1));
        assert_true(impulse->channel[c][1] == (float)(c + 5));
    }
    impulse_destroy(impulse);
}

// ---- sample rate ----

static void resampling_keeps_pitch_length_and_gain(void **state)
{
    (void)state;
    const uint32_t rates[] = {44100, 48000, 96000, 192000, 22050};
    for (int i = 0; i < 5; i++) {
        struct impulse *impulse = click(), *original = click();
        // A resonance at 1 kHz.
        for (uint32_t k = 0; k < impulse->frames; k++)
            impulse->channel[0][k] = original->channel[0][k] =
                (float)(exp(-20.0 * k / RATE) * sin(2 * M_PI * 1000 * k / RATE));
        assert_int_equal(impulse_resample(impulse, rates[i]), 0);
        assert_int_equal(impulse->rate_hz, rates[i]);
        assert_in_range(impulse->frames, rates[i], rates[i] + 1);
        const double hz[] = {500, 1000, 3000};
        for (int k = 0; k < 3; k++)
            assert_true(fabs(gain_db(impulse, hz[k]) - gain_db(original, hz[k])) < 0.1);
        impulse_destroy(impulse);
        impulse_destroy(original);
    }
}

static void one_sample_can_be_resampled(void **state)
{
    (void)state;
    const float one = 1;
    struct impulse *impulse = impulse_create(&one, 1, 1, 192000);
    assert_int_equal(impulse_resample(impulse, RATE), 0);
    assert_int_equal(impulse->frames, 1);
    assert_true(isfinite(impulse->channel[0][0]));
    assert_int_equal(impulse_resample(impulse, 1), -EINVAL);
    impulse_destroy(impulse);
}

// ---- shape ----

static void no_shape_changes_no_bit(void **state)
{
    (void)state;
    for (uint32_t channels = 1; channels <= 4; channels *= 2) {
        seed = 5;
        struct impulse *impulse = decaying(0.5, channels, RATE);
        seed = 5;
        struct impulse *same = decaying(0.5, channels, RATE);
        struct impulse_shape nothing = IMPULSE_AS_IT_IS, nonsense = {NAN, NAN, NAN, NAN, NAN, NAN};
        assert_int_equal(impulse_reshape(impulse, &nothing), 0);
        assert_int_equal(impulse_reshape(impulse, &nonsense), 0);
        assert_int_equal(impulse->frames, same->frames);
        for (uint32_t c = 0; c < channels; c++)
            assert_memory_equal(impulse->channel[c], same->channel[c],
                                same->frames * sizeof(float));
        impulse_destroy(impulse);
        impulse_destroy(same);
    }
}

static void decay_is_measured_and_shortened(void **state)
{
    (void)state;
    const double seconds[] = {0.3, 1, 4};
    for (int i = 0; i < 3; i++) {
        struct impulse *impulse = decaying(seconds[i], 2, RATE);
        assert_true(fabs(impulse_decay_seconds(impulse) / seconds[i] - 1) < 0.05);
        struct impulse_shape shape = IMPULSE_AS_IT_IS;
        shape.decay = 0.5f;
        shape.pre_delay_ms = 100; // must not count as decay
        assert_int_equal(impulse_reshape(impulse, &shape), 0);
        shape = IMPULSE_AS_IT_IS;
        assert_true(fabs(impulse_decay_seconds(impulse) / (0.5 * seconds[i]) - 1) < 0.06);
        impulse_destroy(impulse);
    }
}

/// Energy of the second half over that of the first, of what passes a difference (treble) or a sum
/// of neighbours over a millisecond (bass).
static double fall(const struct impulse *impulse, bool is_treble)
{
    float *out = calloc(impulse->frames, sizeof *out);
    const float *in = impulse->channel[0];
    for (uint32_t i = 48; i < impulse->frames; i++) {
        double sum = 0;
        for (int k = 0; k < 48; k++)
            sum += (double)in[i - (uint32_t)k];
        out[i] = (float)(is_treble ? (double)in[i] - (double)in[i - 1] : sum);
    }
    uint32_t half = impulse->frames / 2;
    double ratio = energy(out + half, half) / energy(out, half);
    free(out);
    return 10 * log10(ratio);
}

static void damping_shortens_the_treble_alone(void **state)
{
    (void)state;
    struct impulse *impulse = decaying(1, 1, RATE);
    double treble = fall(impulse, true), bass = fall(impulse, false);
    struct impulse_shape shape = IMPULSE_AS_IT_IS;
    shape.damping = 0.6f;
    assert_int_equal(impulse_reshape(impulse, &shape), 0);
    assert_true(fall(impulse, true) < treble - 15);
    assert_true(fabs(fall(impulse, false) - bass) < 1.5);
    impulse_destroy(impulse);
}

static void cuts_cut_where_they_say(void **state)
{
    (void)state;
    struct impulse *impulse = click();
    struct impulse_shape shape = IMPULSE_AS_IT_IS;
    shape.low_cut_hz = 200;
    shape.high_cut_hz = 5000;
    assert_int_equal(impulse_reshape(impulse, &shape), 0);
    assert_true(fabs(gain_db(impulse, 200) + 3.01) < 0.1);
    assert_true(fabs(gain_db(impulse, 5000) + 3.01) < 0.1);
    assert_true(fabs(gain_db(impulse, 1000)) < 0.1);
    assert_true(gain_db(impulse, 50) < -23);
    assert_true(gain_db(impulse, 20000) < -23);
    impulse_destroy(impulse);
}

static void pre_delay_moves_it(void **state)
{
    (void)state;
    struct impulse *impulse = decaying(0.3, 4, RATE);
    uint32_t frames = impulse->frames;
    float first = impulse->channel[3][0];
    struct impulse_shape shape = IMPULSE_AS_IT_IS;
    shape.pre_delay_ms = 20;
    assert_int_equal(impulse_reshape(impulse, &shape), 0);
    assert_int_equal(impulse->frames, frames + 960);
    assert_true(impulse->channel[3][960] == first && impulse->channel[3][959] == 0);
    impulse_destroy(impulse);
    impulse = impulse_create_silent(60 * IMPULSE_RATE_MIN_HZ, 1, IMPULSE_RATE_MIN_HZ);
    impulse->channel[0][0] = 1;
    assert_int_equal(impulse_reshape(impulse, &shape), -EFBIG);
    assert_true(impulse->channel[0][0] == 1);
    impulse_destroy(impulse);
}

static void width_widens(void **state)
{
    (void)state;
    struct impulse *impulse = decaying(0.3, 4, RATE);
    struct impulse_shape shape = IMPULSE_AS_IT_IS;
    shape.width = 0;
    assert_int_equal(impulse_reshape(impulse, &shape), 0);
    for (uint32_t i = 0; i < impulse->frames; i++) {
        assert_true(impulse->channel[0][i] == impulse->channel[1][i]);
        assert_true(impulse->channel[2][i] == impulse->channel[3][i]);
    }
    impulse_destroy(impulse);
}

// ---- trim and loudness ----

static void trim_cuts_what_nobody_hears(void **state)
{
    (void)state;
    struct impulse *impulse = decaying(1, 2, RATE);
    double before = energy(impulse->channel[0], impulse->frames);
    impulse_trim(impulse, -40); // two thirds of the way down to -60 dB
    assert_in_range(impulse->frames, RATE * 6 / 10, RATE * 7 / 10);
    double after = energy(impulse->channel[0], impulse->frames);
    assert_true(10 * log10(1 - after / before) < -38);
    impulse_destroy(impulse);
    struct impulse *one = click();
    impulse_trim(one, -100);
    assert_int_equal(one->frames, 1);
    impulse_destroy(one);
}

static void loudness_does_not_depend_on_what_was(void **state)
{
    (void)state;
    const double seconds[] = {0.2, 1, 5};
    double loudness[6];
    for (int i = 0; i < 6; i++) {
        struct impulse *impulse = decaying(seconds[i % 3], i < 3 ? 1 : 4, i % 2 ? 96000 : RATE);
        for (uint32_t c = 0; c < impulse->channels; c++)
            for (uint32_t k = 0; k < impulse->frames; k++)
                impulse->channel[c][k] *= i == 1 ? 1e-6f : 1000;
        impulse_normalise(impulse);
        assert_int_equal(impulse_resample(impulse, RATE), 0);
        loudness[i] = 0;
        for (uint32_t c = 0; c < impulse->channels; c++)
            loudness[i] += energy(impulse->channel[c], impulse->frames);
        loudness[i] /= impulse->channels == 4 ? 2 : 1;
        impulse_destroy(impulse);
    }
    for (int i = 1; i < 6; i++)
        assert_true(fabs(10 * log10(loudness[i] / loudness[0])) < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(samples_go_to_their_channels),
        cmocka_unit_test(resampling_keeps_pitch_length_and_gain),
        cmocka_unit_test(one_sample_can_be_resampled),
        cmocka_unit_test(no_shape_changes_no_bit),
        cmocka_unit_test(decay_is_measured_and_shortened),
        cmocka_unit_test(damping_shortens_the_treble_alone),
        cmocka_unit_test(cuts_cut_where_they_say),
        cmocka_unit_test(pre_delay_moves_it),
        cmocka_unit_test(width_widens),
        cmocka_unit_test(trim_cuts_what_nobody_hears),
        cmocka_unit_test(loudness_does_not_depend_on_what_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
