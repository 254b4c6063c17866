/// When the graphics processor is trusted, doubted and dropped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dsp/gpu/breaker.h"

#define S INT64_C(1000000000)
static const int64_t LEAST_NS = S, MOST_NS = 8 * S;

static struct breaker passed(void)
{
    struct breaker breaker;
    breaker_init(&breaker, LEAST_NS, MOST_NS);
    assert_true(breaker_may_try(&breaker, 0));
    breaker_pass(&breaker, 0);
    return breaker;
}

static struct breaker trusted(void)
{
    struct breaker breaker = passed();
    assert_false(breaker_count(&breaker, 1000, 0, 0, S));
    assert_int_equal(breaker.mode, GPU_MODE_GPU);
    return breaker;
}

static void test_begins_hedged(void **state)
{
    (void)state;
    struct breaker breaker = passed();
    assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    for (int i = 0; i < 15; i++) {
        breaker_count(&breaker, 1, 0, 0, S);
        assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    }
    breaker_count(&breaker, 1, 0, 0, S);
    assert_int_equal(breaker.mode, GPU_MODE_GPU);
}

static void test_one_miss_is_forgiven_two_are_not(void **state)
{
    (void)state;
    struct breaker breaker = trusted();
    breaker_count(&breaker, 0, 1, 0, 2 * S);
    assert_int_equal(breaker.mode, GPU_MODE_GPU);
    breaker_count(&breaker, 0, 1, 0, 2 * S);
    assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    // Trust comes back when the strain has gone down and a run of good blocks was seen.
    breaker_count(&breaker, 15, 0, 0, 3 * S);
    assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    breaker_count(&breaker, 1, 0, 0, 3 * S);
    assert_int_equal(breaker.mode, GPU_MODE_GPU);
}

static void test_rare_misses_do_no_harm(void **state)
{
    (void)state;
    struct breaker breaker = trusted();
    for (int i = 0; i < 1000; i++) {
        assert_false(breaker_count(&breaker, 64, 1, 0, i * S));
        assert_int_equal(breaker.mode, GPU_MODE_GPU);
    }
}

static void test_many_misses_end_it(void **state)
{
    (void)state;
    struct breaker breaker = trusted();
    for (int i = 0; i < 7; i++)
        assert_false(breaker_count(&breaker, 1, 1, 0, S));
    assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    assert_false(breaker_count(&breaker, 0, 0, 0, S));
    assert_true(breaker_count(&breaker, 0, 2, 0, S));
    assert_int_equal(breaker.mode, GPU_MODE_CPU_ONLY);
    assert_false(breaker_count(&breaker, 100, 0, 0, S));
    assert_int_equal(breaker.mode, GPU_MODE_CPU_ONLY);
}

static void test_wrong_results_weigh_more(void **state)
{
    (void)state;
    struct breaker breaker = trusted();
    assert_false(breaker_count(&breaker, 0, 0, 1, S));
    assert_int_equal(breaker.mode, GPU_MODE_HEDGED);
    assert_true(breaker_count(&breaker, 0, 0, 1, S));
    assert_int_equal(breaker.mode, GPU_MODE_CPU_ONLY);
}

static void test_pauses_double(void **state)
{
    (void)state;
    static const int64_t pauses_ns[] = {S, 2 * S, 4 * S, 8 * S, 8 * S};
    struct breaker breaker = trusted();
    int64_t now_ns = 10 * S;
    for (int i = 0; i < 5; i++) {
        breaker_fail(&breaker, now_ns);
        assert_int_equal(breaker.mode, GPU_MODE_CPU_ONLY);
        assert_false(breaker_may_try(&breaker, now_ns + pauses_ns[i] - 1));
        now_ns += pauses_ns[i];
        assert_true(breaker_may_try(&breaker, now_ns));
        breaker_pass(&breaker, now_ns);
        assert_false(breaker_may_try(&breaker, now_ns));
    }
}

static void test_a_steady_minute_forgives(void **state)
{
    (void)state;
    struct breaker breaker = trusted();
    breaker_fail(&breaker, 2 * S);
    breaker_pass(&breaker, 4 * S);
    breaker_count(&breaker, 100, 0, 0, 5 * S);
    breaker_fail(&breaker, 66 * S);
    assert_true(breaker_may_try(&breaker, 67 * S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_hedged),
        cmocka_unit_test(test_one_miss_is_forgiven_two_are_not),
        cmocka_unit_test(test_rare_misses_do_no_harm),
        cmocka_unit_test(test_many_misses_end_it),
        cmocka_unit_test(test_wrong_results_weigh_more),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_a_steady_minute_forgives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
