/// Level meters: a peak that falls 20 dB a second, a mean over 300 ms, a count of clipped samples.
///
/// Plain struct. Owner: whose signal it is. Thread: audio.
#ifndef CONSORT_DSP_BASE_METER_H
#define CONSORT_DSP_BASE_METER_H

#include <stdint.h>

#include "dsp/base/rt.h"

struct meter {
    double rate_hz;
    float peak;        ///< linear
    float mean_square; ///< linear, squared
    uint64_t clips;    ///< samples beyond +-1 so far
};

RT void meter_init(struct meter *meter, double rate_hz);

/// Takes `frames` samples in; NULL is silence. RT safe.
RT void meter_run(struct meter *meter, const float *samples, uint32_t frames);

/// Levels in dB of full scale, -120 at the least.
RT float meter_peak_db(const struct meter *meter);
RT float meter_rms_db(const struct meter *meter);

/// 20 log10 |linear|, -120 at the least.
RT float meter_to_db(float linear);

#endif
