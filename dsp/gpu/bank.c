#include <errno.h>
#include <stdlib.h>

#include "dsp/gpu/mac_inside.h"

static size_t spectrum_bytes(const struct gpu_bank *bank)
{
    return gpu_mac_shape_floats(&bank->shape) * sizeof(float);
}

static size_t result_bytes(const struct gpu_bank *bank)
{
    return bank->shape.outputs * spectrum_bytes(bank);
}

static int allocate(struct gpu_bank *bank)
{
    bool stays_mapped = bank->mac->stays_mapped;
    size_t history = bank->shape.inputs * bank->history_rows * spectrum_bytes(bank);
    int code = gpu_buffer_init(&bank->impulse, GPU_BUFFER_CONSTANT,
                               gpu_mac_shape_impulse_bytes(&bank->shape), stays_mapped);
    if (code == 0)
        code = gpu_buffer_init(&bank->history, GPU_BUFFER_UP, history, stays_mapped);
    if (code == 0)
        code = gpu_buffer_init(&bank->result, GPU_BUFFER_DOWN, GPU_MAC_BATCHES * result_bytes(bank),
                               stays_mapped);
    return code;
}

struct gpu_bank *gpu_bank_create(struct gpu_mac *mac, const struct gpu_mac_shape *shape)
{
    if (!gpu_mac_shape_is_valid(shape)) {
        errno = EINVAL;
        return NULL;
    }
    struct gpu_bank *bank = calloc(1, sizeof *bank);
    if (!bank)
        return NULL;
    bank->mac = mac;
    bank->shape = *shape;
    // Rows that batches under way still read are never the one that is written.
    bank->history_rows = shape->partitions + GPU_MAC_BATCHES;
    int code = allocate(bank);
    if (code == 0)
        return bank;
    gpu_bank_destroy(bank);
    errno = -code;
    return NULL;
}

void gpu_bank_destroy(struct gpu_bank *bank)
{
    if (!bank)
        return;
    gpu_buffer_finish(&bank->impulse);
    gpu_buffer_finish(&bank->history);
    gpu_buffer_finish(&bank->result);
    free(bank);
}

const struct gpu_mac_shape *gpu_bank_shape(const struct gpu_bank *bank) { return &bank->shape; }

static uint32_t rows_of(const struct gpu_bank *bank)
{
    return gpu_mac_shape_paths(&bank->shape) * bank->shape.partitions;
}

int gpu_bank_load(struct gpu_bank *bank, uint32_t row, const float *spectrum)
{
    size_t bytes = spectrum_bytes(bank);
    if (row != bank->rows_loaded || row >= rows_of(bank))
        return -EINVAL;
    bank->rows_loaded++;
    return gpu_buffer_write(&bank->impulse, row * bytes, spectrum, bytes);
}

// ---- History ----

/// Whether a block that is still to be computed reads the row of history that `sequence` goes to.
static bool is_being_read(const struct gpu_bank *bank, uint64_t sequence)
{
    const uint64_t rows = bank->history_rows;
    for (int i = 0; i < GPU_MAC_BATCHES; i++) {
        const struct block *block = mac_find_block(&bank->mac->batches[i], bank);
        if (block &&
            (block->sequence % rows + rows - sequence % rows) % rows < bank->shape.partitions)
            return true;
    }
    return false;
}

static int write_history(struct gpu_bank *bank, uint64_t sequence, const float *spectra)
{
    size_t bytes = spectrum_bytes(bank);
    uint64_t row = sequence % bank->history_rows;
    int code = 0;
    for (uint32_t i = 0; i < bank->shape.inputs && code == 0; i++)
        code = gpu_buffer_write(&bank->history, (i * (size_t)bank->history_rows + row) * bytes,
                                spectra + i * gpu_mac_shape_floats(&bank->shape), bytes);
    return code;
}

/// Before block 0 there is silence: nothing is missing there.
static void extend_run(struct gpu_bank *bank, uint64_t sequence)
{
    bool follows = bank->run > 0 && sequence == bank->newest + 1;
    if (sequence == 0)
        bank->run = bank->shape.partitions;
    else
        bank->run = follows ? bank->run + 1 : 1;
    bank->newest = sequence;
}

int gpu_bank_feed(struct gpu_bank *bank, uint64_t sequence, const float *spectra)
{
    if (is_being_read(bank, sequence))
        return -EBUSY;
    if (write_history(bank, sequence, spectra) != 0)
        return -EIO;
    extend_run(bank, sequence);
    return 0;
}

bool mac_bank_is_whole(const struct gpu_bank *bank)
{
    return bank->rows_loaded == rows_of(bank) && bank->run >= bank->shape.partitions;
}

// ---- Results ----

int gpu_bank_take(struct gpu_bank *bank, float *spectra)
{
    return gpu_buffer_read(&bank->result, bank->taking * result_bytes(bank), spectra,
                           result_bytes(bank));
}
