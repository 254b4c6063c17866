/// What the tests of the convolver share: noise, responses of noise, sound through a convolver, and
/// convolution as it is defined, in double precision.
#ifndef CONSORT_TESTS_EFFECTS_HALL_H
#define CONSORT_TESTS_EFFECTS_HALL_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/effects/convolver.h"

enum { RATE = 48000 };

/// Stereo sound of some length.
struct sound {
    uint32_t frames;
    float *channel[2];
};

struct sound sound_create(uint32_t frames, bool is_noise);
void sound_free(struct sound sound);

/// Fails the test where two sounds of one length differ in a bit.
void sound_assert_same(struct sound a, struct sound b);

/// The same noise in every run: -1..1; a number from `from` to `to`.
float hall_noise(void);
uint32_t hall_dice(uint32_t from, uint32_t to);
struct impulse *hall_random_impulse(uint32_t frames, uint32_t channels);

/// Reads a schedule.
struct schedule hall_cut(const char *text);

struct convolver *hall_create(const struct schedule *schedule, uint32_t frames_max,
                              uint32_t fade_frames, struct tail *tail);

/// Sets an impulse, which stays the caller's.
void hall_set(struct convolver *convolver, const struct schedule *schedule,
              const struct impulse *impulse);

void hall_run_part(struct convolver *convolver, struct sound in, struct sound out, uint32_t from,
                   uint32_t frames);

/// In periods of `period` frames; 0 for random ones of 1..1500.
struct sound hall_run(struct convolver *convolver, struct sound in, uint32_t period);

/// A convolver without workers from its first frame on; `cut` NULL for the standard schedule.
struct sound hall_render(const char *cut, const struct impulse *impulse, struct sound in,
                         uint32_t period);

/// Error over energy, at `samples` places spread over the sound (all of them if there are no more).
double hall_error_db(const struct impulse *impulse, struct sound in, struct sound out,
                     uint32_t samples);

#endif
