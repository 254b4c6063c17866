/// The sample clock against a simulated card: a true rate that is off by some ppm and callbacks
/// that come late or early by a random time.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dsp/base/dll.h"

enum { RATE_HZ = 48000 };

static const int64_t START_NS = 31536000000000000; // a year of uptime: doubles alone would round

/// A card whose clock is `ppm` fast, and callbacks with uniform jitter of +-`jitter_ns`.
struct card {
    double ppm, jitter_ns;
    uint64_t seed;
};

static int64_t true_time_ns(const struct card *card, uint64_t frame)
{
    double rate_hz = RATE_HZ * (1.0 + card->ppm * 1e-6);
    return START_NS + llround((double)frame / rate_hz * 1e9);
}

static double noise(struct card *card)
{
    card->seed = card->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(card->seed >> 11) / 4503599627370496.0 - 1.0; // -1..1
}

static void run(struct dll *dll, struct card *card, uint64_t *frame, double seconds)
{
    uint64_t end = *frame + (uint64_t)(seconds * RATE_HZ);
    for (; *frame < end; *frame += dll->period_frames)
        dll_update(dll, *frame,
                   true_time_ns(card, *frame) + llround(card->jitter_ns * noise(card)));
}

static double worst_error_ns(struct dll *dll, struct card *card, uint64_t *frame, double seconds)
{
    double worst_ns = 0.0;
    uint64_t end = *frame + (uint64_t)(seconds * RATE_HZ);
    while (*frame < end) {
        run(dll, card, frame, (double)dll->period_frames / RATE_HZ);
        double error_ns = (double)(dll_time_at(dll, *frame + 10) - true_time_ns(card, *frame + 10));
        worst_ns = fmax(worst_ns, fabs(error_ns));
    }
    return worst_ns;
}

static void test_finds_the_rate_through_jitter(void **state)
{
    (void)state;
    static const uint32_t periods[] = {32, 64, 128, 256, 1024};
    for (int i = 0; i < 5; i++) {
        for (int ppm = -100; ppm <= 100; ppm += 50) {
            struct card card = {.ppm = ppm, .jitter_ns = 50e3, .seed = (uint64_t)(i * 7 + ppm)};
            struct dll dll;
            uint64_t frame = 12345;
            dll_init(&dll, periods[i], RATE_HZ, 0.1);
            run(&dll, &card, &frame, 20.0);
            double found_ppm = (dll_rate_hz(&dll) / RATE_HZ - 1.0) * 1e6;
            assert_true(fabs(found_ppm - ppm) < 12.0);
            assert_true(worst_error_ns(&dll, &card, &frame, 5.0) < 15e3);
        }
    }
}

static void test_locks_within_half_a_second(void **state)
{
    (void)state;
    struct card card = {.ppm = 100, .jitter_ns = 50e3, .seed = 5};
    struct dll dll;
    uint64_t frame = 0;
    dll_init(&dll, 128, RATE_HZ, 0.1);
    run(&dll, &card, &frame, 0.5);
    assert_true(worst_error_ns(&dll, &card, &frame, 1.0) < 25e3);
}

static void test_is_exact_without_jitter(void **state)
{
    (void)state;
    struct card card = {.ppm = 37.5};
    struct dll dll;
    uint64_t frame = 0;
    dll_init(&dll, 64, RATE_HZ, 0.1);
    run(&dll, &card, &frame, 5.0);
    assert_true(worst_error_ns(&dll, &card, &frame, 1.0) < 10.0);
}

static void test_maps_there_and_back(void **state)
{
    (void)state;
    struct card card = {.ppm = -80, .jitter_ns = 50e3, .seed = 11};
    struct dll dll;
    uint64_t frame = 0;
    dll_init(&dll, 256, RATE_HZ, 0.1);
    run(&dll, &card, &frame, 3.0);
    for (uint64_t asked = frame - 5000; asked < frame + 5000; asked += 7) {
        int64_t middle_ns = dll_time_at(&dll, asked) + 500000000 / RATE_HZ;
        assert_int_equal(dll_frame_at(&dll, middle_ns), asked);
    }
}

static void test_late_callback_hardly_moves_it(void **state)
{
    (void)state;
    struct card card = {.ppm = 20};
    struct dll dll;
    uint64_t frame = 0;
    dll_init(&dll, 128, RATE_HZ, 0.1);
    run(&dll, &card, &frame, 20.0);
    dll_update(&dll, frame, true_time_ns(&card, frame) + 2000000); // 2 ms late, once
    frame += 128;
    assert_true(worst_error_ns(&dll, &card, &frame, 5.0) < 12e3);
}

static void test_gap_starts_afresh(void **state)
{
    (void)state;
    struct card card = {.ppm = 0};
    struct dll dll;
    uint64_t frame = 0;
    dll_init(&dll, 128, RATE_HZ, 0.1);
    run(&dll, &card, &frame, 2.0);
    dll_update(&dll, frame + 999, START_NS); // frames were lost
    assert_int_equal(dll.updates, 1);
    assert_int_equal(dll_time_at(&dll, frame + 999), START_NS);
    dll_update(&dll, frame + 999 + 128, START_NS + 3000000000); // the machine slept
    assert_int_equal(dll.updates, 1);
    assert_int_equal(dll_time_at(&dll, frame + 999 + 128), START_NS + 3000000000);
}

static void test_knows_nothing_before_the_first_update(void **state)
{
    (void)state;
    struct dll dll;
    dll_init(&dll, 128, RATE_HZ, 0.1);
    assert_false(dll_is_running(&dll));
    assert_int_equal(dll_frame_at(&dll, START_NS), 0);
    assert_int_equal(dll_time_at(&dll, 7), 0);
    assert_true(fabs(dll_rate_hz(&dll) - RATE_HZ) < 1e-6);
    dll_update(&dll, 10, START_NS);
    assert_int_equal(dll_frame_at(&dll, START_NS - 1000000000), 0); // before frame 0
    dll_reset(&dll);
    assert_false(dll_is_running(&dll));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_rate_through_jitter),
        cmocka_unit_test(test_locks_within_half_a_second),
        cmocka_unit_test(test_is_exact_without_jitter),
        cmocka_unit_test(test_maps_there_and_back),
        cmocka_unit_test(test_late_callback_hardly_moves_it),
        cmocka_unit_test(test_gap_starts_afresh),
        cmocka_unit_test(test_knows_nothing_before_the_first_update),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
