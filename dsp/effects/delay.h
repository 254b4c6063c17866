/// A stereo echo for a send: only what is wet comes out.
///
/// Each repeat is `feedback` of the one before, less its high frequencies (one pole at
/// `high_cut_hz`); the first has all of them. With `ping_pong` the sound enters on the left and
/// changes sides at each repeat. A new time fades from the old echo to the new in 50 ms; if times
/// come faster, the latest is taken when the fade is done. Everything else glides over 50 ms.
/// Plain struct. Owner: the engine. Thread: audio; init and finish any other.
#ifndef CONSORT_DSP_EFFECTS_DELAY_H
#define CONSORT_DSP_EFFECTS_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/bypass.h"
#include "dsp/effects/delay_line.h"
#include "dsp/effects/glide.h"

struct delay_shape {
    uint32_t frames;    ///< 1 to 2 s; the caller turns beats into frames
    double feedback;    ///< 0..0.98
    double high_cut_hz; ///< 200..20000, -3 dB of each repeat against the one before
    double ping_pong;   ///< 0 each side by itself .. 1 from side to side
};

struct delay {
    double rate_hz;
    uint32_t longest_frames;
    uint32_t glide_frames;
    struct delay_shape shape;
    uint32_t now_frames, next_frames; ///< echoes faded from and to
    uint32_t fade_left;               ///< frames of the fade to come
    struct glide feedback, damping, crossing;
    float dull[2]; ///< state of the high cut
    struct delay_line line[2];
    struct bypass bypass;
};

/// Off; 0.4 s, feedback 0.35, high cut at 6 kHz, no ping-pong. Returns 0 or -ENOMEM.
int delay_init(struct delay *delay, double rate_hz);
void delay_finish(struct delay *delay);

/// Off fades out and forgets.
RT void delay_switch(struct delay *delay, bool is_on);

/// Values are brought within their ranges.
RT void delay_set(struct delay *delay, const struct delay_shape *shape);

/// Overwrites `out` with the echoes of `in`; they may be the same. RT safe.
RT void delay_run(struct delay *delay, const float *const in[2], float *const out[2],
                  uint32_t frames);

#endif
