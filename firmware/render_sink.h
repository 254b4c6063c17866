/// The end of an offline rendering: takes what the engine makes, cuts the piece out of it and
/// writes that to a sound file.
///
/// Left out are the frames before the piece begins and the silence behind its last sound; so the
/// length of a file does not depend on the period. A plain struct on the thread that renders.
#ifndef CONSORT_FIRMWARE_RENDER_SINK_H
#define CONSORT_FIRMWARE_RENDER_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "board/sound_file.h"

enum { RENDER_SINK_BLOCK = 512 };

struct render_sink {
    struct sound_file *file;
    uint64_t skip_frames; ///< still to be left out
    uint64_t body_frames; ///< still to be written, silent or not
    uint64_t tail_frames; ///< that may follow, at most
    uint64_t fade_frames; ///< the last of the tail, over which it fades out
    uint64_t silence;     ///< frames behind the body held back: silent, as far as is known
    uint64_t frames;      ///< written
    uint64_t clips;       ///< samples beyond full scale
    float peak;           ///< 1 is full scale
    float block[2 * RENDER_SINK_BLOCK];
    uint32_t block_frames;
};

/// Takes the next frames of both channels. Returns 0, or as `sound_file_write`.
int render_sink_take(struct render_sink *sink, float *const channels[2], uint32_t frames);

/// Writes what is still held, but for the silence. Returns 0, or as `sound_file_write`.
int render_sink_finish(struct render_sink *sink);

#endif
