// What the graphics processor of this machine does for convolution tails, beside one core's SIMD.
//
// Both sides compute the same sums: the CPU by the loops that the convolver runs
// (`dsp/effects/mac.h`), the GPU with all of a block's way: spectra up, sums, results down.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/effects/mac.h"
#include "dsp/gpu/mac.h"
#include "dsp/gpu/mac_reference.h"
#include "tests/bench/bench.h"

enum { ROUNDS = 31, BANKS_MAX = 16, WAIT_NS = 1000000000 };

struct side {
    struct gpu_mac_shape shape;
    int banks;
    struct gpu_mac *gpu;
    struct gpu_bank *bank[BANKS_MAX];
    float *impulse[BANKS_MAX], *history[BANKS_MAX]; ///< the CPU's
    float *input, *output;
    uint64_t sequence;
};

static size_t floats_of(const struct side *side) { return gpu_mac_shape_floats(&side->shape); }

static float *random_floats(size_t count)
{
    static uint32_t seed = 1;
    float *values = fft_alloc(count);
    if (!values)
        exit(1);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)((seed = seed * 1664525 + 1013904223) >> 8) * 0x1p-24f - 0.5f;
    return values;
}

static void open_banks(struct side *side)
{
    uint32_t rows = gpu_mac_shape_paths(&side->shape) * side->shape.partitions;
    for (int i = 0; i < side->banks; i++) {
        side->impulse[i] = random_floats(rows * floats_of(side));
        side->history[i] =
            random_floats(side->shape.inputs * side->shape.partitions * floats_of(side));
        side->bank[i] = gpu_bank_create(side->gpu, &side->shape);
        if (!side->bank[i]) {
            puts("  (no memory for that)");
            exit(0);
        }
        for (uint32_t row = 0; row < rows; row++)
            gpu_bank_load(side->bank[i], row, side->impulse[i] + row * floats_of(side));
    }
    side->input = random_floats(side->shape.inputs * floats_of(side));
    side->output = random_floats(side->shape.outputs * floats_of(side));
    for (; side->sequence < side->shape.partitions; side->sequence++)
        for (int i = 0; i < side->banks; i++)
            gpu_bank_feed(side->bank[i], side->sequence, side->input);
}

static void close_banks(struct side *side)
{
    for (int i = 0; i < side->banks; i++) {
        gpu_bank_destroy(side->bank[i]);
        free(side->impulse[i]);
        free(side->history[i]);
    }
    free(side->input);
    free(side->output);
}

static void deliver(void *context, uint64_t tag, struct gpu_bank *bank)
{
    struct side *side = context;
    (void)tag;
    gpu_bank_take(bank, side->output);
}

/// A block of every bank, there and back. Returns microseconds.
static double time_gpu(struct side *side)
{
    int64_t start_ns = bench_now_ns();
    for (int i = 0; i < side->banks; i++)
        gpu_mac_add(side->gpu, side->bank[i], side->sequence, side->input, 0);
    gpu_mac_start(side->gpu);
    while (gpu_mac_pending(side->gpu) > 0)
        gpu_mac_collect(side->gpu, WAIT_NS, deliver, side);
    side->sequence++;
    return (double)(bench_now_ns() - start_ns) * 1e-3;
}

/// The same sums by the convolver's loops; its rows lie tile by tile, of as many floats.
static double time_cpu(struct side *side)
{
    const struct mac *mac = mac_best();
    const uint32_t parts = side->shape.partitions, tiles = side->shape.bins / FFT_TILE;
    int64_t start_ns = bench_now_ns();
    for (int i = 0; i < side->banks; i++) {
        memset(side->output, 0, side->shape.outputs * floats_of(side) * sizeof(float));
        for (uint32_t in = 0; in < side->shape.inputs; in++)
            for (uint32_t out = 0; out < side->shape.outputs; out++) {
                int path = gpu_mac_shape_path(&side->shape, in, out);
                if (path < 0)
                    continue;
                struct mac_row x = {side->history[i] + in * parts * floats_of(side), parts};
                struct mac_row h = {side->impulse[i] + (size_t)path * parts * floats_of(side),
                                    parts};
                mac->spectra(side->output + out * floats_of(side), x, parts / 3, h, tiles);
            }
    }
    return (double)(bench_now_ns() - start_ns) * 1e-3;
}

static double time_reference(struct side *side)
{
    int64_t start_ns = bench_now_ns();
    for (int i = 0; i < side->banks; i++) {
        struct gpu_mac_spectra spectra = {side->impulse[i], side->history[i],
                                          side->shape.partitions};
        gpu_mac_reference(&side->shape, &spectra, side->sequence, side->output);
    }
    return (double)(bench_now_ns() - start_ns) * 1e-3;
}

static void measure(struct gpu_mac *gpu, const char *name, const struct gpu_mac_shape *shape,
                    int banks)
{
    struct side side = {.shape = *shape, .banks = banks, .gpu = gpu};
    double ours[ROUNDS], rival[ROUNDS], reference[ROUNDS];
    char text[80];
    open_banks(&side);
    time_gpu(&side); // the first dispatch of a size may compile
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = time_gpu(&side);
        rival[i] = time_cpu(&side);
        reference[i] = time_reference(&side);
    }
    double us = bench_median(ours, ROUNDS);
    bench_row(&(struct bench_row){.name = name,
                                  .ours = us,
                                  .rival = bench_median(rival, ROUNDS),
                                  .unit = "us",
                                  .decimals = 0});
    snprintf(text, sizeof text, "  beside the C reference");
    bench_row(&(struct bench_row){.name = text,
                                  .ours = us,
                                  .rival = bench_median(reference, ROUNDS),
                                  .unit = "us",
                                  .decimals = 0});
    snprintf(text, sizeof text, "  worst of %d", ROUNDS);
    bench_row(&(struct bench_row){.name = text,
                                  .ours = bench_quantile(ours, ROUNDS, 1),
                                  .rival = bench_quantile(rival, ROUNDS, 1),
                                  .unit = "us",
                                  .decimals = 0});
    close_banks(&side);
}

int main(void)
{
    char why[256] = "", title[256];
    struct gpu_device *device = gpu_device_create(why, sizeof why);
    struct gpu_mac_settings settings = {0};
    struct gpu_mac *mac = device ? gpu_mac_create(device, &settings, why, sizeof why) : NULL;
    if (!mac) {
        printf("bench_gpu: no graphics processor: %s\n", why);
        gpu_device_destroy(device);
        return 0;
    }
    const struct gpu_device_about *about = gpu_device_about(device);
    snprintf(title, sizeof title, "tails on %.36s%s", about->name,
             about->is_software ? " (software)" : "");
    bench_title_against(title, "SIMD, a core");
    measure(mac, "least: mono, 1 x 16 bins", &(struct gpu_mac_shape){1, 1, 1, 1, 16}, 1);
    measure(mac, "3 s stereo, 16 x 8192", &(struct gpu_mac_shape){2, 2, 9, 16, 8192}, 1);
    measure(mac, "10 s true stereo, 27 x 16384", &(struct gpu_mac_shape){2, 2, 15, 27, 16384}, 1);
    measure(mac, "16 of those at once", &(struct gpu_mac_shape){2, 2, 15, 27, 16384}, 16);
    bench_note("one block of each, spectra up and results down; a block of 16384 is due every "
               "341 ms at 48 kHz");
    gpu_mac_destroy(mac);
    gpu_device_destroy(device);
    return 0;
}
