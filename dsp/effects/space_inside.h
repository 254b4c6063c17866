/// The box-shaped rooms of `space.c`. Nobody else's business.
#ifndef CONSORT_DSP_EFFECTS_SPACE_INSIDE_H
#define CONSORT_DSP_EFFECTS_SPACE_INSIDE_H

#include <stdint.h>

#include "dsp/effects/space.h"

/// A xorshift generator; never zero.
struct space_dice {
    uint64_t state;
};

uint32_t space_roll(struct space_dice *dice);

struct space_box {
    double metres[3];     ///< length, width, height
    double wall_gain;     ///< of amplitude, at each reflection, 0..1
    double wall_hz;       ///< corner of the low-pass that a wall is
    double until_seconds; ///< reflections fade out from half of this on
};

/// How long a box takes until reflections can no longer be told apart.
double space_mixing_seconds(const struct space_box *box);

/// Adds the reflections from one of two sources (0 left, 1 right) to one of two microphones. Time
/// begins when the direct sound, which is left out, arrives. Returns 0 or -ENOMEM.
int space_add_reflections(float *to, uint32_t frames, uint32_t rate_hz, const struct space_box *box,
                          int source, int microphone);

#endif
