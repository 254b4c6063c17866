/// The shared memory: its shape, its rings, and what is refused.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "dsp/gpu/job.h"

struct pair {
    struct gpu_area client, server;
    int file;
};

static void open_pair(struct pair *pair)
{
    assert_int_equal(gpu_area_create(&pair->client, 8, 1000, &pair->file), 0);
    assert_int_equal(gpu_area_attach(&pair->server, pair->file), 0);
}

static void close_pair(struct pair *pair)
{
    gpu_area_finish(&pair->client);
    gpu_area_finish(&pair->server);
    close(pair->file);
}

static void test_both_see_the_same(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair);
    assert_int_equal(pair.server.cells, 8);
    assert_int_equal(pair.server.cell_bytes, 1024); // rounded up
    for (uint32_t cell = 0; cell < 8; cell++) {
        assert_int_equal((uintptr_t)gpu_area_cell(&pair.client, cell) % 64, 0);
        gpu_area_cell(&pair.client, cell)[255] = (float)cell;
    }
    for (uint32_t cell = 0; cell < 8; cell++)
        assert_float_equal(gpu_area_cell(&pair.server, cell)[255], (float)cell, 0);
    close_pair(&pair);
}

static void test_rings_keep_order_and_bounds(void **state)
{
    (void)state;
    struct pair pair;
    struct gpu_job job = {0};
    struct gpu_answer answer = {0};
    open_pair(&pair);
    assert_int_equal(gpu_area_take(&pair.server, &job), 0);
    for (uint64_t round = 0; round < 5; round++) {
        for (uint64_t i = 0; i < GPU_RING; i++) {
            job.id = answer.id = round * GPU_RING + i;
            assert_int_equal(gpu_area_send(&pair.client, &job), 0);
            assert_int_equal(gpu_area_answer(&pair.server, &answer), 0);
        }
        assert_int_equal(gpu_area_send(&pair.client, &job), -EAGAIN);
        assert_int_equal(gpu_area_answer(&pair.server, &answer), -EAGAIN);
        for (uint64_t i = 0; i < GPU_RING; i++) {
            assert_int_equal(gpu_area_take(&pair.server, &job), 1);
            assert_int_equal(gpu_area_hear(&pair.client, &answer), 1);
            assert_int_equal(job.id, round * GPU_RING + i);
            assert_int_equal(answer.id, round * GPU_RING + i);
        }
        assert_int_equal(gpu_area_take(&pair.server, &job), 0);
        assert_int_equal(gpu_area_hear(&pair.client, &answer), 0);
    }
    close_pair(&pair);
}

static void test_impossible_counters(void **state)
{
    (void)state;
    static const uint32_t values[] = {GPU_RING + 1, 1u << 31, UINT32_MAX - GPU_RING};
    struct gpu_job job = {0};
    struct gpu_answer answer = {0};
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;
        open_pair(&pair);
        atomic_store(&pair.client.head->sent.value, values[i]);
        assert_int_equal(gpu_area_take(&pair.server, &job), -EPROTO);
        atomic_store(&pair.client.head->answered.value, values[i]);
        assert_int_equal(gpu_area_hear(&pair.client, &answer), -EPROTO);
        atomic_store(&pair.client.head->taken.value, values[i]);
        assert_int_equal(gpu_area_send(&pair.client, &job), -EPROTO);
        atomic_store(&pair.client.head->heard.value, values[i]);
        assert_int_equal(gpu_area_answer(&pair.server, &answer), -EPROTO);
        close_pair(&pair);
    }
}

static void test_refuses_sizes(void **state)
{
    (void)state;
    struct gpu_area area;
    int file;
    assert_int_equal(gpu_area_create(&area, 0, 1024, &file), -EINVAL);
    assert_int_equal(gpu_area_create(&area, GPU_CELLS_MAX + 1, 1024, &file), -EINVAL);
    assert_int_equal(gpu_area_create(&area, 4, 0, &file), -EINVAL);
    assert_int_equal(gpu_area_create(&area, 4, (size_t)1 << 40, &file), -EINVAL);
}

static void test_nobody_can_shrink_it(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair);
    assert_int_equal(ftruncate(pair.file, 0), -1);
    assert_int_equal(ftruncate(pair.file, 1 << 30), -1);
    close_pair(&pair);
}

static void expect_foreign(struct pair *pair)
{
    struct gpu_area other;
    assert_int_equal(gpu_area_attach(&other, pair->file), -EPROTO);
    assert_null(other.head);
    gpu_area_reset(&pair->client);
    assert_int_equal(gpu_area_attach(&other, pair->file), 0);
    gpu_area_finish(&other);
}

