/// A parameter on its way: a straight line of steps that ends exactly on its target.
///
/// Effects compute their coefficients once a tick of `GLIDE_TICK_FRAMES`, counted from their own
/// first frame and never from a period's, and draw lines between; so sweeps have no zipper and the
/// length of a period changes nothing. Plain struct. Owner: the effect. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_GLIDE_H
#define CONSORT_DSP_EFFECTS_GLIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

enum { GLIDE_TICK_FRAMES = 32 };

struct glide {
    double now, target;
    double step;
    uint32_t left_steps;
};

/// Is there at once.
RT static inline void glide_jump(struct glide *glide, double target)
{
    *glide = (struct glide){.now = target, .target = target};
}

/// Heads for `target` in `steps` (1 and more). Asking for the same again changes nothing.
RT static inline void glide_to(struct glide *glide, double target, uint32_t steps)
{
    if (target == glide->target)
        return;
    glide->target = target;
    glide->step = (target - glide->now) / steps;
    glide->left_steps = steps;
}

/// One step on; returns where that is.
RT static inline double glide_next(struct glide *glide)
{
    if (glide->left_steps)
        glide->now = --glide->left_steps ? glide->now + glide->step : glide->target;
    return glide->now;
}

RT static inline bool glide_is_moving(const struct glide *glide) { return glide->left_steps > 0; }

/// Ticks in `seconds`, 1 at the least.
RT static inline uint32_t glide_ticks(double rate_hz, double seconds, uint32_t tick_frames)
{
    double ticks = rate_hz * seconds / tick_frames;
    return ticks < 1.0 ? 1 : (uint32_t)(ticks + 0.5);
}

#endif
