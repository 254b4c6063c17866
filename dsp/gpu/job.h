/// The memory that the firmware and `consort-gpu` share: jobs go one way, answers the other.
///
/// One memfd: a head, two rings, and cells that carry the spectra. The firmware (client) makes it,
/// sealed against resizing; the process (server) maps it. Neither side believes the other: what a
/// ring says is copied out before it is looked at, its counters and every index are checked against
/// what this side knows itself, and the client never takes a place or a size from an answer.
///
/// Owner: the client and the server hold a `gpu_area` each. Thread: one on each side at a time.
#ifndef CONSORT_DSP_GPU_JOB_H
#define CONSORT_DSP_GPU_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/gpu/mac_shape.h"

enum {
    GPU_JOB_VERSION = 1,
    GPU_RING = 128,      ///< places in each ring, a power of two
    GPU_CELLS_MAX = 128, ///< no more than places, so that neither ring can run full
    GPU_BANKS_MAX = 64,
    GPU_NAME_BYTES = 128,
};

enum gpu_job_kind {
    GPU_JOB_OPEN = 1, ///< makes bank `bank` of `shape`, no impulses yet
    GPU_JOB_LOAD,     ///< the cell holds row `row` of its impulse spectra (as gpu_bank_load)
    GPU_JOB_BLOCK,    ///< the cell holds its inputs of block `sequence`; its outputs shall go there
    GPU_JOB_FEED,     ///< as BLOCK, but for the history alone: no output
    GPU_JOB_CLOSE,    ///< bank `bank` is forgotten
};

/// All fields are the sender's words.
struct gpu_job {
    uint64_t id;                ///< comes back with the answer
    uint64_t sequence;          ///< BLOCK, FEED
    uint32_t kind;              ///< enum gpu_job_kind
    uint32_t cell;              ///< 0..cells-1
    uint32_t bank;              ///< 0..GPU_BANKS_MAX-1
    uint32_t row;               ///< LOAD
    struct gpu_mac_shape shape; ///< OPEN
    uint32_t reserved[3];       ///< 0
};

struct gpu_answer {
    uint64_t id;
    int32_t status;    ///< 0 or negative errno
    uint32_t spent_us; ///< from taking the job to this answer; to be shown, not believed
};

/// How far the process has come.
enum gpu_phase {
    GPU_PHASE_STARTING, ///< opens the device, compiles
    GPU_PHASE_TESTING,  ///< checks itself
    GPU_PHASE_READY,    ///< takes jobs; the report stands
    GPU_PHASE_FAILED,   ///< will end; the report says why
};

/// What the process says of itself before it is READY or has FAILED.
struct gpu_report {
    char name[GPU_NAME_BYTES];   ///< of the device; the reason when FAILED
    char driver[GPU_NAME_BYTES]; ///< its version
    float error_db;              ///< of the self-test, against double precision
    float round_trip_us;         ///< of a small block, median
    float round_trip_worst_us;
    uint32_t is_software;
};

struct gpu_counter {
    _Alignas(64) _Atomic uint32_t value;
};

/// The head of the memory. The fields above `phase` are written by the client before the process
/// starts.
struct gpu_head {
    char magic[8];
    uint32_t version, head_bytes, cells;
    uint64_t cell_bytes, total_bytes;
    struct gpu_counter phase;            ///< enum gpu_phase; server
    struct gpu_counter beat;             ///< goes up while the process is alive; server
    struct gpu_counter sent, taken;      ///< jobs ever; client, server
    struct gpu_counter answered, heard;  ///< answers ever; server, client
    struct gpu_report report;            ///< server
    struct gpu_job jobs[GPU_RING];       ///< client
    struct gpu_answer answers[GPU_RING]; ///< server
};

/// One side's view.
struct gpu_area {
    struct gpu_head *head;
    unsigned char *cell_base;
    // Copies of our own: what lies in the memory may change under our hands.
    uint32_t cells;
    size_t cell_bytes, total_bytes;
    uint32_t sent, taken, answered, heard; ///< those that this side writes
};

/// Makes the memory and maps it. `*file` gets its descriptor, close-on-exec. Returns 0, -EINVAL
/// (cells 1..GPU_CELLS_MAX, cell_bytes at least 64) or another negative errno.
int gpu_area_create(struct gpu_area *area, uint32_t cells, size_t cell_bytes, int *file);

/// Client: everything as new, for a new process. No process may use it.
void gpu_area_reset(struct gpu_area *area);

/// Server: maps the memory that the client made. Returns 0, -EPROTO (no such memory, or of another
/// version) or another negative errno.
int gpu_area_attach(struct gpu_area *area, int file);

/// All zero is welcome.
void gpu_area_finish(struct gpu_area *area);

/// The spectra of a cell, at 64 bytes. `cell` must be below `cells`.
float *gpu_area_cell(const struct gpu_area *area, uint32_t cell);

/// Puts one in. Returns 0, -EAGAIN (full) or -EPROTO (the other side's counter is impossible).
int gpu_area_send(struct gpu_area *area, const struct gpu_job *job);
int gpu_area_answer(struct gpu_area *area, const struct gpu_answer *answer);

/// Copies the oldest out. Returns 1, 0 (none) or -EPROTO.
int gpu_area_take(struct gpu_area *area, struct gpu_job *job);
int gpu_area_hear(struct gpu_area *area, struct gpu_answer *answer);

/// Server: whether a job asks for something possible, given the shape of its bank (NULL: there is
/// no such bank). Returns 0, -EINVAL or -ENOENT (no such bank).
int gpu_job_check(const struct gpu_area *area, const struct gpu_job *job,
                  const struct gpu_mac_shape *bank);

/// Bytes that a cell must have for blocks of a shape.
size_t gpu_job_cell_bytes(const struct gpu_mac_shape *shape);

/// Client: copies the report out: texts end and can be printed, numbers are finite or NAN.
void gpu_area_read_report(const struct gpu_area *area, struct gpu_report *report);

#endif
