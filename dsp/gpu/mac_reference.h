/// The spectral multiply-accumulate in plain C: what `shaders/mac.comp` computes, and the judge of
/// it.
///
/// Output o of block s is the sum, over all inputs i and partitions j, of
/// impulse(path i to o, j) * history(i, s - j). Owner: nobody, there is no state. Thread: any.
#ifndef CONSORT_DSP_GPU_MAC_REFERENCE_H
#define CONSORT_DSP_GPU_MAC_REFERENCE_H

#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/gpu/mac_shape.h"

/// Spectra that lie in memory one behind the other, tiles side by side.
struct gpu_mac_spectra {
    const float *impulse; ///< [path][partition][2 * bins]
    const float *history; ///< [input][row][2 * bins], block s in row s % rows
    uint32_t rows;        ///< at least as many as there are partitions
};

/// One bin of a sum. In bin 0 `re` and `im` are two real bins, as in `dsp/base/fft.h`.
struct gpu_mac_bin {
    double re, im;
    double weight; ///< sum of the magnitudes of all terms: rounding errors go with it
};

/// Writes `outputs` spectra, one behind the other. Blocks before `sequence` 0 count as silence.
/// In single precision, tile by tile, as fast as plain C goes. RT safe.
RT void gpu_mac_reference(const struct gpu_mac_shape *shape, const struct gpu_mac_spectra *spectra,
                          uint64_t sequence, float *result);

/// One bin of one output in double precision. RT safe.
RT struct gpu_mac_bin gpu_mac_reference_bin(const struct gpu_mac_shape *shape,
                                            const struct gpu_mac_spectra *spectra,
                                            uint64_t sequence, uint32_t output, uint32_t bin);

/// Whether `re` and `im`, computed in single precision, can be the bin. RT safe.
RT bool gpu_mac_bin_agrees(const struct gpu_mac_bin *bin, float re, float im);

#endif
