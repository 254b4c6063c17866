/// The published sample clock: maps both ways, goes stale, and is never read torn.
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board/clock.h"

static void test_has_no_mapping_at_first(void **state)
{
    (void)state;
    struct clock clock;
    assert_int_equal(clock_init(&clock), 0);
    assert_false(clock_is_running(&clock, clock_now_ns()));
    assert_int_equal(clock_frame_at(&clock, clock_now_ns()), 0);
    assert_int_equal(clock_time_at(&clock, 5), 0);
    assert_int_equal(clock_period_frames(&clock), 0);
    assert_true(clock_rate_hz(&clock) == 0.0);
    clock_finish(&clock);
}

static void test_maps_both_ways(void **state)
{
    (void)state;
    struct clock clock;
    struct dll dll;
    clock_init(&clock);
    dll_init(&dll, 480, 48000, 0.1);
    dll_update(&dll, 4800, 1000000000);
    clock_publish(&clock, &dll);
    assert_int_equal(clock_frame_at(&clock, 1000000000), 4800);
    assert_int_equal(clock_frame_at(&clock, 1005000000), 5040);
    assert_int_equal(clock_frame_at(&clock, 995000000), 4560);
    assert_int_equal(clock_time_at(&clock, 5280), 1010000000);
    assert_int_equal(clock_period_frames(&clock), 480);
    assert_true(fabs(clock_rate_hz(&clock) - 48000) < 1e-6);
    clock_finish(&clock);
}

static void test_goes_stale_and_stops(void **state)
{
    (void)state;
    struct clock clock;
    struct dll dll;
    clock_init(&clock);
    dll_init(&dll, 480, 48000, 0.1);
    dll_update(&dll, 0, 1000000000);
    clock_publish(&clock, &dll);
    assert_true(clock_is_running(&clock, 1400000000));
    assert_false(clock_is_running(&clock, 1600000000));
    clock_stop(&clock);
    assert_false(clock_is_running(&clock, 1400000000));
    assert_int_equal(clock_frame_at(&clock, 1400000000), 0);
    clock_finish(&clock);
}

struct shared {
    struct clock clock;
    atomic_bool is_finished;
};

static void *publish(void *data)
{
    struct shared *shared = data;
    struct dll dll;
    dll_init(&dll, 64, 64000, 0.1);
    for (uint64_t frame = 0; !atomic_load(&shared->is_finished); frame += 64) {
        dll_update(&dll, frame, 1000000000 + (int64_t)frame * 15625);
        clock_publish(&shared->clock, &dll);
    }
    return NULL;
}

/// A torn reading would put the frame of one period beside the time of another.
static void test_is_never_torn(void **state)
{
    (void)state;
    struct shared shared = {.is_finished = false};
    pthread_t writer;
    clock_init(&shared.clock);
    pthread_create(&writer, NULL, publish, &shared);
    while (clock_period_frames(&shared.clock) == 0)
        ;
    for (uint64_t i = 0; i < 100000; i++) {
        int64_t expected_ns = 1000000000 + (int64_t)i * 15625;
        int64_t found_ns = clock_time_at(&shared.clock, i);
        assert_in_range(found_ns, expected_ns - 50, expected_ns + 50);
    }
    atomic_store(&shared.is_finished, true);
    pthread_join(writer, NULL);
    clock_finish(&shared.clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has_no_mapping_at_first),
        cmocka_unit_test(test_maps_both_ways),
        cmocka_unit_test(test_goes_stale_and_stops),
        cmocka_unit_test(test_is_never_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
