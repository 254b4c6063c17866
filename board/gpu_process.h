/// The launcher and watcher of `consort-gpu`: starts it, believes it only what it proves, kills it
/// when it hangs, brings it back after pauses that double, and says how far to trust it.
///
/// A state machine that the main loop turns; it has no thread and never waits, but for
/// `gpu_process_destroy`. Blocks go through its client (`dsp/gpu/client.h`), whatever state it is
/// in. Owner: the daemon. Thread: main.
#ifndef CONSORT_BOARD_GPU_PROCESS_H
#define CONSORT_BOARD_GPU_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/gpu/client.h"

struct gpu_process;

enum gpu_wish {
    GPU_AUTO, ///< used when it is hardware and passes its self-test
    GPU_ON,   ///< used when it passes, a software rasteriser too
    GPU_OFF,  ///< never started
};

enum gpu_state {
    GPU_STATE_OFF,      ///< not wanted, not fit, or barred; `reason` tells
    GPU_STATE_WAITING,  ///< between two attempts
    GPU_STATE_STARTING, ///< it opens the device, compiles and tests itself
    GPU_STATE_RUNNING,  ///< it passed, and takes jobs
    GPU_STATE_STOPPING, ///< it was killed, or asked to end
};

/// Times of 0 take the usual values. Texts are copied.
struct gpu_process_settings {
    enum gpu_wish wish;
    const char *program;  ///< path of consort-gpu
    const char *folder;   ///< where linked shaders are kept, or NULL
    const char *mark;     ///< file of the crash mark (`board/crash_mark.h`), or NULL
    const char *variable; ///< "NAME=value" added to its environment, or NULL
    uint32_t cells;       ///< as gpu_client_create
    size_t cell_bytes;
    int64_t start_ns;                          ///< it must be ready within; 20 s
    int64_t hang_ns;                           ///< its heart beats within; 1 s
    int64_t pause_ns;                          ///< before a new attempt, doubling to a minute; 1 s
    void (*log)(void *data, const char *line); ///< gets whole sentences
    void *data;
};

enum { GPU_REASON_BYTES = 256 };

struct gpu_process_status {
    enum gpu_state state;
    enum gpu_mode mode;
    char reason[GPU_REASON_BYTES]; ///< why it is off, or what ended the last one; "" for nothing
    struct gpu_report report;      ///< of the last one that passed
    struct gpu_counts counts;
    unsigned starts, deaths, hangs;
};

/// Nothing is started yet. Returns NULL with errno.
struct gpu_process *gpu_process_create(const struct gpu_process_settings *settings);

/// Ends the process (up to 2 s). Nobody may use the client any more. NULL is welcome.
void gpu_process_destroy(struct gpu_process *process);

/// Lives as long as the launcher.
struct gpu_client *gpu_process_client(struct gpu_process *process);

/// Takes the next step. Returns the time (CLOCK_MONOTONIC) at which to call again at the latest.
int64_t gpu_process_service(struct gpu_process *process, int64_t now_ns);

/// Readable when the process said something or ended; -1 when none runs.
int gpu_process_descriptor(const struct gpu_process *process);

/// A new wish. One that is not the old one also lifts a bar and forgets pauses.
void gpu_process_wish(struct gpu_process *process, enum gpu_wish wish, int64_t now_ns);

void gpu_process_read_status(struct gpu_process *process, struct gpu_process_status *status);

#endif
