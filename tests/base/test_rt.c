// The marks of the audio thread: the mark is the thread's own, and denormals are flushed where
// asked.

#include "dsp/base/rt.h"

#include <float.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void *read_mark(void *result)
{
    *(bool *)result = rt_is_set();
    return NULL;
}

static void the_mark_belongs_to_its_thread(void **state)
{
    (void)state;
    bool is_other_set = true;
    pthread_t other;
    assert_false(rt_is_set());
    rt_set(true);
    bool is_set = rt_is_set();
    rt_set(false); // to create a thread is no real-time work
    assert_true(is_set);
    assert_false(rt_is_set());
    assert_int_equal(pthread_create(&other, NULL, read_mark, &is_other_set), 0);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_false(is_other_set);
}

// Volatile: the compiler must leave the multiplication to the processor.
static volatile float smallest_normal = FLT_MIN;

static float denormal(void) { return smallest_normal * 0.25f; }

static void *make_denormal_flushed(void *result)
{
    rt_flush_denormals();
    *(float *)result = denormal();
    return NULL;
}

static void denormals_are_flushed_on_the_thread_that_asks(void **state)
{
    (void)state;
#if !defined(__SSE__) && !defined(__aarch64__)
    skip();
#endif
    float flushed = 1.0f;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, make_denormal_flushed, &flushed), 0);
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_true(flushed == 0.0f);
    assert_true(denormal() > 0.0f); // here they are not
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_belongs_to_its_thread),
        cmocka_unit_test(denormals_are_flushed_on_the_thread_that_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
