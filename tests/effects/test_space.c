// Spaces of our own making: they decay as they were asked to, at every frequency, and do not
// repeat.
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
#include <time.h>

#include "dsp/effects/space.h"

enum { RATE = 48000 };

// ---- measuring a decay (ISO 3382-1) ----

struct section {
    double b0, b1, b2, a1, a2;
};

/// Butterworth of second order by bilinear transform.
static struct section make_section(double hz, double rate_hz, bool is_high_pass)
{
    double k = tan(M_PI * hz / rate_hz), norm = 1 / (1 + M_SQRT2 * k + k * k);
    double b0 = is_high_pass ? norm : k * k * norm;
    return (struct section){b0, is_high_pass ? -2 * b0 : 2 * b0, b0, 2 * (k * k - 1) * norm,
                            (1 - M_SQRT2 * k + k * k) * norm};
}

static void filter(struct section section, double *samples, uint32_t frames)
{
    double z1 = 0, z2 = 0;
    for (uint32_t i = 0; i < frames; i++) {
        double out = section.b0 * samples[i] + z1;
        z1 = section.b1 * samples[i] - section.a1 * out + z2;
        z2 = section.b2 * samples[i] - section.a2 * out;
        samples[i] = out;
    }
}

/// Energy left from each frame on, of an octave of all channels together.
static double *energy_left(const struct impulse *impulse, double centre_hz)
{
    double *left = calloc(impulse->frames + 1, sizeof *left);
    double *band = calloc(impulse->frames, sizeof *band);
    for (uint32_t c = 0; c < impulse->channels; c++) {
        for (uint32_t i = 0; i < impulse->frames; i++)
            band[i] = (double)impulse->channel[c][i];
        for (int twice = 0; twice < 2; twice++) {
            filter(make_section(centre_hz * M_SQRT1_2, impulse->rate_hz, true), band,
                   impulse->frames);
            filter(make_section(centre_hz * M_SQRT2, impulse->rate_hz, false), band,
                   impulse->frames);
        }
        for (uint32_t i = 0; i < impulse->frames; i++)
            left[i] += band[i] * band[i];
    }
    for (uint32_t i = impulse->frames; i-- > 0;)
        left[i] += left[i + 1];
    free(band);
    return left;
}

/// Seconds for 60 dB, by a line through the fall from -5 to `to_db`.
static double decay_seconds(const struct impulse *impulse, double centre_hz, double to_db)
{
    double *left = energy_left(impulse, centre_hz);
    double n = 0, st = 0, sl = 0, stt = 0, stl = 0;
    for (uint32_t i = 0; i < impulse->frames && left[i] > 0; i++) {
        double t = (double)i / impulse->rate_hz, level = 10 * log10(left[i] / left[0]);
        if (level > -5 || level < to_db)
            continue;
        n++;
        st += t;
        sl += level;
        stt += t * t;
        stl += t * level;
    }
    free(left);
    return -60 * (n * stt - st * st) / (n * stl - st * sl);
}

static void check_octave(const struct impulse *impulse, const struct space_settings *settings,
                         double centre_hz)
{
    // Where the decay changes fast with frequency, an octave rings as long as its lower edge.
    double tolerance = centre_hz > 6000 ? 0.1 : 0.05;
    double asked = space_decay_seconds(settings, centre_hz);
    double t20 = decay_seconds(impulse, centre_hz, -25);
    double t30 = decay_seconds(impulse, centre_hz, -35);
    if (fabs(t20 / asked - 1) > tolerance || fabs(t30 / asked - 1) > tolerance)
        fail_msg("%s, %.0f Hz, %.2f s asked: T20 %.3f, T30 %.3f", space_name(settings->kind),
                 centre_hz, asked, t20, t30);
}

/// The octaves from `from_hz` on.
static void check_decay(const struct space_settings *settings, double from_hz, int octaves)
{
    struct impulse *impulse = space_create(settings);
    assert_non_null(impulse);
    for (int i = 0; i < octaves; i++)
        check_octave(impulse, settings, ldexp(from_hz, i));
    impulse_destroy(impulse);
}

static void every_kind_decays_as_asked(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++) {
        struct space_settings settings = space_standard((enum space_kind)kind, RATE);
        assert_true(fabs(space_decay_seconds(&settings, 1000) / settings.decay_seconds - 1) < 1e-9);
        check_decay(&settings, 250, 6);
    }
}

static void settings_change_the_decay(void **state)
{
    (void)state;
    const double seconds[] = {0.3, 1, 3, 8}, damping[] = {0, 0.3, 0.7, 1}, size[] = {0.5, 1, 2};
    for (int i = 0; i < 4; i++) {
        struct space_settings settings = space_standard(i % 2 ? SPACE_HALL : SPACE_CHAMBER, RATE);
        settings.decay_seconds = seconds[i];
        settings.damping = damping[3 - i];
        settings.size = size[i % 3];
        check_decay(&settings, 1000, 2);
    }
}

static void every_rate_sounds_alike(void **state)
{
    (void)state;
    const uint32_t rates[] = {22050, 44100, 96000, 192000};
    for (int i = 0; i < 4; i++) {
        struct space_settings settings = space_standard(SPACE_CHAMBER, rates[i]);
        settings.channels = i % 2 ? 2 : 4;
        check_decay(&settings, 500, 3);
    }
}

// ---- repetition ----

