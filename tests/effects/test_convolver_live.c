// The convolver with workers: in time, late, and hanging; and changes of response while it plays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <time.h>

#include "tests/effects/hall.h"

/// Waits until the workers have nothing to do, as if time were plenty.
static void run_patiently(struct convolver *convolver, struct tail *tail, struct sound in,
                          struct sound out, uint32_t period)
{
    for (uint32_t at = 0; at < in.frames; at += period) {
        uint32_t frames = period < in.frames - at ? period : in.frames - at;
        hall_run_part(convolver, in, out, at, frames);
        while (tail_work(tail))
            continue;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

static void workers_change_no_bit(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256x16,2048");
    struct impulse *impulse = hall_random_impulse(20000, 2);
    struct sound in = sound_create(60000, true), out = sound_create(60000, false);
    struct sound wanted = hall_render("64x16,256x16,2048", impulse, in, 64);
    struct tail *tail = tail_create(2, 0);
    struct convolver *convolver = hall_create(&schedule, 20000, 480, tail);
    hall_set(convolver, &schedule, impulse);
    run_patiently(convolver, tail, in, out, 128);
    // A machine under load may be late, and is then allowed to differ.
    if (convolver_late_blocks(convolver) == 0)
        sound_assert_same(wanted, out);
    else
        print_message("late: %u blocks\n", convolver_late_blocks(convolver));
    convolver_destroy(convolver);
    tail_destroy(tail);
    sound_free(wanted);
    sound_free(out);
    sound_free(in);
    impulse_destroy(impulse);
}

/// Long periods take the levels away from the workers, short ones give them back.
static void periods_may_change_under_the_workers(void **state)
{
    (void)state;
    const char *cut = "64x16,256x16,2048";
    struct schedule schedule = hall_cut(cut);
    struct impulse *impulse = hall_random_impulse(20000, 4);
    struct sound in = sound_create(150000, true), out = sound_create(150000, false);
    struct sound wanted = hall_render(cut, impulse, in, 64);
    struct tail *tail = tail_create(2, 0);
    struct convolver *convolver = hall_create(&schedule, 20000, 480, tail);
    hall_set(convolver, &schedule, impulse);
    for (uint32_t at = 0, frames; at < in.frames; at += frames) {
        frames = hall_dice(0, 3) ? hall_dice(1, 300) : hall_dice(1, 8192);
        frames = frames < in.frames - at ? frames : in.frames - at;
        hall_run_part(convolver, in, out, at, frames);
        nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
    }
    if (convolver_late_blocks(convolver) == 0)
        sound_assert_same(wanted, out);
    else // left out, but never added twice or in a wrong place
        assert_true(hall_error_db(impulse, in, out, 100) < 0);
    convolver_destroy(convolver);
    tail_destroy(tail);
    sound_free(wanted);
    sound_free(out);
    sound_free(in);
    impulse_destroy(impulse);
}

static void a_crew_of_none_is_worked_by_hand(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256x16,2048");
    struct impulse *impulse = hall_random_impulse(20000, 4);
    struct sound in = sound_create(40000, true), out = sound_create(40000, false);
    struct sound wanted = hall_render("64x16,256x16,2048", impulse, in, 64);
    struct tail *tail = tail_create(0, 0);
    struct convolver *convolver = hall_create(&schedule, 20000, 480, tail);
    hall_set(convolver, &schedule, impulse);
    // Long periods leave no time for anybody: the audio thread computes for itself.
    for (uint32_t at = 0; at < in.frames; at += 400) {
        hall_run_part(convolver, in, out, at, 400);
        while (tail_work(tail))
            continue;
    }
    assert_int_equal(convolver_late_blocks(convolver), 0);
    sound_assert_same(wanted, out);
    convolver_destroy(convolver);
    tail_destroy(tail);
    sound_free(wanted);
    sound_free(out);
    sound_free(in);
    impulse_destroy(impulse);
}

// ---- late results ----

/// The sound of a crew that nobody works between the frames `from` and `to`.
static struct convolver *run_lazily(struct tail *tail, const struct schedule *schedule,
                                    const struct impulse *impulse, struct sound in,
                                    struct sound out, uint32_t from, uint32_t to)
{
    struct convolver *convolver = hall_create(schedule, impulse->frames, 480, tail);
    hall_set(convolver, schedule, impulse);
    for (uint32_t at = 0; at + 64 <= in.frames; at += 64) {
        hall_run_part(convolver, in, out, at, 64);
        while ((at < from || at >= to) && tail_work(tail))
            continue;
    }
    return convolver;
}

static void late_results_are_left_out_and_counted(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256");
    struct impulse *impulse = hall_random_impulse(8000, 2);
    struct sound in = sound_create(64000, true), out = sound_create(64000, false);
    struct tail *tail = tail_create(0, 0);
    struct convolver *convolver = run_lazily(tail, &schedule, impulse, in, out, 20000, 30000);
    uint32_t late = convolver_late_blocks(convolver);
    // 10000 frames are 39 blocks; those due in the first 832 of them were already computed.
    assert_in_range(late, 34, 40);
    struct sound wanted = hall_render("64x16,256", impulse, in, 64);
    // Before, and once all input since the stall has been heard again, it is the same to the bit.
    for (uint32_t i = 0; i < 63000; i++)
        if (i < 20000 || i > 30000 + 8000 + 10000 + 512)
            assert_true(out.channel[0][i] == wanted.channel[0][i]);
    // Meanwhile the part of the first level goes on, and nothing is louder than it should be.
    double lazy = 0, whole = 0;
    for (uint32_t i = 22000; i < 30000; i++) {
        lazy += pow(out.channel[0][i], 2);
        whole += pow(wanted.channel[0][i], 2);
    }
    assert_true(lazy > 0.05 * whole && lazy < 0.3 * whole);
    convolver_destroy(convolver);
    tail_destroy(tail);
    impulse_destroy(impulse);
    sound_free(in);
    sound_free(out);
    sound_free(wanted);
}

/// The largest step from one sample to the next, in a stretch.
static float roughness(struct sound sound, uint32_t from, uint32_t to)
{
    float largest = 0;
    for (uint32_t i = from; i < to; i++)
        largest = fmaxf(largest, fabsf(sound.channel[0][i] - sound.channel[0][i - 1]));
    return largest;
}

static void a_late_result_does_not_click(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256");
    struct impulse *impulse = impulse_create_silent(8000, 1, RATE);
    struct sound in = sound_create(64000, false), out = sound_create(64000, false);
    impulse->channel[0][4000] = 1; // a pure delay, which the workers compute
    for (uint32_t i = 0; i < in.frames; i++)
        in.channel[0][i] = in.channel[1][i] = (float)sin(2 * M_PI * 200 * i / RATE);
    struct tail *tail = tail_create(0, 0);
    struct convolver *convolver = run_lazily(tail, &schedule, impulse, in, out, 20000, 30000);
    assert_true(convolver_late_blocks(convolver) > 0);
    // A sine of 200 Hz moves by 0.026 a sample.
    assert_true(roughness(out, 10000, 60000) < 0.035f);
    convolver_destroy(convolver);
    tail_destroy(tail);
    impulse_destroy(impulse);
    sound_free(in);
    sound_free(out);
}

static void a_worker_that_hangs_loses_input_and_comes_back(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256");
    struct impulse *impulse = hall_random_impulse(4000, 2);
    struct sound in = sound_create(200000, true), out = sound_create(200000, false);
    struct tail *tail = tail_create(0, 0);
    // Much longer than the slots reach.
    struct convolver *convolver = run_lazily(tail, &schedule, impulse, in, out, 20000, 150000);
    struct sound wanted = hall_render("64x16,256", impulse, in, 64);
    for (uint32_t i = 160000; i < 199000; i++)
        assert_true(out.channel[1][i] == wanted.channel[1][i]);
    convolver_destroy(convolver);
    tail_destroy(tail);
    impulse_destroy(impulse);
    sound_free(in);
    sound_free(out);
    sound_free(wanted);
}

// ---- change of response ----

static void a_change_ends_at_the_new_response(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256x16,2048");
    struct impulse *first = hall_random_impulse(20000, 2), *second = hall_random_impulse(15000, 4);
    struct sound in = sound_create(90000, true), out = sound_create(90000, false);
    struct convolver *convolver = hall_create(&schedule, 20000, 2400, NULL);
    hall_set(convolver, &schedule, first);
    uint32_t at = 0;
    for (; at < 30000; at += 100)
        hall_run_part(convolver, in, out, at, 100);
    hall_set(convolver, &schedule, second);
    for (; at < in.frames; at += 100)
        hall_run_part(convolver, in, out, at, 100);
    assert_false(convolver_collect(convolver));
    struct sound before = hall_render("64x16,256x16,2048", first, in, 64);
    struct sound after = hall_render("64x16,256x16,2048", second, in, 64);
    // The last level begins 5184 frames into the response, and fades within a block and a half.
    for (uint32_t i = 0; i < in.frames; i++) {
        if (i < 30000)
            assert_true(out.channel[0][i] == before.channel[0][i]);
        if (i >= 30000 + 5184 + 2400 + 2048)
            assert_true(out.channel[0][i] == after.channel[0][i]);
    }
    convolver_destroy(convolver);
    impulse_destroy(first);
    impulse_destroy(second);
    sound_free(in);
    sound_free(out);
    sound_free(before);
    sound_free(after);
}

static void a_change_keeps_the_power(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256x16,2048");
    struct impulse *first = hall_random_impulse(12000, 2), *second = hall_random_impulse(12000, 2);
    struct sound in = sound_create(60000, true), out = sound_create(60000, false);
    struct convolver *convolver = hall_create(&schedule, 12000, 2400, NULL);
    hall_set(convolver, &schedule, first);
    for (uint32_t at = 0; at < in.frames; at += 64) {
        if (at == 30016)
            hall_set(convolver, &schedule, second);
        hall_run_part(convolver, in, out, at, at + 64 <= in.frames ? 64 : in.frames - at);
    }
    // White noise through white noise of n taps has n/9 times the power of a tap of one.
    for (uint32_t at = 20000; at < 50000; at += 1000) {
        double power = 0;
        for (uint32_t i = at; i < at + 1000; i++)
            power += pow(out.channel[0][i], 2) / 1000;
        assert_true(power > 0.7 * 12000 / 9 && power < 1.4 * 12000 / 9); // within 1.5 dB
    }
    convolver_destroy(convolver);
    impulse_destroy(first);
    impulse_destroy(second);
    sound_free(in);
    sound_free(out);
}

static void changes_in_a_row_end_at_the_last(void **state)
{
    (void)state;
    struct schedule schedule = hall_cut("64x16,256");
    struct impulse *last = hall_random_impulse(3000, 1);
    struct sound in = sound_create(60000, true), out = sound_create(60000, false);
    struct convolver *convolver = hall_create(&schedule, 8000, 2400, NULL);
    for (uint32_t at = 0; at < in.frames; at += 32) {
        if (at % 512 == 0 && at < 30000) { // faster than it can fade
            struct impulse *impulse = hall_random_impulse(hall_dice(1, 8000), 2);
            hall_set(convolver, &schedule, impulse);
            impulse_destroy(impulse);
        }
        if (at == 30016)
            hall_set(convolver, &schedule, last);
        convolver_collect(convolver);
        hall_run_part(convolver, in, out, at, 32);
    }
    struct sound wanted = hall_render("64x16,256", last, in, 64);
    for (uint32_t i = 50000; i < in.frames; i++)
        assert_true(out.channel[0][i] == wanted.channel[0][i]);
    assert_int_equal(convolver_set(convolver, NULL), 0); // and to silence
    for (uint32_t at = 0; at < in.frames; at += 32)
        hall_run_part(convolver, in, out, at, 32);
    assert_true(out.channel[0][59999] == 0);
    convolver_destroy(convolver);
    impulse_destroy(last);
    sound_free(in);
    sound_free(out);
    sound_free(wanted);
}

// ---- many at once ----

static void convolvers_share_a_crew(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    struct schedule schedule = hall_cut("64x16,256x16,2048");
    struct tail *tail = tail_create(3, 0);
    struct convolver *convolvers[COUNT];
    struct sound in = sound_create(30000, true), out = sound_create(30000, false);
    for (int i = 0; i < COUNT; i++) {
        struct impulse *impulse = hall_random_impulse(hall_dice(2000, 20000), i % 2 ? 4 : 2);
        convolvers[i] = hall_create(&schedule, 20000, 480, tail);
        hall_set(convolvers[i], &schedule, impulse);
        impulse_destroy(impulse);
    }
    for (uint32_t at = 0; at + 128 <= in.frames; at += 128) {
        for (int i = 0; i < COUNT; i++)
            if (convolvers[i])
                hall_run_part(convolvers[i], in, out, at, 128);
        if (at == 128 * 100) { // one leaves while the others are at work
            convolver_destroy(convolvers[2]);
            convolvers[2] = NULL;
        }
    }
    for (int i = 0; i < COUNT; i++)
        convolver_destroy(convolvers[i]);
    tail_destroy(tail);
    sound_free(in);
    sound_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_change_no_bit),
        cmocka_unit_test(periods_may_change_under_the_workers),
        cmocka_unit_test(a_crew_of_none_is_worked_by_hand),
        cmocka_unit_test(late_results_are_left_out_and_counted),
        cmocka_unit_test(a_late_result_does_not_click),
        cmocka_unit_test(a_worker_that_hangs_loses_input_and_comes_back),
        cmocka_unit_test(a_change_ends_at_the_new_response),
        cmocka_unit_test(a_change_keeps_the_power),
        cmocka_unit_test(changes_in_a_row_end_at_the_last),
        cmocka_unit_test(convolvers_share_a_crew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
