#include "tests/effects/probe.h"

#include <complex.h>
#include <math.h>

static const double pi = 3.14159265358979323846;
static uint32_t seed = 1;

static uint32_t next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

void probe_seed(uint32_t value) { seed = value; }

float probe_noise(void) { return (float)next() / 8388608.0f - 1.0f; }

uint32_t probe_period(void) { return 1 + next() % 200; }

void probe_fill_noise(float *samples, uint32_t frames, float gain)
{
    for (uint32_t i = 0; i < frames; i++)
        samples[i] = gain * probe_noise();
}

void probe_fill_sine(float *samples, uint32_t frames, double hz, double rate_hz, float gain)
{
    for (uint32_t i = 0; i < frames; i++)
        samples[i] = gain * (float)sin(2.0 * pi * hz * i / rate_hz);
}

double probe_gain_db(const float *samples, uint32_t frames, double hz, double rate_hz)
{
    double complex turn = cexp(-I * 2.0 * pi * hz / rate_hz), at = 1.0, sum = 0.0;
    for (uint32_t i = 0; i < frames; i++, at *= turn)
        sum += at * (double)samples[i];
    return 20.0 * log10(cabs(sum));
}

double probe_sine_level(const float *samples, uint32_t frames, double hz, double rate_hz)
{
    double complex turn = cexp(-I * 2.0 * pi * hz / rate_hz), at = 1.0, sum = 0.0;
    for (uint32_t i = 0; i < frames; i++, at *= turn)
        sum += at * (double)samples[i] * (0.5 - 0.5 * cos(2.0 * pi * (i + 0.5) / frames));
    return 4.0 * cabs(sum) / frames;
}

double probe_click(const float *samples, uint32_t frames, double hz, double rate_hz)
{
    double worst = 0.0, twice_cos = 2.0 * cos(2.0 * pi * hz / rate_hz);
    for (uint32_t i = 2; i < frames; i++)
        worst = fmax(worst, fabs((double)samples[i] + (double)samples[i - 2] -
                                 twice_cos * (double)samples[i - 1]));
    return worst;
}

bool probe_scale(double *value, double first, double last, double ratio)
{
    *value = isnan(*value) ? first : *value * ratio;
    return *value <= last;
}

bool probe_count(double *value, double first, double last, double step)
{
    *value = isnan(*value) ? first : *value + step;
    return *value <= last;
}
