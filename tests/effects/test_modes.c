// The bank of modes against the sentence that defines it, in double precision, sample by sample:
// z' = r e^(i w) z + gain e^(i phase) x. And: no cut, thread or instruction set changes the sound.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <complex.h>
#include <errno.h>
#include <math.h>

#include "dsp/effects/modes.h"
#include "dsp/effects/piano.h"

enum { RATE_HZ = 48000, FRAMES = 8000, STRINGS = 24, MODES = 600, CHANGES = 8 };

/// A change of a string's controls at a frame.
struct change {
    uint32_t frame, string;
    double loss, drive;
};

static struct mode mode[MODES];
static struct change change[CHANGES];
static float in[FRAMES], out[2][FRAMES], other[2][FRAMES];
static double exact[2][FRAMES];

static double random_between(double low, double high)
{
    return low + (high - low) * rand() / (double)RAND_MAX;
}

// ---- inputs ----

/// Modes from 27 Hz to 15 kHz that take 0.1 to 20 s for 60 dB.
static void fill_modes(void)
{
    for (int i = 0; i < MODES; i++)
        mode[i] = (struct mode){.frequency_hz = 27.0 * pow(555.0, random_between(0, 1)),
                                .loss_per_s = 0.35 * pow(200.0, random_between(0, 1)),
                                .gain = random_between(1e-4, 1e-3),
                                .phase_rad = random_between(-M_PI, M_PI),
                                .string = (uint32_t)(i * STRINGS / MODES)};
}

static void fill_changes(void)
{
    for (int i = 0; i < CHANGES; i++)
        change[i] = (struct change){.frame = (uint32_t)(i * FRAMES / CHANGES),
                                    .string = (uint32_t)rand() % STRINGS,
                                    .loss = i % 3 ? random_between(0, 60) : 0.0,
                                    .drive = i % 2 ? random_between(0, 1) : 0.0};
}

static void fill_noise(void)
{
    for (int i = 0; i < FRAMES; i++)
        in[i] = i < FRAMES / 2 ? (float)random_between(-1, 1) : 0.0f;
}

static int set_up(void **state)
{
    (void)state;
    srand(4);
    fill_modes();
    fill_changes();
    fill_noise();
    return 0;
}

// ---- the bank ----

static void change_at(struct modes *modes, uint32_t frame)
{
    for (int i = 0; i < CHANGES; i++)
        if (change[i].frame == frame)
            modes_string_set(modes, change[i].string, change[i].loss, change[i].drive);
}

static uint32_t next_change(uint32_t frame)
{
    uint32_t next = FRAMES;
    for (int i = 0; i < CHANGES; i++)
        next = change[i].frame > frame && change[i].frame < next ? change[i].frame : next;
    return next;
}

/// Runs all frames, in periods of `period`, or of random lengths up to it.
static void run(struct modes *modes, uint32_t period, bool is_random, float to[2][FRAMES])
{
    for (uint32_t at = 0, frames; at < FRAMES; at += frames) {
        uint32_t room = next_change(at) - at;
        frames = is_random ? 1 + (uint32_t)rand() % period : period;
        frames = frames < room ? frames : room;
        change_at(modes, at);
        modes_feed(modes, in + at, frames);
        modes_run(modes, 0, modes->slices);
        modes_sum(modes, (float *const[2]){to[0] + at, to[1] + at});
    }
}

static void start(struct modes *modes)
{
    assert_int_equal(modes_init(modes, RATE_HZ, 1024, STRINGS, mode, MODES), 0);
}

static void run_fresh(enum modes_width width, uint32_t period, bool is_random, float to[2][FRAMES])
{
    struct modes modes;
    start(&modes);
    assert_true(modes_use(&modes, width));
    run(&modes, period, is_random, to);
    modes_finish(&modes);
}

static bool has(enum modes_width width)
{
    struct modes modes;
    start(&modes);
    bool is_there = modes_use(&modes, width);
    modes_finish(&modes);
    return is_there;
}

// ---- the reference ----

struct controls {
    double loss[2], drive[2]; ///< from, to
    uint32_t since;           ///< block of the change
};

static double glide(const double ends[2], uint32_t blocks, uint32_t all)
{
    return blocks >= all ? ends[1] : ends[0] + (ends[1] - ends[0]) * blocks / all;
}

