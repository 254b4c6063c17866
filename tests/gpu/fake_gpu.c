#include "tests/gpu/fake_gpu.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dsp/gpu/job.h"
#include "dsp/gpu/mac_reference.h"

static const char VARIABLE[] = "CONSORT_FAKE_GPU";
enum { BLOCKS_BEFORE = 20 }; ///< good ones, before it dies or stops

struct fake_bank {
    struct gpu_mac_shape shape;
    float *impulse, *history;
    uint64_t newest, run;
    uint32_t rows_loaded;
};

struct fake {
    struct gpu_area area;
    struct fake_bank *banks[GPU_BANKS_MAX];
    enum fake_manner manner;
    int work, done;
    int blocks;
};

static void close_bank(struct fake *fake, uint32_t number)
{
    struct fake_bank *bank = fake->banks[number];
    if (!bank)
        return;
    free(bank->impulse);
    free(bank->history);
    free(bank);
    fake->banks[number] = NULL;
}

static void open_bank(struct fake *fake, const struct gpu_job *job)
{
    struct fake_bank *bank = calloc(1, sizeof *bank);
    bank->shape = job->shape;
    bank->impulse = malloc(gpu_mac_shape_impulse_bytes(&job->shape));
    bank->history = calloc(job->shape.inputs * job->shape.partitions,
                           gpu_mac_shape_floats(&job->shape) * sizeof(float));
    fake->banks[job->bank] = bank;
}

static int load(struct fake_bank *bank, uint32_t row, const float *spectrum)
{
    size_t floats = gpu_mac_shape_floats(&bank->shape);
    if (row != bank->rows_loaded ||
        row >= gpu_mac_shape_paths(&bank->shape) * bank->shape.partitions)
        return -EINVAL;
    memcpy(bank->impulse + row * floats, spectrum, floats * sizeof(float));
    bank->rows_loaded++;
    return 0;
}

static void feed(struct fake_bank *bank, uint64_t sequence, const float *inputs)
{
    size_t floats = gpu_mac_shape_floats(&bank->shape);
    uint32_t rows = bank->shape.partitions;
    for (uint32_t i = 0; i < bank->shape.inputs; i++)
        memcpy(bank->history + (i * rows + sequence % rows) * floats, inputs + i * floats,
               floats * sizeof(float));
    bool follows = bank->run > 0 && sequence == bank->newest + 1;
    bank->run = sequence == 0 ? rows : follows ? bank->run + 1 : 1;
    bank->newest = sequence;
}

static void spoil(struct fake *fake, float *outputs, size_t floats)
{
    if (fake->manner == FAKE_NAN)
        outputs[floats / 3] = NAN;
    for (size_t i = 0; i < floats && fake->manner == FAKE_GARBAGE; i++)
        outputs[i] = (float)(i % 7) - 3;
    if (fake->manner == FAKE_LATE)
        usleep(150000);
    if (fake->manner == FAKE_DIES && fake->blocks > BLOCKS_BEFORE)
        raise(SIGKILL);
    if (fake->manner == FAKE_STOPS && fake->blocks > BLOCKS_BEFORE)
        raise(SIGSTOP);
}

static int compute(struct fake *fake, struct fake_bank *bank, const struct gpu_job *job)
{
    size_t floats = gpu_mac_shape_floats(&bank->shape);
    float *cell = gpu_area_cell(&fake->area, job->cell);
    struct gpu_mac_spectra spectra = {bank->impulse, bank->history, bank->shape.partitions};
    bool is_loaded =
        bank->rows_loaded == gpu_mac_shape_paths(&bank->shape) * bank->shape.partitions;
    feed(bank, job->sequence, cell);
    if (!is_loaded || bank->run < bank->shape.partitions)
        return -ENODATA;
    fake->blocks++;
    gpu_mac_reference(&bank->shape, &spectra, job->sequence, cell + bank->shape.inputs * floats);
    spoil(fake, cell + bank->shape.inputs * floats, bank->shape.outputs * floats);
    return 0;
}

