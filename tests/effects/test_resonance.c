// The resonance: which strings ring with which, what dampers and pedal do to them, and that nothing
// but the controls, the input and the frame decides what is heard.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "dsp/base/crew.h"
#include "dsp/base/rt.h"
#include "dsp/effects/resonance.h"

enum { RATE_HZ = 48000, FRAMES = 24000, BUDGET = 4096, SMALL = 1024, C4 = 60 };

static float in[2][FRAMES], wet[2][FRAMES], other[2][FRAMES];

// ---- inputs ----

/// A piano note without hammer or board: its partials, for half the time of dry sound.
static void fill_note(int key, double gain)
{
    memset(in, 0, sizeof in);
    for (int k = 1; k <= 16 && piano_partial_hz(key, k) < 16000.0; k++) {
        double turn = 2.0 * M_PI * piano_partial_hz(key, k) / RATE_HZ;
        double loss = piano_loss_per_s(key, k) / RATE_HZ;
        for (int i = 0; i < FRAMES / 2; i++)
            in[0][i] += (float)(gain / k * exp(-loss * i) * sin(turn * i));
    }
    memcpy(in[1], in[0], sizeof in[0]);
}

static void fill_noise(void)
{
    srand(2);
    for (int i = 0; i < FRAMES; i++)
        for (int side = 0; side < 2; side++)
            in[side][i] = i < FRAMES / 2 ? (float)rand() / (float)RAND_MAX - 0.5f : 0.0f;
}

// ---- running ----

static void start(struct resonance *resonance, uint32_t budget)
{
    rt_flush_denormals();
    assert_int_equal(resonance_init(resonance, RATE_HZ, 1024, budget), 0);
    resonance_set(resonance, 0.0f, 1.0f, 0.0f);
}

static void run_some(struct resonance *resonance, uint32_t at, uint32_t frames, float to[2][FRAMES])
{
    const float *const dry[2] = {in[0] + at, in[1] + at};
    resonance_run(resonance, dry, (float *const[2]){to[0] + at, to[1] + at}, frames);
}

static void run(struct resonance *resonance)
{
    for (uint32_t at = 0; at < FRAMES; at += 1000)
        run_some(resonance, at, 1000, wet);
}

static double power(const float *samples, int first, int last)
{
    double sum = 0.0;
    for (int i = first; i < last; i++)
        sum += (double)samples[i] * samples[i];
    return sum / (last - first);
}

/// What is in the strings of a key.
static double energy(const struct resonance *resonance, int key)
{
    const struct modes_string *string = &resonance->modes.string[key - PIANO_LOW];
    double sum = 0.0;
    for (uint32_t i = 0; i < string->groups; i++)
        for (int lane = 0; lane < MODES_LANES; lane++) {
            const struct modes_group *group = &resonance->modes.group[string->first_group + i];
            sum += group->re[lane] * group->re[lane] + group->im[lane] * group->im[lane];
        }
    return sum;
}

/// Level of the ringing that a staccato C4 leaves when one key is held, or with the pedal at
/// `pedal`.
static double ringing(int held_key, int pedal, double *of_key)
{
    struct resonance resonance;
    start(&resonance, BUDGET);
    resonance_hold(&resonance, held_key, true);
    resonance_pedal(&resonance, pedal);
    fill_note(C4, 0.2);
    run(&resonance);
    if (of_key)
        *of_key = energy(&resonance, held_key);
    resonance_finish(&resonance);
    return power(wet[0], FRAMES * 3 / 4, FRAMES) + power(wet[1], FRAMES * 3 / 4, FRAMES);
}

// ---- sympathy ----

static double key_energy(int held_key)
{
    double of_key;
    ringing(held_key, 0, &of_key);
    return of_key;
}

/// Octaves, twelfths, fifths and fourths share partials with C4, the keys beside them hardly any.
static void test_related_strings_ring(void **state)
{
    (void)state;
    static const int interval[] = {-19, -12, -7, 5, 7, 12, 19};
    double least = INFINITY;
    for (size_t i = 0; i < sizeof interval / sizeof *interval; i++) {
        double related = key_energy(C4 + interval[i]);
        least = fmin(least, related / key_energy(C4 + interval[i] - 1));
        least = fmin(least, related / key_energy(C4 + interval[i] + 1));
    }
    print_message("at least %.1f dB above the keys beside them\n", 10.0 * log10(least));
    assert_true(least > 10.0);
}

