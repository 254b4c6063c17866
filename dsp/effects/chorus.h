/// A stereo chorus for a send: only what is wet comes out.
///
/// Up to three voices on each side read the recent past at a place that swings by a sine; the
/// voices share the circle, and the right side is a quarter turn ahead. Changes glide over 50 ms,
/// delays over 400 ms. Plain struct. Owner: the engine. Thread: audio; init and finish any other.
#ifndef CONSORT_DSP_EFFECTS_CHORUS_H
#define CONSORT_DSP_EFFECTS_CHORUS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/bypass.h"
#include "dsp/effects/delay_line.h"
#include "dsp/effects/glide.h"

enum { CHORUS_VOICES_MAX = 3 };

struct chorus_shape {
    double rate_hz;  ///< of the swing, 0.01..10
    double depth_ms; ///< from end to end of the swing, 0..20
    double delay_ms; ///< middle of the swing, 0.5..50; never so short that it would hear the future
    double feedback; ///< -0.95..0.95
    uint32_t voices; ///< 1..CHORUS_VOICES_MAX
};

/// One place where the past is read.
struct chorus_tap {
    float frames, step; ///< delay, and its way in one frame
    float gain, gain_step;
};

struct chorus {
    double rate_hz;
    uint32_t glide_ticks, slide_ticks;
    uint32_t tick; ///< frames into the tick
    double turn;   ///< of the swing, 0..1
    bool is_fresh; ///< the next tick jumps to where others glide
    struct glide swing_hz, depth_frames, delay_frames;
    struct glide feedback;
    struct glide share[CHORUS_VOICES_MAX]; ///< of each voice, 0..1
    float back, back_step;                 ///< feedback now
    struct chorus_tap tap[2][CHORUS_VOICES_MAX];
    struct delay_line line[2];
    struct bypass bypass;
};

/// General MIDI 2's default, chorus 3: 0.4 Hz, 6.3 ms, feedback 6 %; around 12 ms, two voices.
extern const struct chorus_shape chorus_standard;

/// Off, of the standard shape. Returns 0 or -ENOMEM.
int chorus_init(struct chorus *chorus, double rate_hz);
void chorus_finish(struct chorus *chorus);

/// Off fades out and forgets.
RT void chorus_switch(struct chorus *chorus, bool is_on);

/// Values are brought within their ranges.
RT void chorus_set(struct chorus *chorus, const struct chorus_shape *shape);

/// Overwrites `out` with the wet sound of `in`, each voice 1 / sqrt(voices) loud; they may be the
/// same. RT safe.
RT void chorus_run(struct chorus *chorus, const float *const in[2], float *const out[2],
                   uint32_t frames);

#endif