static int do_job(struct fake *fake, const struct gpu_job *job)
{
    struct fake_bank *bank = job->bank < GPU_BANKS_MAX ? fake->banks[job->bank] : NULL;
    int code = gpu_job_check(&fake->area, job, bank ? &bank->shape : NULL);
    if (code != 0)
        return code;
    if (job->kind == GPU_JOB_OPEN)
        open_bank(fake, job);
    if (!bank)
        return 0;
    switch (job->kind) {
    case GPU_JOB_LOAD:
        return load(bank, job->row, gpu_area_cell(&fake->area, job->cell));
    case GPU_JOB_FEED:
        feed(bank, job->sequence, gpu_area_cell(&fake->area, job->cell));
        return 0;
    case GPU_JOB_BLOCK:
        return compute(fake, bank, job);
    default:
        close_bank(fake, job->bank);
        return 0;
    }
}

static void answer(struct fake *fake, const struct gpu_job *job, int status)
{
    struct gpu_answer words = {.id = job->id, .status = status};
    bool is_block = job->kind == GPU_JOB_BLOCK;
    if (is_block && fake->manner == FAKE_SILENT)
        return;
    if (is_block && fake->manner == FAKE_STRANGE_ID)
        words.id ^= UINT64_C(0xffff00ff00ffff01);
    if (is_block && fake->manner == FAKE_STATUS)
        words.status = 1;
    if (is_block && fake->manner == FAKE_HEARD)
        atomic_store(&fake->area.head->taken.value, fake->area.taken + 7);
    gpu_area_answer(&fake->area, &words);
    if (is_block && fake->manner == FAKE_TWICE)
        gpu_area_answer(&fake->area, &words);
    if (is_block && fake->manner == FAKE_COUNTER)
        atomic_store(&fake->area.head->answered.value, fake->area.answered + 100000);
    eventfd_write(fake->done, 1);
}

static void scribble(struct fake *fake)
{
    unsigned char *bytes = (unsigned char *)fake->area.head;
    for (size_t i = 0; i < fake->area.total_bytes; i += 1 + (size_t)(rand() % 40))
        bytes[i] = (unsigned char)rand();
}

static void turn(struct fake *fake)
{
    struct gpu_job job;
    struct pollfd called = {.fd = fake->work, .events = POLLIN};
    eventfd_t count;
    atomic_fetch_add(&fake->area.head->beat.value, 1);
    while (gpu_area_take(&fake->area, &job) > 0)
        answer(fake, &job, do_job(fake, &job));
    if (fake->manner == FAKE_SCRIBBLES)
        scribble(fake);
    if (poll(&called, 1, 5) > 0)
        eventfd_read(fake->work, &count);
}

static void report(struct fake *fake)
{
    struct gpu_report *words = &fake->area.head->report;
    *words = (struct gpu_report){.error_db = fake->manner == FAKE_BAD_TEST   ? -60
                                             : fake->manner == FAKE_NAN_TEST ? NAN
                                                                             : -138,
                                 .round_trip_us = 100,
                                 .is_software = fake->manner == FAKE_SOFTWARE};
    snprintf(words->name, sizeof words->name, "%s",
             fake->manner == FAKE_FAILS ? "no device today" : "fake");
    if (fake->manner == FAKE_NEVER_READY)
        return;
    atomic_store(&fake->area.head->phase.value,
                 fake->manner == FAKE_FAILS ? GPU_PHASE_FAILED : GPU_PHASE_READY);
    if (fake->manner == FAKE_FAILS)
        _exit(1);
}

void fake_gpu_serve(int memory, int work, int done, enum fake_manner manner,
                    const _Atomic bool *is_ending)
{
    struct fake fake = {.manner = manner, .work = work, .done = done};
    pid_t parent = getppid();
    if (gpu_area_attach(&fake.area, memory) != 0)
        return;
    report(&fake);
    while (!*is_ending && getppid() == parent)
        turn(&fake);
    for (uint32_t i = 0; i < GPU_BANKS_MAX; i++)
        close_bank(&fake, i);
    gpu_area_finish(&fake.area);
}

void fake_gpu_main(int argc, char **argv)
{
    static _Atomic bool never;
    const char *manner = getenv(VARIABLE);
    if (!manner || argc < 7)
        return;
    // As the launcher hands them over: --memory N --work N --done N.
    fake_gpu_serve(atoi(argv[2]), atoi(argv[4]), atoi(argv[6]), (enum fake_manner)atoi(manner),
                   &never);
    _exit(0);
}

const char *fake_gpu_variable(enum fake_manner manner)
{
    static char text[40];
    snprintf(text, sizeof text, "%s=%d", VARIABLE, manner);
    return text;
}
