/// The inside of `consort-gpu`: takes jobs from the shared memory and answers them.
///
/// Owner: the program. Thread: its only one.
#ifndef CONSORT_DSP_GPU_SERVER_H
#define CONSORT_DSP_GPU_SERVER_H

#include <stdbool.h>

struct gpu_server_settings {
    int memory, work, done; ///< the memfd; eventfds that say "a job", "an answer"
    const char *folder;     ///< where linked programs are kept, or NULL
    bool is_unmapped;       ///< do without EXT_buffer_storage
};

/// Opens the device, tests itself, and serves until its parent goes or the processor fails. Returns
/// the exit status: 0 or 1. What went wrong is on stderr and, where possible, in the report.
int gpu_server_run(const struct gpu_server_settings *settings);

/// Opens the device, tests itself and prints what came out. Returns 0 when it passed, else 1.
int gpu_server_try(const struct gpu_server_settings *settings);

#endif
