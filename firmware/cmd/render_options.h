/// The command line of `consort render`, checked, with the name of each sound file.
///
/// Thread: main.
#ifndef CONSORT_FIRMWARE_CMD_RENDER_OPTIONS_H
#define CONSORT_FIRMWARE_CMD_RENDER_OPTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "firmware/render_job.h"

enum {
    RENDER_OPTIONS_READY = -1, ///< unlike any exit status
    RENDER_JOBS_MAX = 64,
};

struct render_options {
    const char *font; ///< NULL: what the config says
    const char *out;
    int rate_hz, period_frames;
    int jobs; ///< 0: as many as cores
    double tail_seconds;
    bool has_effects, is_json;
    int count;                    ///< files
    struct config_values *values; ///< of --config, or the defaults
};

/// One file on its way. The thread that renders it writes all but the names; the others read it
/// once `is_done`, `permille` at any time.
struct render_file {
    const char *in;
    char *out;
    size_t notes;
    struct render_result result;
    char error[1024]; ///< why there is no sound file, or ""
    _Atomic int permille;
    _Atomic bool is_done;
};

/// Reads the command line. Returns RENDER_OPTIONS_READY with an array of `count` files, or an exit
/// status when there is nothing to do: help was asked for, or a mistake has been explained.
int render_options_read(struct render_options *options, struct render_file **files, int argc,
                        char **argv);

/// Frees what was read, whatever the outcome.
void render_options_finish(struct render_options *options, struct render_file *files);

#endif
