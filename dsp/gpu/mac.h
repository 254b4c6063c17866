/// Spectral multiply-accumulate on the graphics processor: many banks of impulse responses, a block
/// of each at a time.
///
/// A bank keeps its impulse spectra and the latest blocks of its inputs on the processor, so a
/// block costs one spectrum up per input and one down per output. Blocks are gathered in a batch;
/// up to GPU_MAC_BATCHES batches are filled or under way. Nothing here waits longer than it is told
/// to.
///
/// Owner: the server of `consort-gpu`, or a test. Thread: that of the device.
#ifndef CONSORT_DSP_GPU_MAC_H
#define CONSORT_DSP_GPU_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/gpu/device.h"
#include "dsp/gpu/mac_shape.h"

enum { GPU_MAC_BATCHES = 3, GPU_MAC_BATCH_BLOCKS = 16 };

struct gpu_mac;
struct gpu_bank;

struct gpu_mac_settings {
    const char *folder; ///< where linked programs are kept, or NULL
    bool is_unmapped;   ///< do without EXT_buffer_storage
    const char *source; ///< of the shader; NULL for shaders/mac.comp
};

/// Returns NULL with errno: EINVAL (the shader does not compile, or no settings), ENOMEM; `why`
/// gets the reason.
struct gpu_mac *gpu_mac_create(const struct gpu_device *device,
                               const struct gpu_mac_settings *settings, char *why,
                               size_t why_bytes);

/// Its banks must be gone. NULL is welcome.
void gpu_mac_destroy(struct gpu_mac *mac);

/// Returns NULL with errno: EINVAL, ENOMEM.
struct gpu_bank *gpu_bank_create(struct gpu_mac *mac, const struct gpu_mac_shape *shape);

/// Only while none of its blocks is in a batch. NULL is welcome.
void gpu_bank_destroy(struct gpu_bank *bank);

const struct gpu_mac_shape *gpu_bank_shape(const struct gpu_bank *bank);

/// The spectrum of one partition of one path, `row` = path * partitions + partition; rows come in
/// order, each once. Returns 0, -EINVAL (another row was next) or -EIO.
int gpu_bank_load(struct gpu_bank *bank, uint32_t row, const float *spectrum);

/// Block `sequence` of the bank's inputs (spectra one behind the other) becomes part of its
/// history, and no output is wanted. A block that does not follow the last one begins the history
/// anew. Returns 0 or
///   -EBUSY   it would be written over what is being read: start, collect, and feed it again
///   -EIO     GL has failed
int gpu_bank_feed(struct gpu_bank *bank, uint64_t sequence, const float *spectra);

/// As gpu_bank_feed, and the block joins the batch that is being filled, under `tag`. Returns also
///   -EBUSY    the batch is full or has a block of this bank, or all batches are under way
///   -ENODATA  impulses or earlier blocks are missing; only the history has got the block
int gpu_mac_add(struct gpu_mac *mac, struct gpu_bank *bank, uint64_t sequence, const float *spectra,
                uint64_t tag);

/// Hands the batch that is being filled, if it holds a block, to the processor. Returns 0 or -EIO.
int gpu_mac_start(struct gpu_mac *mac);

/// Blocks that were added and have not been delivered.
uint32_t gpu_mac_pending(const struct gpu_mac *mac);

/// Whether a batch is with the processor, and since when (CLOCK_MONOTONIC).
bool gpu_mac_is_under_way(const struct gpu_mac *mac, int64_t *since_ns);

/// A block is done: `gpu_bank_take` its spectra.
typedef void gpu_mac_deliver(void *context, uint64_t tag, struct gpu_bank *bank);

/// Waits for the oldest batch, `timeout_ns` at most, and delivers its blocks. Returns 1 when it
/// did, 0 when the batch is not done or there is none, -EIO when GL has failed.
int gpu_mac_collect(struct gpu_mac *mac, int64_t timeout_ns, gpu_mac_deliver *deliver,
                    void *context);

/// From within gpu_mac_deliver: copies the output spectra of the block that is delivered, one
/// behind the other. Returns 0 or -EIO.
int gpu_bank_take(struct gpu_bank *bank, float *spectra);

#endif
