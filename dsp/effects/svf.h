/// A second-order section for both channels whose coefficients may move at every frame.
///
/// A biquad's transfer function in the state variables of two trapezoidal integrators (A. Simper,
/// "Linear Trapezoidal Integrated SVF", 2013), written as a state update:
///
///     s1' = p1 s1 - p s2 + p x       y = c1 s1 + c2 s2 + d x
///     s2' = p s1 + p2 s2 + (1 - p2) x
///
/// The update of every stable filter shrinks s1^2 + s2^2, and so does every mixture of two; that
/// is why coefficients may run in a straight line from one filter to another and stay stable,
/// which those of a biquad may not. Plain struct. Owner: the effect. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_SVF_H
#define CONSORT_DSP_EFFECTS_SVF_H

#include "dsp/effects/biquad.h"
#include "dsp/effects/stereo.h"

struct svf_coefficients {
    double p1, p, p2, c1, c2, d;
};

struct svf {
    struct svf_coefficients now, target, step;
    bool is_moving;
    stereo s1, s2;
};

/// Lets every sample through, bit for bit, and remembers nothing.
RT void svf_init(struct svf *svf);

/// The biquad with `amount` 0..1 of it: y = x + amount (biquad(x) - x).
RT struct svf_coefficients svf_from_biquad(const struct biquad *biquad, double amount);

/// Heads for `target` in `frames`, which must have run before `svf_land`.
RT void svf_aim(struct svf *svf, const struct svf_coefficients *target, uint32_t frames);
RT void svf_land(struct svf *svf);

/// Filters in place. RT safe.
RT void svf_run(struct svf *svf, stereo *inout, uint32_t frames);

#endif
