/// A switch for an effect that does not click: the effect is faded in and out over 20 ms.
///
/// Before it is heard an effect may run for a while unheard, so that its filters have settled.
/// While it is idle the effect need not run at all, and what passes by is not touched. Plain
/// struct. Owner: the effect. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_BYPASS_H
#define CONSORT_DSP_EFFECTS_BYPASS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/glide.h"

struct bypass {
    struct glide mix; ///< 0 passed by .. 1 heard
    uint32_t fade_frames;
    uint32_t warm_frames; ///< to run unheard first
    uint32_t left_frames; ///< of them, to come
};

/// Passed by.
RT void bypass_init(struct bypass *bypass, double rate_hz, double warm_seconds);

RT void bypass_set(struct bypass *bypass, bool is_on);

/// Whether the effect is neither heard nor about to be.
RT bool bypass_is_idle(const struct bypass *bypass);

/// Makes wet what shall be heard: wet + (1 - mix) (dry - wet). NULL for `dry` is silence.
RT void bypass_blend(struct bypass *bypass, const float *const dry[2], float *const wet[2],
                     uint32_t frames);

#endif
