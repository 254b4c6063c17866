// The crew: every job once, on whatever thread, in any number of runs.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "dsp/base/crew.h"

enum { JOBS_MAX = 300 };

/// Plain memory on purpose: whether the crew orders it is for the thread sanitizer to see.
struct table {
    unsigned done[JOBS_MAX];
    unsigned run;
};

static void mark(void *context, uint32_t index)
{
    struct table *table = context;
    table->done[index] += table->run;
}

static void run_many(int workers, int runs, int jobs_max, bool sleeps)
{
    struct crew *crew = crew_create(workers, 0, NULL, NULL);
    assert_non_null(crew);
    struct table table;
    for (int run = 1; run <= runs; run++) {
        uint32_t count = (uint32_t)(rand() % (jobs_max + 1));
        memset(&table, 0, sizeof table);
        table.run = (unsigned)run;
        crew_run(crew, mark, &table, count);
        for (uint32_t i = 0; i < JOBS_MAX; i++)
            assert_int_equal(table.done[i], i < count ? (unsigned)run : 0);
        if (sleeps && run % 10 == 0) // long enough for the workers to fall asleep
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    crew_destroy(crew);
}

static void test_every_job_once(void **state)
{
    (void)state;
    srand(1);
    for (int workers = 0; workers <= 15; workers += workers < 4 ? 1 : 11)
        run_many(workers, 2000, 20, false);
}

static void test_many_jobs(void **state)
{
    (void)state;
    srand(2);
    run_many(3, 300, JOBS_MAX, false);
}

static void test_sleeping_workers_are_no_harm(void **state)
{
    (void)state;
    srand(3);
    run_many(3, 1000, 8, true);
}

static void count_up(void *context) { atomic_fetch_add((_Atomic int *)context, 1); }

static void do_nothing(void *context, uint32_t index)
{
    (void)context;
    (void)index;
}

static void test_each_worker_warms_up(void **state)
{
    (void)state;
    _Atomic int warm = 0;
    struct crew *crew = crew_create(5, 0, count_up, &warm);
    assert_non_null(crew);
    for (int i = 0; i < 1000 && atomic_load(&warm) < 5; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    crew_run(crew, do_nothing, NULL, 100);
    crew_destroy(crew);
    assert_int_equal(atomic_load(&warm), 5);
}

/// Workers help: a job that waits for another to begin can only end if both run at once.
static void meet(void *context, uint32_t index)
{
    _Atomic int *arrived = context;
    (void)index;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 2)
        ;
}

static void test_jobs_run_side_by_side(void **state)
{
    (void)state;
    struct crew *crew = crew_create(1, 0, NULL, NULL);
    for (int i = 0; i < 20; i++) {
        _Atomic int arrived = 0;
        crew_run(crew, meet, &arrived, 2);
        assert_int_equal(atomic_load(&arrived), 2);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    crew_destroy(crew);
}

static void test_ends_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        crew_destroy(crew_create(i % 5, 0, NULL, NULL));
    crew_destroy(NULL);
}

static void test_settings_out_of_range(void **state)
{
    (void)state;
    errno = 0;
    assert_null(crew_create(16, 0, NULL, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(crew_create(-1, 0, NULL, NULL));
}

static void test_priority_where_allowed_or_without(void **state)
{
    (void)state;
    struct crew *crew = crew_create(2, 10, NULL, NULL);
    assert_non_null(crew);
    struct table table = {.run = 1};
    crew_run(crew, mark, &table, 50);
    assert_int_equal(table.done[49], 1);
    crew_destroy(crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_job_once),
        cmocka_unit_test(test_many_jobs),
        cmocka_unit_test(test_sleeping_workers_are_no_harm),
        cmocka_unit_test(test_each_worker_warms_up),
        cmocka_unit_test(test_jobs_run_side_by_side),
        cmocka_unit_test(test_ends_at_once),
        cmocka_unit_test(test_settings_out_of_range),
        cmocka_unit_test(test_priority_where_allowed_or_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
