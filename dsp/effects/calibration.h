/// The choice of a schedule by timing it on this machine.
///
/// Thread: any but the audio thread; takes some tenths of a second. The result is plain data, to be
/// stored and given back at the next start: measured again, it may differ, and with it the sound by
/// rounding.
#ifndef CONSORT_DSP_EFFECTS_CALIBRATION_H
#define CONSORT_DSP_EFFECTS_CALIBRATION_H

#include <stdint.h>

#include "dsp/effects/response.h"
#include "dsp/effects/schedule.h"

struct calibration_case {
    uint32_t frames; ///< of the responses to come, 1..SCHEDULE_FRAMES_MAX
    enum response_kind kind;
    uint32_t period_frames; ///< 1..8192
};

/// Nanoseconds of this thread that a schedule costs for one frame of sound, everything computed
/// here; the best of a few runs. Returns a negative errno when it cannot be run.
double calibration_cost_ns(const struct schedule *schedule, const struct calibration_case *test);

/// Puts the cheapest of `schedule_candidates` into `best`. Returns 0, -EINVAL, or -ENOMEM; `best`
/// is the standard schedule then.
int calibration_run(struct schedule *best, const struct calibration_case *test);

#endif
