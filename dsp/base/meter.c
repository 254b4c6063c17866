#include "dsp/base/meter.h"

#include <math.h>
#include <stddef.h>

static const double fall_db_per_second = 20.0, mean_seconds = 0.3;

RT void meter_init(struct meter *meter, double rate_hz)
{
    *meter = (struct meter){.rate_hz = rate_hz};
}

RT void meter_run(struct meter *meter, const float *samples, uint32_t frames)
{
    float peak = 0.0f, sum = 0.0f;
    uint32_t clips = 0;
    for (uint32_t i = 0; samples && i < frames; i++) {
        float size = fabsf(samples[i]);
        peak = size > peak ? size : peak;
        sum += size * size;
        clips += size > 1.0f;
    }
    double seconds = frames / meter->rate_hz;
    meter->peak *= (float)pow(10.0, -fall_db_per_second * seconds / 20.0);
    meter->peak = peak > meter->peak ? peak : meter->peak;
    float keep = (float)exp(-seconds / mean_seconds);
    meter->mean_square = keep * meter->mean_square + (1.0f - keep) * sum / (float)frames;
    meter->clips += clips;
}

RT float meter_to_db(float linear) { return linear > 1e-6f ? 20.0f * log10f(linear) : -120.0f; }

RT float meter_peak_db(const struct meter *meter) { return meter_to_db(meter->peak); }

RT float meter_rms_db(const struct meter *meter) { return meter_to_db(sqrtf(meter->mean_square)); }
