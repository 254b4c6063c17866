/// The firmware's side of `consort-gpu`: banks of impulse responses, blocks out, results back.
///
/// No GL here, and no process: the launcher (`board/gpu_process.h`) starts one and tells when it is
/// there. Whatever it does, a call here ends soon, and a result is accepted only when it is finite
/// and some bins of it, chosen at random, agree with what the CPU computes for them.
///
/// Owner: the launcher's owner. Thread: as each function says; "worker" is any thread but the audio
/// thread, blocks of one bank by one worker at a time. A short lock with priority inheritance
/// stands between them.
#ifndef CONSORT_DSP_GPU_CLIENT_H
#define CONSORT_DSP_GPU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/gpu/breaker.h"
#include "dsp/gpu/job.h"
#include "dsp/gpu/mac_reference.h"

/// A bank as its owner has it. The functions are called until `gpu_client_close` has returned.
struct gpu_source {
    void *context;
    /// Writes the spectrum of a partition of a path (counted as in mac_shape.h), tiles side by
    /// side. Thread: main, or the one that opens.
    void (*read_impulse)(void *context, uint32_t path, uint32_t partition, float *spectrum);
    /// Computes a bin of the sum of block `sequence`. Thread: the worker that collects.
    struct gpu_mac_bin (*compute_bin)(void *context, uint64_t sequence, uint32_t output,
                                      uint32_t bin);
};

/// Since the client was created.
struct gpu_counts {
    uint64_t sent, good; ///< blocks; good ones were collected and agreed
    uint64_t missed;     ///< not there when they were abandoned
    uint64_t wrong;      ///< did not agree, or words that make no sense
    uint64_t refused;    ///< answered with an error, or lost with the process
    uint32_t spent_us;   ///< on the last good block, as the process says
    uint32_t worst_us;   ///< on any
};

struct gpu_client;

/// `cells` (1..GPU_CELLS_MAX) blocks or rows may be on their way at once, each of up to
/// `cell_bytes` (gpu_job_cell_bytes). Returns NULL with errno.
struct gpu_client *gpu_client_create(uint32_t cells, size_t cell_bytes);

/// Nobody may use it, and no process. NULL is welcome.
void gpu_client_destroy(struct gpu_client *client);

// ---- The launcher. Thread: main ----

struct gpu_client_files {
    int memory, work, done; ///< close-on-exec
};

struct gpu_client_files gpu_client_files(const struct gpu_client *client);

/// Before a process is started; the one before it must be gone.
void gpu_client_reset(struct gpu_client *client);

/// The process takes jobs from now on.
void gpu_client_begin(struct gpu_client *client);

/// It does not any more. What was on its way is lost.
void gpu_client_end(struct gpu_client *client);

/// Sends what banks still need, as far as there is room. Call it some times a second, and soon
/// again when it returns that there is more.
bool gpu_client_service(struct gpu_client *client);

/// Whether the process has broken the rules of the rings: it must be ended.
bool gpu_client_is_broken(const struct gpu_client *client);

enum gpu_phase gpu_client_phase(const struct gpu_client *client);
uint32_t gpu_client_beat(const struct gpu_client *client);
void gpu_client_read_report(struct gpu_client *client, struct gpu_report *report);
void gpu_client_set_mode(struct gpu_client *client, enum gpu_mode mode);

// ---- Banks and blocks ----

/// Thread: any but the audio thread.
void gpu_client_read_counts(struct gpu_client *client, struct gpu_counts *counts);

/// How far to trust it. Thread: any. RT safe.
RT enum gpu_mode gpu_client_mode(const struct gpu_client *client);

/// Makes a bank, whether there is a process or not. Returns its number, 0.., or -EINVAL (shape, or
/// blocks that do not fit into a cell) or -ENOSPC. Thread: main.
int gpu_client_open(struct gpu_client *client, const struct gpu_mac_shape *shape,
                    const struct gpu_source *source);

/// None of its blocks may be uncollected or collected later. Thread: main.
void gpu_client_close(struct gpu_client *client, int bank);

/// Whether the process has been sent all of the bank's impulses. Thread: any but the audio thread.
bool gpu_client_is_loaded(struct gpu_client *client, int bank);

/// The first earlier block that the process needs to be fed (`gpu_client_feed`, in order) before it
/// can compute block `sequence`; `sequence` when it needs none. Thread: worker.
uint64_t gpu_client_missing(struct gpu_client *client, int bank, uint64_t sequence);

/// Spectra of a block, one for each input, their tiles `stride` floats apart.
struct gpu_block {
    uint64_t sequence;
    const float *spectra[GPU_MAC_CHANNELS_MAX];
    size_t stride;
};

/// A block for the bank's history alone. Returns 0, -EAGAIN (no cell is free), -ENOTCONN (there is
/// no process, or it has no such bank yet). Thread: worker.
int gpu_client_feed(struct gpu_client *client, int bank, const struct gpu_block *block);

/// A block to be computed. `*ticket` names it until it is collected with another result than
/// -EAGAIN, or abandoned. Returns as gpu_client_feed. Thread: worker.
int gpu_client_submit(struct gpu_client *client, int bank, const struct gpu_block *block,
                      uint64_t *ticket);

/// Takes the result: a spectrum for each output, tiles side by side. Returns 0, -EAGAIN (not there
/// yet), -ENODATA (impulses or earlier blocks are missing there), -EBADMSG (it is wrong), -EPIPE
/// (lost with the process), -ENOENT (no such ticket) or what the process said. Thread: worker.
int gpu_client_collect(struct gpu_client *client, uint64_t ticket, float *const outputs[]);

/// The block is too late, or not wanted any more (`is_late` tells). Thread: worker.
void gpu_client_abandon(struct gpu_client *client, uint64_t ticket, bool is_late);

/// Waits for an answer, for `timeout_ms` at most; one thread at a time. Thread: worker, offline.
void gpu_client_wait(struct gpu_client *client, int timeout_ms);

#endif
