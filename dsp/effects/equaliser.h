/// A parametric equaliser for two channels: up to 8 bands in a row.
///
/// Each band is any shape of `biquad.h`. Frequency, gain, Q and switching glide over 20 ms; a
/// change of kind fades the band out, exchanges it and fades it in. A band that is off or a shelf
/// or peak at 0 dB costs nothing and touches no bit. Plain struct. Owner: the engine. Thread:
/// audio.
#ifndef CONSORT_DSP_EFFECTS_EQUALISER_H
#define CONSORT_DSP_EFFECTS_EQUALISER_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/biquad.h"
#include "dsp/effects/glide.h"
#include "dsp/effects/svf.h"

enum { EQUALISER_BANDS_MAX = 8 };

struct equaliser_band {
    bool is_on;
    enum biquad_kind wanted;      ///< kind to become
    enum biquad_kind kind;        ///< kind it is
    bool is_idle;                 ///< lets everything through
    struct glide octave, gain, q; ///< log2 Hz, dB, log2
    struct glide amount;          ///< 0 dry .. 1 filtered
    struct svf svf;
};

struct equaliser {
    double rate_hz;
    uint32_t bands;
    uint32_t glide_ticks;
    uint32_t tick; ///< frames into the tick
    struct equaliser_band band[EQUALISER_BANDS_MAX];
};

/// All bands off. `bands` 1..EQUALISER_BANDS_MAX.
RT void equaliser_init(struct equaliser *equaliser, double rate_hz, uint32_t bands);

/// Heads for a shape, whose values are brought within the ranges of `biquad.h`. A band number out
/// of range changes nothing.
RT void equaliser_set(struct equaliser *equaliser, uint32_t band, bool is_on,
                      const struct biquad_shape *shape);

/// Filters in place. RT safe.
RT void equaliser_run(struct equaliser *equaliser, float *left, float *right, uint32_t frames);

/// Lets time pass while it is idle and there is nothing to filter. RT safe.
RT void equaliser_skip(struct equaliser *equaliser, uint32_t frames);

/// Whether everything is let through, bit for bit, until the next change.
RT bool equaliser_is_idle(const struct equaliser *equaliser);

#endif
