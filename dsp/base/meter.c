#include "dsp/base/meter.h"

#include <math.h>
#include <stddef.h>

enum { LANES = 8 };

static const double fall_db_per_second = 20.0, mean_seconds = 0.3;

RT void meter_init(struct meter *meter, double rate_hz)
{
    *meter = (struct meter){.rate_hz = rate_hz};
}

/// What some samples add up to. Each lane is a sum of its own, so that the compiler may use a
/// vector for them.
struct reading {
    float peak[LANES], squares[LANES];
    uint32_t clips[LANES];
};

RT static void read_lanes(struct reading *reading, const float *samples, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        float size = fabsf(samples[i]);
        reading->peak[i] = size > reading->peak[i] ? size : reading->peak[i];
        reading->squares[i] += size * size;
        reading->clips[i] += size > 1.0f;
    }
}

RT void meter_run(struct meter *meter, const float *samples, uint32_t frames)
{
    struct reading reading = {0};
    float peak = 0.0f, squares = 0.0f;
    uint32_t whole = samples ? frames - frames % LANES : 0;
    for (uint32_t i = 0; i < whole; i += LANES)
        read_lanes(&reading, samples + i, LANES);
    if (samples)
        read_lanes(&reading, samples + whole, frames % LANES);
    for (uint32_t i = 0; i < LANES; i++) {
        peak = reading.peak[i] > peak ? reading.peak[i] : peak;
        squares += reading.squares[i];
        meter->clips += reading.clips[i];
    }
    double seconds = frames / meter->rate_hz;
    meter->peak *= (float)pow(10.0, -fall_db_per_second * seconds / 20.0);
    meter->peak = peak > meter->peak ? peak : meter->peak;
    float keep = (float)exp(-seconds / mean_seconds);
    meter->mean_square = keep * meter->mean_square + (1.0f - keep) * squares / (float)frames;
}

RT float meter_to_db(float linear) { return linear > 1e-6f ? 20.0f * log10f(linear) : -120.0f; }

RT float meter_peak_db(const struct meter *meter) { return meter_to_db(meter->peak); }

RT float meter_rms_db(const struct meter *meter) { return meter_to_db(sqrtf(meter->mean_square)); }
