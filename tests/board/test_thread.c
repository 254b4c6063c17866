/// Threads: names, signals, stacks, priorities where they are granted.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/thread.h"

struct seen {
    char name[16];
    bool is_signal_blocked;
    int policy, priority;
    size_t stack_bytes;
};

static void *look_around(void *data)
{
    struct seen *seen = data;
    sigset_t blocked;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen->is_signal_blocked = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM);
    struct sched_param parameter;
    pthread_getschedparam(pthread_self(), &seen->policy, &parameter);
    seen->priority = parameter.sched_priority;
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
    pthread_attr_destroy(&attributes);
    return data;
}

static bool run(const struct thread_settings *settings, struct seen *seen)
{
    pthread_t thread;
    bool is_realtime = false;
    void *result = NULL;
    assert_int_equal(thread_create(&thread, settings, look_around, seen, &is_realtime), 0);
    pthread_join(thread, &result);
    assert_ptr_equal(result, seen);
    return is_realtime;
}

static void test_ordinary_thread(void **state)
{
    (void)state;
    struct seen seen;
    struct thread_settings settings = {.name = "a-name-that-is-too-long", .stack_bytes = 1 << 20};
    assert_false(run(&settings, &seen));
    assert_string_equal(seen.name, "a-name-that-is-");
    assert_true(seen.is_signal_blocked);
    assert_int_equal(seen.policy, SCHED_OTHER);
    assert_true(seen.stack_bytes >= 1 << 20);
}

static void test_priority_or_the_truth(void **state)
{
    (void)state;
    struct seen seen;
    struct thread_settings settings = {.name = "rt", .priority = 10};
    bool is_realtime = run(&settings, &seen);
    assert_int_equal(seen.policy, is_realtime ? SCHED_FIFO : SCHED_OTHER);
    assert_int_equal(seen.priority, is_realtime ? 10 : 0);
    assert_int_equal(thread_may_be_realtime(10), is_realtime);
}

/// Without the privilege and with a limit of 0 nothing is granted, and the thread runs all the
/// same.
static void test_falls_back(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); // root is never refused
    struct rlimit none = {0, 0};
    struct seen seen;
    struct thread_settings settings = {.name = "rt", .priority = 10};
    setrlimit(RLIMIT_RTPRIO, &none);
    assert_false(run(&settings, &seen));
    assert_int_equal(seen.policy, SCHED_OTHER);
}

static void test_refuses_nonsense(void **state)
{
    (void)state;
    pthread_t thread;
    struct thread_settings settings = {.name = "rt", .priority = 1000};
    assert_int_equal(thread_create(&thread, &settings, look_around, NULL, NULL), -EINVAL);
    assert_false(thread_may_be_realtime(1000));
}

static void test_counts_cores(void **state)
{
    (void)state;
    assert_in_range(thread_cores(), 1, sysconf(_SC_NPROCESSORS_CONF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_thread), cmocka_unit_test(test_priority_or_the_truth),
        cmocka_unit_test(test_falls_back),      cmocka_unit_test(test_refuses_nonsense),
        cmocka_unit_test(test_counts_cores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
