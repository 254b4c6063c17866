#include "dsp/gpu/self_test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/base/fft.h"
#include "dsp/gpu/mac_reference.h"

enum { ROUNDS = 40 };
static const int64_t PATIENCE_NS = INT64_C(3000000000);

// Mono, stereo, true stereo, and one whose bins fill no work group.
static const struct gpu_mac_shape shapes[] = {
    {.inputs = 1, .outputs = 1, .paths = 1, .partitions = 5, .bins = 512},
    {.inputs = 2, .outputs = 2, .paths = 9, .partitions = 7, .bins = 1024},
    {.inputs = 2, .outputs = 2, .paths = 15, .partitions = 9, .bins = 2048},
    {.inputs = 1, .outputs = 2, .paths = 3, .partitions = 3, .bins = 16},
};

struct bench {
    struct gpu_mac *mac;
    struct gpu_mac_shape shape;
    struct gpu_bank *bank;
    struct gpu_mac_spectra spectra;
    float *impulse, *history, *input, *output;
    uint64_t sequence;
    uint64_t random;
    int status;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fill(struct bench *bench, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bench->random = bench->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        values[i] = (float)(int32_t)(bench->random >> 32) * 0x1p-31f;
    }
}

static void finish(struct bench *bench)
{
    gpu_bank_destroy(bench->bank);
    free(bench->impulse);
    free(bench->history);
    free(bench->input);
    free(bench->output);
}

static float *allocate(size_t floats) { return calloc(floats, sizeof(float)); }

static int load(struct bench *bench)
{
    size_t floats = gpu_mac_shape_floats(&bench->shape);
    uint32_t rows = gpu_mac_shape_paths(&bench->shape) * bench->shape.partitions;
    int code = 0;
    fill(bench, bench->impulse, rows * floats);
    for (uint32_t row = 0; row < rows && code == 0; row++)
        code = gpu_bank_load(bench->bank, row, bench->impulse + row * floats);
    return code;
}

static int init(struct bench *bench, struct gpu_mac *mac, const struct gpu_mac_shape *shape)
{
    size_t floats = gpu_mac_shape_floats(shape);
    *bench = (struct bench){.mac = mac, .shape = *shape, .random = 1};
    bench->bank = gpu_bank_create(mac, shape);
    if (!bench->bank)
        return -errno;
    bench->impulse = allocate(gpu_mac_shape_paths(shape) * shape->partitions * floats);
    bench->history = allocate(shape->inputs * shape->partitions * floats);
    bench->input = allocate(shape->inputs * floats);
    bench->output = allocate(shape->outputs * floats);
    if (!bench->impulse || !bench->history || !bench->input || !bench->output)
        return -ENOMEM;
    bench->spectra = (struct gpu_mac_spectra){bench->impulse, bench->history, shape->partitions};
    return load(bench);
}

static void deliver(void *context, uint64_t tag, struct gpu_bank *bank)
{
    struct bench *bench = context;
    bench->status = tag == bench->sequence ? gpu_bank_take(bank, bench->output) : -EBADMSG;
}

/// One block there and back.
static int run_block(struct bench *bench)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    int code = gpu_mac_add(bench->mac, bench->bank, bench->sequence, bench->input, bench->sequence);
    if (code == 0)
        code = gpu_mac_start(bench->mac);
    while (code == 0 && now_ns() < until_ns) {
        code = gpu_mac_collect(bench->mac, 10000000, deliver, bench);
        if (code == 1)
            return bench->status;
    }
    return code != 0 ? code : -ETIMEDOUT;
}

/// New random inputs, in the history of the reference too.
static void next_input(struct bench *bench)
{
    size_t floats = gpu_mac_shape_floats(&bench->shape);
    size_t row = bench->sequence % bench->shape.partitions;
    fill(bench, bench->input, bench->shape.inputs * floats);
    for (uint32_t i = 0; i < bench->shape.inputs; i++)
        for (size_t k = 0; k < floats; k++)
            bench->history[(i * bench->spectra.rows + row) * floats + k] =
                bench->input[i * floats + k];
}

/// Of the last block.
static float measure_error_db(const struct bench *bench)
{
    double error = 0, power = 0;
    for (uint32_t output = 0; output < bench->shape.outputs; output++)
        for (uint32_t bin = 0; bin < bench->shape.bins; bin++) {
            size_t at = output * gpu_mac_shape_floats(&bench->shape) +
                        bin / FFT_TILE * FFT_TILE_FLOATS + bin % FFT_TILE;
            struct gpu_mac_bin sum =
                gpu_mac_reference_bin(&bench->shape, &bench->spectra, bench->sequence, output, bin);
            double re = (double)bench->output[at] - sum.re;
            double im = (double)bench->output[at + FFT_TILE] - sum.im;
            error += re * re + im * im;
            power += sum.re * sum.re + sum.im * sum.im;
        }
    return (float)(10 * log10(error / power + 1e-30));
}

static int test_bank(struct gpu_mac *mac, const struct gpu_mac_shape *shape, float *worst_db)
{
    struct bench bench;
    int code = init(&bench, mac, shape);
    // The history comes around once.
    for (; code == 0 && bench.sequence < 2 * shape->partitions; bench.sequence++) {
        next_input(&bench);
        code = run_block(&bench);
        if (code == 0) {
            float error_db = measure_error_db(&bench);
            // NaN counts as the worst there is.
            *worst_db = error_db <= *worst_db ? *worst_db : isnan(error_db) ? 0 : error_db;
        }
    }
    finish(&bench);
    return code;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int time_blocks(struct gpu_mac *mac, struct self_test *result)
{
    struct bench bench;
    float us[ROUNDS];
    int code = init(&bench, mac, &shapes[2]);
    for (; code == 0 && bench.sequence < ROUNDS; bench.sequence++) {
        int64_t start_ns = now_ns();
        code = run_block(&bench);
        us[bench.sequence] = (float)(now_ns() - start_ns) * 1e-3f;
    }
    finish(&bench);
    if (code != 0)
        return code;
    qsort(us, ROUNDS, sizeof *us, compare);
    result->round_trip_us = us[ROUNDS / 2];
    result->round_trip_worst_us = us[ROUNDS - 1];
    return 0;
}

int self_test_run(struct gpu_mac *mac, void (*alive)(void *context), void *context,
                  struct self_test *result)
{
    *result = (struct self_test){.error_db = -300};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int code = test_bank(mac, &shapes[i], &result->error_db);
        if (code != 0)
            return code;
        if (alive)
            alive(context);
    }
    return time_blocks(mac, result);
}