/// The held octave is heard, more than a held neighbour and than no key at all.
static void test_held_key_is_heard(void **state)
{
    (void)state;
    double none = ringing(PIANO_LOW - 1, 0, NULL);
    double octave = ringing(C4 - 12, 0, NULL), neighbour = ringing(C4 - 13, 0, NULL);
    assert_true(octave > 100.0 * none);
    assert_true(octave > 50.0 * neighbour);
    assert_true(neighbour < 10.0 * none);
}

static void test_pedal_frees_all(void **state)
{
    (void)state;
    double before = 0.0;
    static const int value[] = {0, 40, 50, 60, 70, 80, 90, 127};
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        double now = ringing(PIANO_LOW - 1, value[i], NULL);
        assert_true(now > before);
        before = now;
    }
    assert_true(before > 100.0 * ringing(PIANO_LOW - 1, 24, NULL));
}

/// With every key up only the soundboard and the strings without dampers sound.
static void test_dampers_rest(void **state)
{
    (void)state;
    struct resonance resonance;
    start(&resonance, BUDGET);
    fill_noise();
    run(&resonance);
    for (int key = PIANO_LOW; key <= PIANO_HIGH; key++)
        assert_true((energy(&resonance, key) > 0.0) == (key >= PIANO_UNDAMPED));
    resonance_finish(&resonance);
}

/// A key let go falls silent in its damper's time; a pedal keeps it.
static double kept_after_release(int pedal)
{
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_hold(&resonance, C4, true);
    fill_note(C4, 0.2);
    for (uint32_t at = 0; at < FRAMES / 2; at += 1000)
        run_some(&resonance, at, 1000, wet);
    double before = energy(&resonance, C4);
    resonance_pedal(&resonance, pedal);
    resonance_hold(&resonance, C4, false);
    for (uint32_t at = FRAMES / 2; at < FRAMES; at += 1000)
        run_some(&resonance, at, 1000, wet);
    double after = energy(&resonance, C4);
    resonance_finish(&resonance);
    return after / before;
}

static void test_release_and_half_pedal(void **state)
{
    (void)state;
    double up = kept_after_release(0), half = kept_after_release(60);
    double down = kept_after_release(127);
    assert_true(up < 1e-5);
    assert_true(half > 1e2 * up && half < 0.25 * down);
    assert_true(down > 0.1 && down < 1.0);
}

// ---- parameters ----

static void run_with(float amount_db, float decay, float brightness)
{
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_set(&resonance, amount_db, decay, brightness);
    resonance_pedal(&resonance, 127);
    fill_noise();
    run(&resonance);
    resonance_finish(&resonance);
}

/// Power of the differences of samples against their own: more with more high frequencies.
static double sharpness(void)
{
    double sum = 0.0;
    for (int i = FRAMES / 4; i < FRAMES / 2; i++)
        sum += pow((double)wet[0][i] - wet[0][i - 1], 2.0);
    return sum / power(wet[0], FRAMES / 4, FRAMES / 2);
}

static void test_parameters(void **state)
{
    (void)state;
    run_with(0.0f, 1.0f, 0.0f);
    double plain = power(wet[0], FRAMES / 4, FRAMES),
           plain_tail = power(wet[0], FRAMES * 7 / 8, FRAMES);
    double plain_sharpness = sharpness();
    run_with(-20.0f, 1.0f, 0.0f);
    assert_true(fabs(power(wet[0], FRAMES / 4, FRAMES) / plain - 0.01) < 1e-4);
    run_with(0.0f, 0.25f, 0.0f);
    assert_true(power(wet[0], FRAMES * 7 / 8, FRAMES) < 0.5 * plain_tail);
    run_with(0.0f, 2.0f, 0.0f);
    assert_true(power(wet[0], FRAMES * 7 / 8, FRAMES) > plain_tail);
    run_with(0.0f, 1.0f, 1.0f);
    assert_true(sharpness() > 1.5 * plain_sharpness);
    run_with(0.0f, 1.0f, -1.0f);
    assert_true(sharpness() < 0.67 * plain_sharpness);
}

/// A string with one partial left to ring: 0.5 and 2 times its time, as asked.
static double seconds_of_decay(float decay)
{
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_set(&resonance, 0.0f, decay, 0.0f);
    resonance_pedal(&resonance, 127);
    resonance_clear(&resonance);
    const struct modes_string *string = &resonance.modes.string[C4 - PIANO_LOW];
    struct modes_group *group = &resonance.modes.group[string->first_group];
    group->re[1] = 1.0; // the second string of partial 1, which is the slowest
    group->is_resting = false;
    memset(in, 0, sizeof in);
    run(&resonance);
    double loss = -0.5 * log(energy(&resonance, C4)) * RATE_HZ / FRAMES;
    resonance_finish(&resonance);
    return 1.0 / loss;
}