/// The controls of a string at each block of 16 frames.
static void find_controls(uint32_t string, uint32_t glide_blocks, double *loss, double *drive)
{
    struct controls now = {.drive = {1.0, 1.0}};
    for (uint32_t block = 0; block < FRAMES / MODES_BLOCK; block++) {
        for (int i = 0; i < CHANGES; i++)
            if (change[i].string == string &&
                (change[i].frame + MODES_BLOCK - 1) / MODES_BLOCK == block) {
                now.loss[0] = block ? loss[block - 1] : 0.0;
                now.drive[0] = block ? drive[block - 1] : 1.0;
                now.loss[1] = change[i].loss;
                now.drive[1] = change[i].drive;
                now.since = block;
            }
        loss[block] = glide(now.loss, block - now.since + 1, glide_blocks);
        drive[block] = glide(now.drive, block - now.since + 1, glide_blocks);
    }
}

static void add_exact(const struct mode *of, const float pan[2], const double *loss,
                      const double *drive)
{
    double complex z = 0.0, gain = of->gain * cexp(I * of->phase_rad), factor = 0.0;
    double turn = 2.0 * M_PI * of->frequency_hz / RATE_HZ;
    for (int i = 0; i < FRAMES; i++) {
        if (i % MODES_BLOCK == 0)
            factor = cexp(-(of->loss_per_s + loss[i / MODES_BLOCK]) / RATE_HZ + I * turn);
        exact[0][i] += pan[0] * creal(z);
        exact[1][i] += pan[1] * creal(z);
        z = factor * z + gain * drive[i / MODES_BLOCK] * in[i];
    }
}

static const struct modes_slice *slice_of(const struct modes *modes, uint32_t string)
{
    uint32_t slice = 0;
    while (slice + 1 < modes->slices && modes->slice[slice + 1].first_string <= string)
        slice++;
    return &modes->slice[slice];
}

static void find_exact(const struct mode *of, uint32_t count, const struct modes *modes)
{
    static double loss[FRAMES / MODES_BLOCK], drive[FRAMES / MODES_BLOCK];
    uint32_t place = 0;
    memset(exact, 0, sizeof exact);
    for (uint32_t i = 0; i < count; i++, place++) {
        if (!i || of[i].string != of[i - 1].string) {
            find_controls(of[i].string, modes->glide_blocks, loss, drive);
            place = 0;
        }
        const struct modes_slice *slice = slice_of(modes, of[i].string);
        float pan[2] = {slice->pan[0][place % MODES_PLACES], slice->pan[1][place % MODES_PLACES]};
        add_exact(&of[i], pan, loss, drive);
    }
}

/// Energy of the difference against that of the reference.
static double error_db(float of[2][FRAMES])
{
    double error = 0.0, all = 0.0;
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < FRAMES; i++) {
            double difference = of[side][i] - exact[side][i];
            error += difference * difference;
            all += exact[side][i] * exact[side][i];
        }
    return 10.0 * log10(error / all + 1e-30);
}

// ---- tests ----

static void test_null_against_double(void **state)
{
    (void)state;
    struct modes modes;
    start(&modes);
    find_exact(mode, MODES, &modes);
    modes_finish(&modes);
    for (int width = 0; width < MODES_WIDTHS; width++) {
        if (!has((enum modes_width)width))
            continue;
        run_fresh((enum modes_width)width, 128, false, out);
        double error = error_db(out);
        print_message("%s: %.1f dB against double\n", modes_width_name((enum modes_width)width),
                      error);
        assert_true(error < -130.0);
    }
}

/// What is left when all has rung for long is as exact as what came first.
static void test_null_of_a_piano(void **state)
{
    (void)state;
    static struct mode piano[1024];
    struct modes modes;
    uint32_t count = piano_modes(RATE_HZ, 1024, piano);
    memset(change, 0, sizeof change);
    for (int i = 0; i < CHANGES; i++)
        change[i].drive = 1.0;
    assert_int_equal(modes_init(&modes, RATE_HZ, 1024, PIANO_STRINGS, piano, count), 0);
    find_exact(piano, count, &modes);
    run(&modes, 512, false, out);
    modes_finish(&modes);
    memset(out, 0, sizeof out[0] / 2); // leave out the first quarter second on one side
    memset(exact, 0, sizeof exact[0] / 2);
    double error = error_db(out);
    print_message("piano of %u modes: %.1f dB against double\n", count, error);
    assert_true(error < -130.0);
}

