/// A look-ahead peak limiter for two channels: no sample leaves above the ceiling.
///
/// The gain that each sample needs is held for the length of the look-ahead (a sliding minimum),
/// let go exponentially, and smoothed over the same length (a sliding mean), so that it has arrived
/// in full when the sample does. Owner: the engine. Thread: audio; init and finish any other.
#ifndef CONSORT_DSP_EFFECTS_LIMITER_H
#define CONSORT_DSP_EFFECTS_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

enum { LIMITER_AHEAD_MAX = 256 };

struct limiter {
    uint32_t ahead_frames; ///< look-ahead, 2..LIMITER_AHEAD_MAX; the delay is one less
    double rate_hz;
    bool is_on;
    float ceiling;          ///< linear
    float let_go;           ///< share of the way back to 1 in one frame
    float held;             ///< gain after the exponential release
    double sum;             ///< of `smooth`
    uint32_t at;            ///< place in the rings below
    uint32_t steady_frames; ///< for which the gain has been exactly 1
    float reduction;        ///< least gain of the last run, 0..1
    float delay[2][LIMITER_AHEAD_MAX];
    float needed[LIMITER_AHEAD_MAX];   ///< gains asked for
    float smooth[LIMITER_AHEAD_MAX];   ///< held gains, for the sliding mean
    uint32_t queue[LIMITER_AHEAD_MAX]; ///< places of `needed`, growing gains: a sliding minimum
    uint32_t queue_first, queue_count;
};

/// Look-ahead of 1 ms, off, ceiling 1.
RT void limiter_init(struct limiter *limiter, double rate_hz);

/// Off lets the gain return to 1; the delay stays. `ceiling_db` -24..0, `release_ms` 10..2000.
RT void limiter_set(struct limiter *limiter, bool is_on, float ceiling_db, float release_ms);

/// How late a sample leaves.
RT uint32_t limiter_delay_frames(const struct limiter *limiter);

/// Limits in place. RT safe.
RT void limiter_run(struct limiter *limiter, float *left, float *right, uint32_t frames);

/// How far the last run was held down, in dB, 0 or more.
RT float limiter_reduction_db(const struct limiter *limiter);

#endif