static void test_decay_is_exact(void **state)
{
    (void)state;
    double natural = seconds_of_decay(1.0f);
    assert_true(fabs(1.0 / natural - 0.7 * piano_loss_per_s(C4, 1)) < 1e-6);
    assert_true(fabs(seconds_of_decay(0.5f) / natural - 0.5) < 1e-6);
    assert_true(fabs(seconds_of_decay(2.0f) / natural - 2.0) < 1e-6);
}

/// Off, the strings ring out unheard, and in the end nothing moves.
static void test_off(void **state)
{
    (void)state;
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_pedal(&resonance, 127);
    fill_noise();
    run_some(&resonance, 0, 1000, wet);
    run_some(&resonance, 1000, 1000, wet);
    resonance_set(&resonance, -60.0f, 0.25f, 0.0f);
    run_some(&resonance, 2000, 1000, wet);
    double before = energy(&resonance, C4);
    run_some(&resonance, 3000, 1000, wet);
    for (int i = 2960; i < 4000; i++)
        assert_true(wet[0][i] == 0.0f && wet[1][i] == 0.0f);
    assert_true(energy(&resonance, C4) < before);
    resonance_pedal(&resonance, 0);
    for (int i = 0; i < 20; i++)
        run(&resonance);
    assert_true(modes_are_resting(&resonance.modes));
    resonance_finish(&resonance);
}

// ---- periods ----

/// All controls at frames of their own, some in the middle of a block.
static void control_at(struct resonance *resonance, uint32_t frame)
{
    switch (frame) {
    case 0:
        resonance_pedal(resonance, 100);
        break;
    case 3001:
        resonance_set(resonance, 3.0f, 0.7f, 0.5f);
        break;
    case 3200:
        resonance_hold(resonance, C4, true);
        break;
    case 3333:
        resonance_pedal(resonance, 0);
        break;
    case 3500:
        resonance_set(resonance, -60.0f, 1.0f, -0.5f);
        break;
    case 6001:
        resonance_set(resonance, -6.0f, 1.5f, 0.0f);
        break;
    case 6007:
        resonance_pedal(resonance, 64);
        break;
    case 7000:
        resonance_hold(resonance, C4, false);
        break;
    default:
        break;
    }
}

static void run_cut(uint32_t period, bool is_random, float to[2][FRAMES])
{
    static const uint32_t change[] = {3001, 3200, 3333, 3500, 6001, 6007, 7000, 12000};
    struct resonance resonance;
    start(&resonance, SMALL);
    fill_noise();
    for (uint32_t at = 0, next = 0, frames; at < 12000; at += frames) {
        control_at(&resonance, at);
        while (change[next] <= at)
            next++;
        frames = is_random ? 1 + (uint32_t)rand() % period : period;
        frames = frames < change[next] - at ? frames : change[next] - at;
        run_some(&resonance, at, frames, to);
    }
    resonance_finish(&resonance);
}

static void test_cuts_do_not_matter(void **state)
{
    (void)state;
    run_cut(128, false, wet);
    assert_true(power(wet[0], 6500, 12000) > 0.0);
    run_cut(13, false, other);
    assert_memory_equal(wet, other, sizeof wet);
    run_cut(1024, true, other);
    assert_memory_equal(wet, other, sizeof wet);
    run_cut(64, true, other);
    assert_memory_equal(wet, other, sizeof wet);
}

static void run_slice(void *context, uint32_t index)
{
    resonance_run_slices(context, index, index + 1);
}

static void run_crew(int workers, float to[2][FRAMES])
{
    struct resonance resonance;
    struct crew *crew = crew_create(workers, 0, NULL, NULL);
    assert_non_null(crew);
    start(&resonance, BUDGET);
    resonance_pedal(&resonance, 127);
    for (uint32_t at = 0; at < 6400; at += 128) {
        resonance_begin(&resonance, (const float *const[2]){in[0] + at, in[1] + at}, 128);
        crew_run(crew, run_slice, &resonance, resonance_slices(&resonance));
        resonance_end(&resonance, (float *const[2]){to[0] + at, to[1] + at});
    }
    crew_destroy(crew);
    resonance_finish(&resonance);
}

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    fill_noise();
    memset(wet, 0, sizeof wet);
    memset(other, 0, sizeof other);
    run_crew(0, wet);
    run_crew(2, other);
    assert_true(power(wet[0], 0, 6400) > 0.0);
    assert_memory_equal(wet, other, sizeof wet);
}

