#include "dsp/gpu/server.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dsp/gpu/job.h"
#include "dsp/gpu/mac.h"
#include "dsp/gpu/self_test.h"

static const int64_t SLICE_NS = 1000000;             // of waiting for the processor
static const int64_t STUCK_NS = INT64_C(2000000000); // a batch that takes this long never ends
enum { IDLE_MS = 50 };                               // between two beats of the heart

struct server {
    const struct gpu_server_settings *settings;
    struct gpu_area area;
    struct gpu_device *device;
    struct gpu_mac *mac;
    struct gpu_bank *banks[GPU_BANKS_MAX];
    struct gpu_job held; ///< one that has to wait for batches under way
    bool is_holding;
    bool has_answered;
    // Of the block in each cell.
    uint64_t ids[GPU_CELLS_MAX];
    int64_t taken_ns[GPU_CELLS_MAX];
    pid_t parent;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void beat(void *context)
{
    struct server *server = context;
    if (server->area.head)
        atomic_fetch_add_explicit(&server->area.head->beat.value, 1, memory_order_relaxed);
}

static void enter(struct server *server, enum gpu_phase phase)
{
    if (server->area.head)
        atomic_store_explicit(&server->area.head->phase.value, phase, memory_order_release);
}

// ---- Jobs ----

static void answer(struct server *server, uint64_t id, int status, int64_t taken_ns)
{
    int64_t spent_us = (now_ns() - taken_ns) / 1000;
    struct gpu_answer words = {
        .id = id, .status = status, .spent_us = spent_us < UINT32_MAX ? (uint32_t)spent_us : 0};
    // There are as many places as cells: a ring that is full is the client's fault and loss.
    if (gpu_area_answer(&server->area, &words) == 0)
        server->has_answered = true;
}

static void deliver(void *context, uint64_t tag, struct gpu_bank *bank)
{
    struct server *server = context;
    uint32_t cell = (uint32_t)tag;
    const struct gpu_mac_shape *shape = gpu_bank_shape(bank);
    float *outputs =
        gpu_area_cell(&server->area, cell) + shape->inputs * gpu_mac_shape_floats(shape);
    int status = gpu_bank_take(bank, outputs);
    answer(server, server->ids[cell], status, server->taken_ns[cell]);
}

static int open_bank(struct server *server, const struct gpu_job *job)
{
    server->banks[job->bank] = gpu_bank_create(server->mac, &job->shape);
    return server->banks[job->bank] ? 0 : -errno;
}

static int close_bank(struct server *server, const struct gpu_job *job)
{
    if (gpu_mac_pending(server->mac) > 0)
        return -EBUSY;
    gpu_bank_destroy(server->banks[job->bank]);
    server->banks[job->bank] = NULL;
    return 0;
}

static int add_block(struct server *server, const struct gpu_job *job)
{
    int code = gpu_mac_add(server->mac, server->banks[job->bank], job->sequence,
                           gpu_area_cell(&server->area, job->cell), job->cell);
    if (code == 0) {
        server->ids[job->cell] = job->id;
        server->taken_ns[job->cell] = now_ns();
    }
    return code;
}

static int do_job(struct server *server, const struct gpu_job *job)
{
    struct gpu_bank *bank = job->bank < GPU_BANKS_MAX ? server->banks[job->bank] : NULL;
    int code = gpu_job_check(&server->area, job, bank ? gpu_bank_shape(bank) : NULL);
    if (code != 0)
        return code;
    switch (job->kind) {
    case GPU_JOB_OPEN:
        return open_bank(server, job);
    case GPU_JOB_LOAD:
        return gpu_bank_load(bank, job->row, gpu_area_cell(&server->area, job->cell));
    case GPU_JOB_FEED:
        return gpu_bank_feed(bank, job->sequence, gpu_area_cell(&server->area, job->cell));
    case GPU_JOB_BLOCK:
        return add_block(server, job);
    default:
        return close_bank(server, job);
    }
}

/// Takes jobs until there is none, or one has to wait. Returns 0 or negative errno: give up.
static int take_jobs(struct server *server)
{
    // A client that never stops sending shall not keep the batches from being collected.
    for (int i = 0; i < GPU_RING; i++) {
        struct gpu_job job = server->held;
        int got = server->is_holding ? 1 : gpu_area_take(&server->area, &job);
        if (got <= 0)
            return got;
        int code = do_job(server, &job);
        server->is_holding = code == -EBUSY;
        server->held = job;
        if (server->is_holding)
            return 0;
        bool is_under_way = job.kind == GPU_JOB_BLOCK && code == 0;
        if (!is_under_way)
            answer(server, job.id, code, now_ns());
        if (code == -EIO)
            return code;
    }
    return 0;
}

// ---- The loop ----

static void signal_answers(struct server *server)
{
    if (server->has_answered)
        eventfd_write(server->settings->done, 1);
    server->has_answered = false;
}

static void sleep_until_called(const struct server *server)
{
    struct pollfd called = {.fd = server->settings->work, .events = POLLIN};
    eventfd_t count;
    if (poll(&called, 1, IDLE_MS) > 0)
        eventfd_read(server->settings->work, &count);
}

static bool is_stuck(const struct server *server)
{
    int64_t since_ns;
    return gpu_mac_is_under_way(server->mac, &since_ns) && now_ns() - since_ns > STUCK_NS;
}

static int turn(struct server *server)
{
    beat(server);
    int code = take_jobs(server);
    if (code == 0)
        code = gpu_mac_start(server->mac);
    if (code == 0)
        code = gpu_mac_collect(server->mac, SLICE_NS, deliver, server);
    signal_answers(server);
    if (code < 0)
        return code;
    if (is_stuck(server))
        return -ETIMEDOUT;
    if (!server->is_holding && gpu_mac_pending(server->mac) == 0)
        sleep_until_called(server);
    return 0;
}

static int serve(struct server *server)
{
    while (getppid() == server->parent) {
        int code = turn(server);
        if (code != 0) {
            fprintf(stderr, "the graphics processor has failed: %s\n", strerror(-code));
            return code;
        }
    }
    return 0;
}

// ---- Start and end ----

static int fail(struct server *server, const char *why)
{
    fprintf(stderr, "%s\n", why);
    if (server->area.head)
        snprintf(server->area.head->report.name, GPU_NAME_BYTES, "%s", why);
    enter(server, GPU_PHASE_FAILED);
    return 1;
}

static int open_device(struct server *server)
{
    char why[512] = "";
    struct gpu_mac_settings settings = {.folder = server->settings->folder,
                                        .is_unmapped = server->settings->is_unmapped};
    server->device = gpu_device_create(why, sizeof why);
    if (server->device)
        server->mac = gpu_mac_create(server->device, &settings, why, sizeof why);
    return server->mac ? 0 : fail(server, why);
}

static int test(struct server *server, struct gpu_report *report)
{
    const struct gpu_device_about *about = gpu_device_about(server->device);
    struct self_test result;
    int code = self_test_run(server->mac, beat, server, &result);
    if (code != 0) {
        char why[128];
        snprintf(why, sizeof why, "the self-test does not end: %s", strerror(-code));
        return fail(server, why);
    }
    *report = (struct gpu_report){.error_db = result.error_db,
                                  .round_trip_us = result.round_trip_us,
                                  .round_trip_worst_us = result.round_trip_worst_us,
                                  .is_software = about->is_software};
    snprintf(report->name, sizeof report->name, "%s", about->name);
    snprintf(report->driver, sizeof report->driver, "%s", about->version);
    return 0;
}

static void finish(struct server *server)
{
    for (int i = 0; i < GPU_BANKS_MAX; i++)
        gpu_bank_destroy(server->banks[i]);
    gpu_mac_destroy(server->mac);
    gpu_device_destroy(server->device);
    gpu_area_finish(&server->area);
    free(server);
}

static int run(struct server *server)
{
    int code = gpu_area_attach(&server->area, server->settings->memory);
    if (code != 0) {
        fprintf(stderr, "no shared memory of ours: %s\n", strerror(-code));
        return 1;
    }
    beat(server);
    if (open_device(server) != 0)
        return 1;
    enter(server, GPU_PHASE_TESTING);
    if (test(server, &server->area.head->report) != 0)
        return 1;
    enter(server, GPU_PHASE_READY);
    return serve(server) == 0 ? 0 : 1;
}

static struct server *create(const struct gpu_server_settings *settings)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->settings = settings;
    server->parent = getppid();
    return server;
}

int gpu_server_run(const struct gpu_server_settings *settings)
{
    struct server *server = create(settings);
    if (!server)
        return 1;
    int status = run(server);
    finish(server);
    return status;
}

int gpu_server_try(const struct gpu_server_settings *settings)
{
    struct server *server = create(settings);
    struct gpu_report report;
    if (!server)
        return 1;
    int status = open_device(server);
    if (status == 0)
        status = test(server, &report);
    if (status == 0) {
        const struct gpu_device_about *about = gpu_device_about(server->device);
        printf("%s (%s), by %s%s\n", report.name, report.driver, about->platform,
               report.is_software ? ", a software rasteriser" : "");
        printf("self-test: %.1f dB, round trip %.0f us, at worst %.0f us\n", report.error_db,
               report.round_trip_us, report.round_trip_worst_us);
        status = report.error_db <= SELF_TEST_ERROR_DB ? 0 : 1;
    }
    finish(server);
    return status;
}
