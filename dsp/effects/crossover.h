/// A four-way Linkwitz-Riley crossover, 24 dB an octave, for two channels.
///
/// The middle split comes first; each half passes the all-pass of the split that it does not see,
/// so all four bands turn the phase alike and their sum is an all-pass: flat. High halves are made
/// as all-pass less low, which holds for any coefficients, so the sum stays one while frequencies
/// glide (20 ms). Plain struct. Owner: the compressor. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_CROSSOVER_H
#define CONSORT_DSP_EFFECTS_CROSSOVER_H

#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/glide.h"
#include "dsp/effects/stereo.h"

enum { CROSSOVER_BANDS = 4, CROSSOVER_SPLITS = 3, CROSSOVER_STAGES = 8 };

/// Trapezoidal state-variable filter of Q = sqrt(1/2).
struct crossover_split {
    struct glide octave;    ///< log2 Hz
    double h, gh, ggh;      ///< coefficients now
    double aim[3], step[3]; ///< at the tick's end, and a frame's part of the way there
    bool is_moving;
};

struct crossover_stage {
    stereo s1, s2;
};

struct crossover {
    double rate_hz;
    uint32_t glide_ticks;
    uint32_t tick; ///< frames into the tick
    struct crossover_split split[CROSSOVER_SPLITS];
    struct crossover_stage stage[CROSSOVER_STAGES];
};

/// Splits at 120, 1000 and 6000 Hz.
RT void crossover_init(struct crossover *crossover, double rate_hz);

/// Heads for frequencies: each 20 Hz to 0.45 of the sample rate, none below the one before.
RT void crossover_set(struct crossover *crossover, const double split_hz[CROSSOVER_SPLITS]);

/// Forgets the sound so far; what glides arrives at once.
RT void crossover_reset(struct crossover *crossover);

/// Writes `frames` of each band, lowest first. RT safe.
RT void crossover_run(struct crossover *crossover, const stereo *in,
                      stereo *const out[CROSSOVER_BANDS], uint32_t frames);

#endif
