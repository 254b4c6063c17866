/// What a bank and its multiply-accumulate know of each other.
///
/// Owner: mac.c and bank.c. Thread: that of the device.
#ifndef CONSORT_DSP_GPU_MAC_INSIDE_H
#define CONSORT_DSP_GPU_MAC_INSIDE_H

#include <GLES3/gl31.h>

#include "dsp/gpu/buffer.h"
#include "dsp/gpu/mac.h"
#include "dsp/gpu/pipeline.h"

struct gpu_bank {
    struct gpu_mac *mac;
    struct gpu_mac_shape shape;
    struct gpu_buffer impulse, history, result;
    uint32_t rows_loaded;
    uint32_t history_rows;
    uint64_t newest; ///< block of the history
    uint64_t run;    ///< blocks without a gap that end with the newest one; 0 when there is none
    uint32_t taking; ///< the batch that is being delivered
};

struct block {
    struct gpu_bank *bank;
    uint64_t sequence, tag;
};

struct batch {
    struct block blocks[GPU_MAC_BATCH_BLOCKS];
    uint32_t count;
    GLsync fence;
    int64_t started_ns;
};

struct gpu_mac {
    struct pipeline pipeline;
    bool stays_mapped;
    // A ring: batches from `oldest` on are under way, the one after them is being filled.
    struct batch batches[GPU_MAC_BATCHES];
    uint32_t oldest, under_way;
};

/// The block of a bank in a batch, or NULL.
const struct block *mac_find_block(const struct batch *batch, const struct gpu_bank *bank);

/// Whether all impulses and all earlier blocks are there.
bool mac_bank_is_whole(const struct gpu_bank *bank);

#endif
