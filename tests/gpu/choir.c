#include "tests/gpu/choir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_ROWS = 8 };

static float random_value(struct choir *choir)
{
    choir->random = choir->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (float)(int32_t)(choir->random >> 32) * 0x1p-31f;
}

static void fill(struct choir *choir, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = random_value(choir);
}

void choir_init(struct choir *choir, const struct gpu_mac_shape *shape, uint64_t seed)
{
    size_t floats = gpu_mac_shape_floats(shape);
    uint32_t rows = shape->partitions + SPARE_ROWS;
    size_t impulse = gpu_mac_shape_impulse_bytes(shape) / sizeof(float);
    *choir = (struct choir){.shape = *shape, .random = seed};
    choir->impulse = malloc(impulse * sizeof(float));
    // Behind the rows: the inputs of one block side by side.
    choir->history = calloc((rows + 1) * shape->inputs * floats, sizeof(float));
    choir->expected = calloc(shape->outputs * floats, sizeof(float));
    choir->spectra = (struct gpu_mac_spectra){choir->impulse, choir->history, rows};
    fill(choir, choir->impulse, impulse);
}

void choir_finish(struct choir *choir)
{
    free(choir->impulse);
    free(choir->history);
    free(choir->expected);
}

static float *row_of(const struct choir *choir, uint32_t input, uint64_t sequence)
{
    size_t row = input * (size_t)choir->spectra.rows + sequence % choir->spectra.rows;
    return choir->history + row * gpu_mac_shape_floats(&choir->shape);
}

void choir_sing(struct choir *choir, uint64_t sequence)
{
    for (uint32_t i = 0; i < choir->shape.inputs; i++)
        fill(choir, row_of(choir, i, sequence), gpu_mac_shape_floats(&choir->shape));
    gpu_mac_reference(&choir->shape, &choir->spectra, sequence, choir->expected);
}

const float *choir_inputs(struct choir *choir, uint64_t sequence)
{
    size_t floats = gpu_mac_shape_floats(&choir->shape);
    float *inputs = choir->history + choir->shape.inputs * choir->spectra.rows * floats;
    for (uint32_t i = 0; i < choir->shape.inputs; i++)
        memcpy(inputs + i * floats, row_of(choir, i, sequence), floats * sizeof(float));
    return inputs;
}

struct gpu_block choir_block(const struct choir *choir, uint64_t sequence)
{
    struct gpu_block block = {.sequence = sequence, .stride = 32};
    for (uint32_t i = 0; i < choir->shape.inputs; i++)
        block.spectra[i] = row_of(choir, i, sequence);
    return block;
}

double choir_error_db(const struct choir *choir, const float *outputs)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < choir->shape.outputs * gpu_mac_shape_floats(&choir->shape); i++) {
        double difference = (double)outputs[i] - choir->expected[i];
        error += difference * difference;
        power += (double)choir->expected[i] * choir->expected[i];
    }
    return 10 * log10(error / power + 1e-30);
}

static void read_impulse(void *context, uint32_t path, uint32_t partition, float *spectrum)
{
    const struct choir *choir = context;
    size_t floats = gpu_mac_shape_floats(&choir->shape);
    memcpy(spectrum, choir->impulse + (path * choir->shape.partitions + partition) * floats,
           floats * sizeof(float));
}

static struct gpu_mac_bin compute_bin(void *context, uint64_t sequence, uint32_t output,
                                      uint32_t bin)
{
    const struct choir *choir = context;
    return gpu_mac_reference_bin(&choir->shape, &choir->spectra, sequence, output, bin);
}

struct gpu_source choir_source(struct choir *choir)
{
    return (struct gpu_source){choir, read_impulse, compute_bin};
}