/// The largest likeness of the late field to itself, some milliseconds to half a second later.
static double periodicity(const float *samples, uint32_t frames, double decay)
{
    enum { STRIDE = 4 };
    float *flat = malloc(frames * sizeof *flat);
    double energy = 0, largest = 0;
    for (uint32_t i = 0; i < frames; i++) {
        flat[i] = (float)(samples[i] * exp(6.9078 * i / (RATE * decay)));
        energy += (double)flat[i] * (double)flat[i];
    }
    for (uint32_t lag = RATE / 50; lag < RATE / 2; lag += 3) {
        double sum = 0;
        for (uint32_t i = 0; i + lag < frames; i += STRIDE)
            sum += (double)(flat[i] * flat[i + lag]);
        largest = fmax(largest, fabs(sum * STRIDE / energy));
    }
    free(flat);
    return largest;
}

static void the_late_field_does_not_repeat(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++) {
        struct space_settings settings = space_standard((enum space_kind)kind, RATE);
        settings.decay_seconds = 3;
        settings.damping = 0;
        struct impulse *impulse = space_create(&settings);
        double found = periodicity(impulse->channel[0] + RATE / 4, RATE, 3);
        if (found > 0.12)
            fail_msg("%s: likeness %.3f", space_name(settings.kind), found);
        impulse_destroy(impulse);
    }
}

/// A figure that must find a repetition where there is one.
static void repetition_would_be_found(void **state)
{
    (void)state;
    float *noise = malloc(RATE * sizeof *noise);
    uint32_t seed = 1;
    for (int i = 0; i < RATE; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (float)(int32_t)seed * 0x1p-31f;
        if (i >= 2880) // a lag of 60 ms, which the figure visits
            noise[i] += 0.5f * noise[i - 2880];
    }
    assert_true(periodicity(noise, RATE, 1e9) > 0.3);
    free(noise);
}

// ---- the rest ----

static double correlation(const float *a, const float *b, uint32_t frames)
{
    double ab = 0, aa = 0, bb = 0;
    for (uint32_t i = 0; i < frames; i++) {
        ab += (double)(a[i] * b[i]);
        aa += (double)(a[i] * a[i]);
        bb += (double)(b[i] * b[i]);
    }
    return ab / sqrt(aa * bb);
}

static void the_channels_differ(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++) {
        struct space_settings settings = space_standard((enum space_kind)kind, RATE);
        struct impulse *impulse = space_create(&settings);
        for (int a = 0; a < 4; a++)
            for (int b = a + 1; b < 4; b++)
                assert_true(fabs(correlation(impulse->channel[a], impulse->channel[b],
                                             impulse->frames)) < 0.5);
        impulse_destroy(impulse);
    }
}

static void all_are_as_loud(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++) {
        struct space_settings settings = space_standard((enum space_kind)kind, RATE);
        struct impulse *impulse = space_create(&settings);
        double energy = 0;
        for (uint32_t c = 0; c < 4; c++) {
            double *left = energy_left(impulse, 707);
            energy += left[0] / 4 / 2; // of all channels at each turn; each output hears half
            free(left);
        }
        // The octave around 707 Hz of a click.
        struct impulse *click = impulse_create_silent(8192, 1, RATE);
        click->channel[0][0] = 1;
        double *reference = energy_left(click, 707);
        assert_true(fabs(10 * log10(energy / reference[0])) < 2.5);
        free(reference);
        impulse_destroy(click);
        impulse_destroy(impulse);
    }
}

static void it_is_the_same_every_time(void **state)
{
    (void)state;
    struct space_settings settings = space_standard(SPACE_HALL, RATE);
    struct impulse *first = space_create(&settings), *second = space_create(&settings);
    assert_int_equal(first->frames, second->frames);
    for (uint32_t c = 0; c < 4; c++)
        assert_memory_equal(first->channel[c], second->channel[c], first->frames * sizeof(float));
    impulse_destroy(first);
    impulse_destroy(second);
}

static void three_seconds_take_less_than_one(void **state)
{
    (void)state;
    struct space_settings settings = space_standard(SPACE_HALL, RATE);
    struct timespec before, after;
    settings.decay_seconds = 3;
    settings.channels = 2;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    impulse_destroy(space_create(&settings));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double seconds =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    print_message("%.3f s\n", seconds);
    assert_true(seconds < 10); // sanitizers run it too; without them it is far below 1 s
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    const struct space_settings good = space_standard(SPACE_ROOM, RATE);
    struct space_settings bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].kind = SPACE_KINDS;
    bad[1].decay_seconds = 0;
    bad[2].decay_seconds = NAN;
    bad[3].damping = 1.1;
    bad[4].size = 0;
    bad[5].channels = 1;
    bad[6].rate_hz = 8000;
    bad[7].rate_hz = 192001;
    for (int i = 0; i < 8; i++) {
        errno = 0;
        assert_null(space_create(&bad[i]));
        assert_int_equal(errno, EINVAL);
    }
}

static void extremes_are_finite(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++)
        for (int i = 0; i < 4; i++) {
            struct space_settings settings = {.kind = (enum space_kind)kind,
                                              .decay_seconds = i & 1 ? 0.1 : 4,
                                              .damping = i & 1 ? 1 : 0,
                                              .size = i & 2 ? 0.25 : 4,
                                              .channels = 2,
                                              .rate_hz = 22050};
            struct impulse *impulse = space_create(&settings);
            assert_non_null(impulse);
            for (uint32_t k = 0; k < impulse->frames; k++)
                assert_true(isfinite(impulse->channel[0][k]) && isfinite(impulse->channel[1][k]));
            impulse_destroy(impulse);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_decays_as_asked),
        cmocka_unit_test(settings_change_the_decay),
        cmocka_unit_test(every_rate_sounds_alike),
        cmocka_unit_test(the_late_field_does_not_repeat),
        cmocka_unit_test(repetition_would_be_found),
        cmocka_unit_test(the_channels_differ),
        cmocka_unit_test(all_are_as_loud),
        cmocka_unit_test(it_is_the_same_every_time),
        cmocka_unit_test(three_seconds_take_less_than_one),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(extremes_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