static void test_widths_agree(void **state)
{
    (void)state;
    run_fresh(MODES_PLAIN, 128, false, out);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < FRAMES; i++)
            exact[side][i] = out[side][i];
    for (int width = 1; width < MODES_WIDTHS; width++) {
        if (!has((enum modes_width)width))
            continue;
        run_fresh((enum modes_width)width, 128, false, other);
        assert_true(error_db(other) < -125.0);
    }
}

/// Where no multiplication fuses, and again where all do, the order of the sums is the result.
static void test_same_arithmetic_same_bits(void **state)
{
    (void)state;
#if defined(__x86_64__) && !defined(__FMA__)
    run_fresh(MODES_PLAIN, 128, false, out);
    run_fresh(MODES_NARROW, 128, false, other);
    assert_memory_equal(out, other, sizeof out);
    if (!has(MODES_AVX2) || !has(MODES_AVX512))
        skip();
    run_fresh(MODES_AVX2, 128, false, out);
    run_fresh(MODES_AVX512, 128, false, other);
    assert_memory_equal(out, other, sizeof out);
#else
    skip();
#endif
}

static void test_cuts_do_not_matter(void **state)
{
    (void)state;
    static const uint32_t period[] = {1, 7, 16, 64, 100, 480, 1024};
    for (int width = 0; width < MODES_WIDTHS; width++) {
        if (!has((enum modes_width)width))
            continue;
        run_fresh((enum modes_width)width, 256, false, out);
        for (size_t i = width == MODES_PLAIN ? 5 : 0; i < sizeof period / sizeof *period; i++) {
            run_fresh((enum modes_width)width, period[i], period[i] > 16, other);
            assert_memory_equal(out, other, sizeof out);
        }
    }
}

static void test_slices_in_any_order(void **state)
{
    (void)state;
    struct modes forth, back;
    start(&forth);
    start(&back);
    assert_true(forth.slices > 1);
    modes_feed(&forth, in, 1024);
    modes_feed(&back, in, 1024);
    modes_run(&forth, 0, forth.slices);
    for (uint32_t slice = back.slices; slice--;)
        modes_run(&back, slice, slice + 1);
    modes_sum(&forth, (float *const[2]){out[0], out[1]});
    modes_sum(&back, (float *const[2]){other[0], other[1]});
    assert_memory_equal(out[0], other[0], 1024 * sizeof(float));
    assert_memory_equal(out[1], other[1], 1024 * sizeof(float));
    modes_finish(&back);
    modes_finish(&forth);
}

/// One mode, one sample: it has the pitch and the fade that were asked for.
static void test_pitch_and_fade(void **state)
{
    (void)state;
    struct mode one = {.frequency_hz = 27.5, .loss_per_s = 0.5, .gain = 1.0};
    struct modes modes;
    memset(in, 0, sizeof in);
    memset(change, 0, sizeof change);
    change[0].drive = 1.0;
    for (int i = 1; i < CHANGES; i++)
        change[i].frame = FRAMES;
    in[0] = 1.0f;
    assert_int_equal(modes_init(&modes, RATE_HZ, 1024, 1, &one, 1), 0);
    run(&modes, 128, false, out);
    float pan = modes.slice[0].pan[0][0];
    modes_finish(&modes);
    for (int i = 1; i < FRAMES; i++) {
        double time_s = (i - 1.0) / RATE_HZ;
        double wanted = pan * exp(-0.5 * time_s) * cos(2.0 * M_PI * 27.5 * time_s);
        assert_true(fabs(out[0][i] - wanted) < 1e-6);
    }
}

static double energy(const struct modes *modes)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < modes->groups; i++)
        for (int lane = 0; lane < MODES_LANES; lane++)
            sum += pow(modes->group[i].re[lane], 2.0) + pow(modes->group[i].im[lane], 2.0);
    return sum;
}

static void run_silence(struct modes *modes, uint32_t periods)
{
    static const float silence[480];
    for (uint32_t i = 0; i < periods; i++) {
        modes_feed(modes, silence, 480);
        modes_run(modes, 0, modes->slices);
        modes_sum(modes, (float *const[2]){other[0], other[1]});
    }
}

