/// What the tests of effects share: noise, a spectrum, a measure of clicks, odd periods.
///
/// Thread: the test's.
#ifndef CONSORT_TESTS_EFFECTS_PROBE_H
#define CONSORT_TESTS_EFFECTS_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/// The same for the same seed, on every machine. Values within -1..1.
void probe_seed(uint32_t seed);
float probe_noise(void);
void probe_fill_noise(float *samples, uint32_t frames, float gain);
void probe_fill_sine(float *samples, uint32_t frames, double hz, double rate_hz, float gain);

/// Level in dB of the spectrum at `hz`: of an impulse response, the gain.
double probe_gain_db(const float *samples, uint32_t frames, double hz, double rate_hz);

/// Amplitude of a sine of `hz` in the samples, by a Hann window.
double probe_sine_level(const float *samples, uint32_t frames, double hz, double rate_hz);

/// The greatest of what is left when a steady sine of `hz` is taken away (second difference, scaled
/// so that a step of height 1 leaves about 1): how loud the worst click is.
double probe_click(const float *samples, uint32_t frames, double hz, double rate_hz);

/// Walks from `first` to `last`, each value `ratio` times, or `step` more than, the one before.
/// Begins where `value` is NAN; returns false beyond the last.
bool probe_scale(double *value, double first, double last, double ratio);
bool probe_count(double *value, double first, double last, double step);

/// Lengths of period that fit no grid, the same for the same seed: 1..200.
uint32_t probe_period(void);

#endif
