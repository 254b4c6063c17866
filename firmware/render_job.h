/// One piece rendered to one sound file, as fast as the machine can.
///
/// Thread: any but the audio thread; several jobs may run at once, each with an engine of its own
/// on a font that they share.
#ifndef CONSORT_FIRMWARE_RENDER_JOB_H
#define CONSORT_FIRMWARE_RENDER_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "dsp/engine/smf.h"
#include "dsp/synth/font.h"

struct render_settings {
    const struct config_values *values; ///< engine parameters that the file sets are taken
    struct font *font;
    int rate_hz;            ///< 8000..192000
    uint32_t period_frames; ///< 1..8192
    int workers;            ///< threads beside the calling one, 0..15
    double tail_seconds;    ///< at most, behind the end of the piece
    bool has_effects;       ///< false switches the whole chain off
};

struct render_result {
    uint64_t frames;
    uint64_t clips; ///< samples beyond full scale
    double peak_db; ///< relative to full scale; -INFINITY for silence
    double wall_seconds;
    bool is_faded_out; ///< it still sounded when the tail was over
};

/// Renders a piece to `path`, a sound file by its ending; on failure there is none. `permille`
/// follows the progress, 0..1000. Returns 0, or a negative errno with a sentence in `error`.
int render_job_run(const struct render_settings *settings, const struct smf *piece,
                   const char *path, _Atomic int *permille, struct render_result *result,
                   char *error, size_t error_bytes);

#endif
