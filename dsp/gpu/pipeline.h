/// A compute shader that has been compiled and linked, from its text or from a binary kept earlier.
///
/// Binaries are kept in a folder, one file each, named by a hash of the shader's text and of the
/// driver that made it; one that is broken or refused is compiled anew and replaced.
///
/// Owner: who created it. Thread: that of the device.
#ifndef CONSORT_DSP_GPU_PIPELINE_H
#define CONSORT_DSP_GPU_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/gpu/device.h"

struct pipeline {
    uint32_t program; ///< GL's name of it
    bool is_kept;     ///< came from the folder
};

/// Makes `source` ready to run. `folder` is where binaries are kept, NULL for none; that it cannot
/// be written is no error. Returns 0, or -EINVAL with the compiler's first words in `why`.
int pipeline_init(struct pipeline *pipeline, const struct gpu_device *device, const char *source,
                  const char *folder, char *why, size_t why_bytes);

/// All zero is welcome.
void pipeline_finish(struct pipeline *pipeline);

#endif
