/// Second-order digital filters that keep the shape of their analogue prototypes up to 16 kHz.
///
/// The bilinear transform squeezes a curve towards half the sample rate. Here the poles (or, where
/// the curve is narrower at its zeros, the zeros) are those of the prototype by z = exp(s T), and
/// the other side is fitted to its magnitude: exact at 0 Hz and at the filter's own frequency,
/// least squares of the relative error elsewhere. After M. Vicanek, "Matched Second Order Digital
/// Filters" (2016), whose form of |H|^2 and factorisation are used.
///
/// Prototypes, s in units of the frequency, A = 10^(gain / 40):
///
///     low cut     s^2 / (s^2 + s/Q + 1)
///     high cut    1 / (s^2 + s/Q + 1)
///     low shelf   A (s^2 + sqrt(A) s/Q + A) / (A s^2 + sqrt(A) s/Q + 1)
///     high shelf  A (A s^2 + sqrt(A) s/Q + 1) / (s^2 + sqrt(A) s/Q + A)
///     peak        (s^2 + s A/Q + 1) / (s^2 + s/(A Q) + 1)
///
/// From them up to 16 kHz, gains within 15 dB, at 48 kHz and more: 0.1 dB for peaks of Q 0.5 and
/// more, shelves of Q up to 1 and high cuts, wherever they lie from 20 Hz to 20 kHz, and for low
/// cuts of up to 3 kHz (0.4 dB at 12 kHz). At 44.1 kHz 0.2 dB. Plain functions. Thread: any.
#ifndef CONSORT_DSP_EFFECTS_BIQUAD_H
#define CONSORT_DSP_EFFECTS_BIQUAD_H

#include <stdbool.h>

#include "dsp/base/rt.h"

enum biquad_kind {
    BIQUAD_LOW_CUT,
    BIQUAD_HIGH_CUT,
    BIQUAD_LOW_SHELF,
    BIQUAD_HIGH_SHELF,
    BIQUAD_PEAK,
    BIQUAD_KINDS
};

struct biquad_shape {
    enum biquad_kind kind;
    double frequency_hz; ///< 10..20000; taken as 0.47 of the sample rate where that is less
    double gain_db;      ///< -24..24; cuts have none
    double q;            ///< 0.1..20
};

/// (b[0] + b[1]/z + b[2]/z^2) / (1 + a[1]/z + a[2]/z^2), minimum phase and stable.
struct biquad {
    double b[3], a[3];
};

/// Takes about a microsecond. Values out of range are brought within it. RT safe.
RT struct biquad biquad_design(const struct biquad_shape *shape, double rate_hz);

/// The shape with its values brought within range for the sample rate.
RT struct biquad_shape biquad_bound(const struct biquad_shape *shape, double rate_hz);

/// Gain in dB, of the filter and of its prototype, at `hz`.
double biquad_response_db(const struct biquad *biquad, double hz, double rate_hz);
double biquad_prototype_db(const struct biquad_shape *shape, double hz);

#endif
