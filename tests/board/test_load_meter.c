/// The load meter: the worst of the last second, no longer and no shorter.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board/load_meter.h"

static const int64_t START_NS = 5000000000000;
static const int64_t PERIOD_NS = 2000000;

static float add(struct load_meter *meter, int64_t at_ns, double share)
{
    return load_meter_add(meter, START_NS + at_ns, (int64_t)(share * (double)PERIOD_NS),
                          (double)PERIOD_NS);
}

static void test_keeps_a_peak_for_a_second(void **state)
{
    (void)state;
    struct load_meter meter = {.slot = 0};
    add(&meter, 0, 0.1);
    assert_true(fabsf(add(&meter, PERIOD_NS, 0.9) - 0.9f) < 1e-3f);
    for (int64_t at_ns = 2 * PERIOD_NS; at_ns < 3000000000; at_ns += PERIOD_NS) {
        float worst = add(&meter, at_ns, 0.2);
        if (at_ns < 900000000)
            assert_true(fabsf(worst - 0.9f) < 1e-3f);
        if (at_ns > 1100000000)
            assert_true(fabsf(worst - 0.2f) < 1e-3f);
    }
}

static void test_forgets_over_a_pause(void **state)
{
    (void)state;
    struct load_meter meter = {.slot = 0};
    add(&meter, 0, 3.0);
    assert_true(fabsf(add(&meter, 60000000000, 0.25) - 0.25f) < 1e-3f);
    assert_true(fabsf(add(&meter, 60000000000 + PERIOD_NS, 0.5) - 0.5f) < 1e-3f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_a_peak_for_a_second),
        cmocka_unit_test(test_forgets_over_a_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