/// Undriven, a bank only loses; damped, it loses what was asked, and all of it in the end.
static void test_energy_falls_to_nothing(void **state)
{
    (void)state;
    struct modes modes;
    start(&modes);
    run(&modes, 256, false, out);
    for (uint32_t string = 0; string < STRINGS; string++)
        modes_string_set(&modes, string, 0.0, 0.0);
    run_silence(&modes, 4);
    double before = energy(&modes), at_start = before;
    assert_true(before > 0.0);
    for (int i = 0; i < 100; i++) {
        run_silence(&modes, 1);
        double after = energy(&modes);
        assert_true(after < before);
        before = after;
    }
    assert_true(before > 1e-3 * at_start);
    for (uint32_t string = 0; string < STRINGS; string++)
        modes_string_set(&modes, string, 40.0, 0.0);
    run_silence(&modes, 2);
    before = energy(&modes);
    run_silence(&modes, 10);
    assert_true(energy(&modes) < before * exp(-2.0 * 40.0 * 0.1));
    run_silence(&modes, 100);
    assert_true(energy(&modes) == 0.0);
    assert_true(modes_are_resting(&modes));
    for (int i = 0; i < 480; i++)
        assert_true(other[0][i] == 0.0f && other[1][i] == 0.0f);
    modes_finish(&modes);
}

static void test_clear(void **state)
{
    (void)state;
    struct modes modes;
    start(&modes);
    run(&modes, 256, false, out);
    assert_false(modes_are_resting(&modes));
    modes_clear(&modes);
    assert_true(modes_are_resting(&modes));
    run_silence(&modes, 1);
    for (int i = 0; i < 480; i++)
        assert_true(other[0][i] == 0.0f);
    modes_finish(&modes);
}

static void refuse(double rate_hz, uint32_t frames, uint32_t strings, const struct mode *of,
                   uint32_t count)
{
    struct modes modes;
    assert_int_equal(modes_init(&modes, rate_hz, frames, strings, of, count), -EINVAL);
    modes_finish(&modes);
}

static void test_refusals(void **state)
{
    (void)state;
    struct mode good[2] = {{440.0, 1.0, 1.0, 0.0, 0}, {441.0, 1.0, 1.0, 0.0, 1}}, bad[2];
    refuse(RATE_HZ, 0, 2, good, 2);
    refuse(RATE_HZ, 8193, 2, good, 2);
    refuse(RATE_HZ, 64, 1, good, 2);
    refuse(RATE_HZ, 64, MODES_STRINGS_MAX + 1, good, 2);
    refuse(RATE_HZ, 64, 2, good, 0);
    refuse(NAN, 64, 2, good, 2);
    static const struct mode change_to[] = {
        {0.0, 1.0, 1.0, 0.0, 1},  {24000.0, 1.0, 1.0, 0.0, 1}, {440.0, 0.0, 1.0, 0.0, 1},
        {NAN, 1.0, 1.0, 0.0, 1},  {440.0, NAN, 1.0, 0.0, 1},   {440.0, 1.0, INFINITY, 0.0, 1},
        {440.0, 1.0, 1.0, NAN, 1}};
    for (size_t i = 0; i < sizeof change_to / sizeof *change_to; i++) {
        bad[0] = good[0];
        bad[1] = change_to[i];
        refuse(RATE_HZ, 64, 2, bad, 2);
    }
    bad[0] = good[1];
    bad[1] = good[0];
    refuse(RATE_HZ, 64, 2, bad, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_null_against_double, set_up),
        cmocka_unit_test_setup(test_null_of_a_piano, set_up),
        cmocka_unit_test_setup(test_widths_agree, set_up),
        cmocka_unit_test_setup(test_same_arithmetic_same_bits, set_up),
        cmocka_unit_test_setup(test_cuts_do_not_matter, set_up),
        cmocka_unit_test_setup(test_slices_in_any_order, set_up),
        cmocka_unit_test_setup(test_pitch_and_fade, set_up),
        cmocka_unit_test_setup(test_energy_falls_to_nothing, set_up),
        cmocka_unit_test_setup(test_clear, set_up),
        cmocka_unit_test_setup(test_refusals, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
