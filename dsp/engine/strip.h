/// A gain for two channels that moves without a click: a part's place in the mix, or the master's.
///
/// Changes run over 5 ms in a straight line, sample by sample, whatever the period. Plain struct.
/// Owner: the engine. Thread: audio.
#ifndef CONSORT_DSP_ENGINE_STRIP_H
#define CONSORT_DSP_ENGINE_STRIP_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct strip {
    float gain[2];        ///< now, linear
    float target[2];      ///< at the end of the ramp
    float step[2];        ///< per frame of the ramp
    uint32_t left_frames; ///< of the ramp
    uint32_t ramp_frames; ///< of a whole ramp
};

/// Gain 1, ramps of 5 ms.
RT void strip_init(struct strip *strip, double rate_hz);

/// Heads for a gain: `gain_db` (-60 or less is silence), `balance` -1 left to 1 right, mute.
RT void strip_set(struct strip *strip, float gain_db, float balance, bool is_muted);

/// Heads for a linear gain on each side.
RT void strip_aim(struct strip *strip, float left, float right);

/// Adds in * gain to out, which must not overlap. RT safe.
RT void strip_add(struct strip *strip, float *const in[2], float *const out[2], uint32_t frames);

/// Multiplies in place. RT safe.
RT void strip_scale(struct strip *strip, float *const inout[2], uint32_t frames);

/// Lets time pass with no sound to scale. RT safe.
RT void strip_skip(struct strip *strip, uint32_t frames);

#endif
