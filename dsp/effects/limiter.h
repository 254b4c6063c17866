/// A look-ahead limiter for two channels: no true peak leaves above the ceiling.
///
/// The gain that each peak needs, measured between samples too, is held for the length of the
/// look-ahead and a little longer (a sliding minimum), let go exponentially, and smoothed over the
/// same length (a sliding mean), so that it has arrived in full when the peak does. No sample
/// leaves above the ceiling, and no true peak by more than 0.1 dB, of sound up to 20 kHz at 48 kHz
/// (1.5 dB of white noise up to half the rate). Plain struct. Owner: the engine.
/// Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_LIMITER_H
#define CONSORT_DSP_EFFECTS_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/true_peak.h"

enum {
    LIMITER_AHEAD_MAX = 240,
    LIMITER_ROOM = 256, ///< of the rings; a power of two
};

/// A gain below 1 that was asked for.
struct limiter_need {
    float gain;
    uint32_t frame; ///< when, modulo 2^32
};

struct limiter {
    uint32_t ahead_frames; ///< look-ahead and length of the mean, 2..LIMITER_AHEAD_MAX
    double rate_hz;
    bool is_on;
    float ceiling;          ///< linear
    double let_go;          ///< share of the way back to 1 in one frame
    double held;            ///< gain after the exponential release; as a float it would stick
    double sum;             ///< of `smooth`
    uint32_t at;            ///< place in `smooth`
    uint32_t steady_frames; ///< for which the gain has been exactly 1
    float reduction;        ///< least gain of the last run, 0..1
    uint32_t frame;         ///< frames taken in, modulo 2^32
    struct true_peak peak;
    float delay[2][LIMITER_ROOM];
    double smooth[LIMITER_AHEAD_MAX];       ///< held gains, for the sliding mean
    struct limiter_need need[LIMITER_ROOM]; ///< growing gains, for the sliding minimum
    uint32_t need_first, need_count;
};

/// Look-ahead of 1 ms, off, ceiling 1.
RT void limiter_init(struct limiter *limiter, double rate_hz);

/// Off lets the gain return to 1; the delay stays. `ceiling_db` -24..0, `release_ms` 10..2000.
RT void limiter_set(struct limiter *limiter, bool is_on, float ceiling_db, float release_ms);

/// How late a sample leaves: the look-ahead and 12 frames.
RT uint32_t limiter_delay_frames(const struct limiter *limiter);

/// Limits in place. RT safe.
RT void limiter_run(struct limiter *limiter, float *left, float *right, uint32_t frames);

/// How far the last run was held down, in dB, 0 or more.
RT float limiter_reduction_db(const struct limiter *limiter);

#endif
