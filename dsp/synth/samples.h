/// The samples of a font as libfluidsynth wants them: prototypes that each shard copies.
///
/// libfluidsynth counts a sample's voices in the sample object without atomics, so shards on
/// several threads must not share the objects; the sound data itself is shared. Inside
/// `dsp/synth/` only. Owner: the font. Immutable once made. Thread: any.
#ifndef CONSORT_DSP_SYNTH_SAMPLES_H
#define CONSORT_DSP_SYNTH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/synth/sf2.h"

struct samples {
    unsigned char *prototypes; ///< `count` objects of `fluid_sample_sizeof()` bytes each
    int16_t **decoded;         ///< sound data of compressed samples, NULL for the others
    uint32_t count;
};

/// Decodes compressed samples (on all cores) and measures every loop's level, by which voices
/// end early. `progress` hears 0..100 on the calling thread. Returns 0, -ENOMEM, or -EBADMSG with
/// the sample's name and the reason in `error`.
int samples_make(struct samples *samples, struct sf2 *sf2,
                 void (*progress)(void *context, double percent), void *context, char *error,
                 size_t error_bytes);
void samples_finish(struct samples *samples);

/// A shard's own copy of the prototypes, or NULL with errno. Freed with `free`.
unsigned char *samples_copy(const struct samples *samples);

#endif