/// Sudden controls make no sudden sound: no step larger than those of the steady ringing.
static void test_controls_do_not_click(void **state)
{
    (void)state;
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_pedal(&resonance, 127);
    for (int i = 0; i < FRAMES; i++)
        in[0][i] = in[1][i] = 0.3f * sinf(2.0f * (float)M_PI * 261.63f * (float)i / RATE_HZ);
    double largest[2] = {0.0, 0.0};
    for (uint32_t at = 0; at < FRAMES; at += 1000) {
        if (at >= FRAMES / 2 && at % 4000 == 0) {
            resonance_pedal(&resonance, at % 8000 ? 127 : 0);
            resonance_set(&resonance, at % 8000 ? -60.0f : 0.0f, at % 8000 ? 2.0f : 0.5f, 0.0f);
        }
        run_some(&resonance, at, 1000, wet);
    }
    for (int i = FRAMES / 4; i < FRAMES; i++) {
        double step = fabs((double)wet[0][i] - wet[0][i - 1]);
        largest[i >= FRAMES / 2] = fmax(largest[i >= FRAMES / 2], step);
    }
    assert_true(largest[1] < 1.5 * largest[0]);
    resonance_finish(&resonance);
}

// ---- bad input ----

static void test_bad_input_is_silence(void **state)
{
    (void)state;
    struct resonance resonance;
    start(&resonance, SMALL);
    resonance_pedal(&resonance, 127);
    fill_noise();
    in[0][10] = NAN;
    in[1][20] = INFINITY;
    in[0][30] = -1e30f;
    run(&resonance);
    for (int i = 0; i < FRAMES; i++)
        assert_true(fabsf(wet[0][i]) < 10.0f && fabsf(wet[1][i]) < 10.0f);
    resonance_hold(&resonance, -5, true);
    resonance_hold(&resonance, 1000, true);
    resonance_pedal(&resonance, 100000);
    resonance_set(&resonance, NAN, NAN, NAN);
    resonance_set(&resonance, 1e30f, -1e30f, 1e30f);
    run(&resonance);
    for (int i = 0; i < FRAMES; i++)
        assert_true(fabsf(wet[0][i]) < 100.0f && fabsf(wet[1][i]) < 100.0f);
    resonance_finish(&resonance);
}

static void test_refusals(void **state)
{
    (void)state;
    struct resonance resonance;
    assert_int_equal(resonance_init(&resonance, 7999, 64, BUDGET), -EINVAL);
    assert_int_equal(resonance_init(&resonance, NAN, 64, BUDGET), -EINVAL);
    assert_int_equal(resonance_init(&resonance, RATE_HZ, 0, BUDGET), -EINVAL);
    assert_int_equal(resonance_init(&resonance, RATE_HZ, 8193, BUDGET), -EINVAL);
    assert_int_equal(resonance_init(&resonance, RATE_HZ, 64, 255), -EINVAL);
    assert_int_equal(resonance_init(&resonance, RATE_HZ, 64, 32769), -EINVAL);
    resonance_finish(&resonance);
}

static void test_fit(void **state)
{
    (void)state;
    assert_int_equal(resonance_fit(0.1, 48000, 1.0), RESONANCE_MODES);
    assert_int_equal(resonance_fit(1.0, 48000, 0.1), 2080); // 2083 in whole groups
    assert_int_equal(resonance_fit(1000.0, 48000, 0.1), RESONANCE_MODES_LEAST);
    assert_int_equal(resonance_fit(NAN, 48000, 0.1), RESONANCE_MODES_LEAST);
    double ns = resonance_measure_ns(48000);
    assert_true(ns > 0.001 && ns < 1000.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_related_strings_ring),
        cmocka_unit_test(test_held_key_is_heard),
        cmocka_unit_test(test_pedal_frees_all),
        cmocka_unit_test(test_dampers_rest),
        cmocka_unit_test(test_release_and_half_pedal),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_decay_is_exact),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_cuts_do_not_matter),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_controls_do_not_click),
        cmocka_unit_test(test_bad_input_is_silence),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
