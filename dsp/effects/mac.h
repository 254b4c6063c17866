/// The two inner loops of convolution: multiply and accumulate, in time and in frequency.
///
/// Each has a portable form and one for processors with AVX2 and FMA; `mac_best` tells which of
/// them this machine runs. The forms differ by rounding alone. Thread: any.
#ifndef CONSORT_DSP_EFFECTS_MAC_H
#define CONSORT_DSP_EFFECTS_MAC_H

#include <stdint.h>

#include "dsp/base/rt.h"

enum { MAC_GROUP = 16 }; ///< frames that `fir` computes at a time

/// Spectra in a row: for each tile of 16 bins (`dsp/base/fft.h`) a run of `count` tiles, one for
/// each spectrum of the row.
struct mac_row {
    const float *tiles;
    uint32_t count;
};

struct mac {
    /// out[i] += sum over k of taps[k] * in[i - k], for i in 0..frames-1. Works in whole groups:
    /// reads `in` and overwrites `out` up to the next multiple of MAC_GROUP. Each frame is computed
    /// the same way wherever it lies in its group.
    void (*fir)(float *out, const float *in, const float *taps, uint32_t tap_count,
                uint32_t frames);

    /// Adds, for each of `tiles` tiles, the sum over k of input[(first + k) mod input.count] *
    /// response[k], k in 0..response.count-1, to `sum`, an array of tiles. Complex products; in bin
    /// 0, which carries two real numbers, two real products. response.count <= input.count. Where
    /// the ring wraps around does not change the sum.
    void (*spectra)(float *sum, struct mac_row input, uint32_t first, struct mac_row response,
                    uint32_t tiles);
};

/// Runs on every processor.
extern const struct mac mac_portable;

/// The fastest that this machine runs.
const struct mac *mac_best(void);

#endif