static void test_server_refuses_foreign_memory(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair);
    struct gpu_head *head = pair.client.head;
    head->magic[0] = 'X';
    expect_foreign(&pair);
    head->version++;
    expect_foreign(&pair);
    head->head_bytes--;
    expect_foreign(&pair);
    head->cells = 9; // more than the file holds
    expect_foreign(&pair);
    head->cells = UINT32_MAX;
    expect_foreign(&pair);
    head->cell_bytes = UINT64_MAX;
    expect_foreign(&pair);
    head->cell_bytes = UINT64_MAX / 8 + 1; // times 8 is 8
    expect_foreign(&pair);
    head->total_bytes++;
    expect_foreign(&pair);
    close_pair(&pair);
}

static void test_server_refuses_foreign_files(void **state)
{
    (void)state;
    struct gpu_area area;
    int file = memfd_create("test", MFD_CLOEXEC);
    assert_int_equal(gpu_area_attach(&area, file), -EPROTO);
    assert_int_equal(ftruncate(file, 1 << 20), 0);
    assert_int_equal(gpu_area_attach(&area, file), -EPROTO);
    close(file);
    assert_int_equal(gpu_area_attach(&area, file), -EBADF);
}

static void test_checks_jobs(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair);
    const struct gpu_mac_shape shape = {1, 1, 1, 4, 64}; // 1024 bytes a block
    const struct gpu_job good = {.kind = GPU_JOB_BLOCK, .cell = 7, .bank = GPU_BANKS_MAX - 1};
    struct gpu_job job = good;
    assert_int_equal(gpu_job_check(&pair.server, &job, &shape), 0);
    assert_int_equal(gpu_job_check(&pair.server, &job, NULL), -ENOENT);
    job.cell = 8;
    assert_int_equal(gpu_job_check(&pair.server, &job, &shape), -EINVAL);
    job = good;
    job.bank = GPU_BANKS_MAX;
    assert_int_equal(gpu_job_check(&pair.server, &job, &shape), -EINVAL);
    for (uint32_t kind = 0; kind < 40; kind++) {
        job = good;
        job.kind = kind;
        bool is_known = kind > GPU_JOB_OPEN && kind <= GPU_JOB_CLOSE;
        assert_int_equal(gpu_job_check(&pair.server, &job, &shape), is_known ? 0 : -EINVAL);
    }
    close_pair(&pair);
}

static void test_checks_openings(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair);
    struct gpu_job job = {.kind = GPU_JOB_OPEN, .shape = {1, 1, 1, 4, 64}};
    assert_int_equal(gpu_job_check(&pair.server, &job, NULL), 0);
    assert_int_equal(gpu_job_check(&pair.server, &job, &job.shape), -EINVAL); // open already
    job.shape.bins = 128; // its blocks do not fit into a cell
    assert_int_equal(gpu_job_check(&pair.server, &job, NULL), -EINVAL);
    job.shape = (struct gpu_mac_shape){1, 1, 1, 0, 64};
    assert_int_equal(gpu_job_check(&pair.server, &job, NULL), -EINVAL);
    job.shape = (struct gpu_mac_shape){~0u, ~0u, ~0u, ~0u, ~0u};
    assert_int_equal(gpu_job_check(&pair.server, &job, NULL), -EINVAL);
    close_pair(&pair);
}

static void test_cleans_reports(void **state)
{
    (void)state;
    struct pair pair;
    struct gpu_report report;
    open_pair(&pair);
    memset(&pair.server.head->report, 0xff, sizeof pair.server.head->report);
    pair.server.head->report.name[3] = '\n';
    pair.server.head->report.round_trip_us = INFINITY;
    gpu_area_read_report(&pair.client, &report);
    assert_int_equal(strlen(report.name), GPU_NAME_BYTES - 1);
    for (size_t i = 0; i < GPU_NAME_BYTES - 1; i++)
        assert_int_equal(report.name[i], '?');
    assert_true(isnan(report.error_db) && isnan(report.round_trip_us));
    assert_int_equal(report.is_software, 1);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_see_the_same),
        cmocka_unit_test(test_rings_keep_order_and_bounds),
        cmocka_unit_test(test_impossible_counters),
        cmocka_unit_test(test_refuses_sizes),
        cmocka_unit_test(test_nobody_can_shrink_it),
        cmocka_unit_test(test_server_refuses_foreign_memory),
        cmocka_unit_test(test_server_refuses_foreign_files),
        cmocka_unit_test(test_checks_jobs),
        cmocka_unit_test(test_checks_openings),
        cmocka_unit_test(test_cleans_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
