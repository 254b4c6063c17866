// The convolver against convolution as it is defined, in double precision; and that the length of
// the period changes nothing.
// variants: release asan
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "tests/effects/hall.h"

static void check_error(const char *cut, uint32_t impulse_frames, uint32_t channels,
                        uint32_t frames, uint32_t period, uint32_t samples)
{
    struct impulse *impulse = hall_random_impulse(impulse_frames, channels);
    struct sound in = sound_create(frames, true), out = hall_render(cut, impulse, in, period);
    double db = hall_error_db(impulse, in, out, samples);
    if (!(db <= -125))
        fail_msg("%s: %u frames, %u channels, period %u: %.1f dB", cut ? cut : "standard",
                 impulse_frames, channels, period, db);
    impulse_destroy(impulse);
    sound_free(in);
    sound_free(out);
}

static void short_responses_are_exact(void **state)
{
    (void)state;
    const uint32_t lengths[] = {1, 2, 31, 63, 64, 65, 127, 128, 129, 1000, 2111, 2112, 2113, 4800};
    const uint32_t periods[] = {32, 64, 37, 1, 0, 1024, 441};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_error(NULL, lengths[i], i % 3 == 2 ? 4 : 1 + (uint32_t)i % 3, 6000, periods[i % 7],
                    6000);
}

static void every_period_and_kind_is_exact(void **state)
{
    (void)state;
    const uint32_t periods[] = {32, 64, 100, 128, 256, 333, 512, 1024, 8192};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        for (uint32_t channels = 1; channels <= 4; channels *= 2)
            check_error("32x16,128x8,512x4,1024", 9000, channels, 30000, periods[i], 300);
}

static void long_responses_are_exact(void **state)
{
    (void)state;
    check_error(NULL, 3 * RATE, 2, 5 * RATE, 64, 150);
    check_error(NULL, 10 * RATE, 4, 12 * RATE, 128, 60);
    check_error(NULL, 10 * RATE, 1, 12 * RATE, 0, 60);
}

// ---- what must not change the sound ----

static void the_period_changes_no_bit(void **state)
{
    (void)state;
    struct impulse *impulse = hall_random_impulse(20000, 4);
    struct sound in = sound_create(40000, true);
    struct sound wanted = hall_render("64x16,256x16,2048", impulse, in, 64);
    const uint32_t periods[] = {1, 0, 48, 441, 1024, 8192};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        struct sound out = hall_render("64x16,256x16,2048", impulse, in, periods[i]);
        sound_assert_same(wanted, out);
        sound_free(out);
    }
    sound_free(wanted);
    sound_free(in);
    impulse_destroy(impulse);
}

static void out_may_be_in(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256");
    struct impulse *impulse = hall_random_impulse(5000, 4);
    struct sound in = sound_create(10000, true),
                 wanted = hall_render("64x16,256", impulse, in, 100);
    struct convolver *convolver = hall_create(&schedule, 5000, 0, NULL);
    hall_set(convolver, &schedule, impulse);
    for (uint32_t at = 0; at < in.frames; at += 100)
        hall_run_part(convolver, in, in, at, 100);
    sound_assert_same(wanted, in);
    convolver_destroy(convolver);
    impulse_destroy(impulse);
    sound_free(in);
    sound_free(wanted);
}

static void silence_costs_no_tail(void **state)
{
    (void)state;
    struct impulse *impulse = hall_random_impulse(20000, 2);
    struct sound in = sound_create(90000, true);
    for (int c = 0; c < 2; c++) // a burst, a pause longer than the response, a burst
        memset(in.channel[c] + 10000, 0, 60000 * sizeof(float));
    struct sound out = hall_render("64x16,256x16,2048", impulse, in, 64);
    assert_true(hall_error_db(impulse, in, out, 400) <= -125);
    for (uint32_t i = 36000; i < 70000; i++)
        assert_true(out.channel[0][i] == 0 && out.channel[1][i] == 0);
    sound_free(in);
    sound_free(out);
    impulse_destroy(impulse);
}

// ---- bad settings ----

static void bad_settings_are_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"48", "16", "64x4,256", "64x16,64", "64x16,32", "64x16", "131072"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct schedule schedule = hall_cut(bad[i]);
        errno = 0;
        assert_null(convolver_create(&(struct convolver_settings){
            .schedule = schedule, .frames_max = 48000, .rate_hz = RATE}));
        assert_int_equal(errno, EINVAL);
    }
    struct schedule schedule = hall_cut("64x16,256"), other = hall_cut("64x32,256");
    struct convolver *convolver = hall_create(&schedule, 1000, 0, NULL);
    struct impulse *longer = hall_random_impulse(1001, 1), *good = hall_random_impulse(1000, 1);
    struct response *too_long = response_create(longer, &schedule);
    struct response *cut_otherwise = response_create(good, &other);
    assert_int_equal(convolver_set(convolver, too_long), -EINVAL);
    assert_int_equal(convolver_set(convolver, cut_otherwise), -EINVAL);
    response_drop(too_long);
    response_drop(cut_otherwise);
    convolver_destroy(convolver);
    convolver_destroy(NULL);
    tail_destroy(NULL);
    assert_null(tail_create(16, 0));
    impulse_destroy(longer);
    impulse_destroy(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_responses_are_exact),
        cmocka_unit_test(every_period_and_kind_is_exact),
        cmocka_unit_test(long_responses_are_exact),
        cmocka_unit_test(the_period_changes_no_bit),
        cmocka_unit_test(out_may_be_in),
        cmocka_unit_test(silence_costs_no_tail),
        cmocka_unit_test(bad_settings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
