/// The size of a bank of impulse responses whose spectra are multiplied and summed: what the
/// graphics processor, its C reference and the jobs between them agree on.
///
/// A plain struct. Owner: whoever holds it. Thread: any.
///
/// A spectrum is laid out as in `dsp/base/fft.h`, tiles side by side: 2 * bins floats. A path leads
/// from an input to an output; mono has one, stereo two (left to left, right to right), true stereo
/// four. Paths are counted over all pairs, input by input, without those that are missing.
#ifndef CONSORT_DSP_GPU_MAC_SHAPE_H
#define CONSORT_DSP_GPU_MAC_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GPU_MAC_CHANNELS_MAX = 2,
    GPU_MAC_PATHS_MAX = GPU_MAC_CHANNELS_MAX * GPU_MAC_CHANNELS_MAX,
    GPU_MAC_BINS_MIN = 16,
    GPU_MAC_BINS_MAX = 1 << 17,
    GPU_MAC_PARTITIONS_MAX = 4096,
    GPU_MAC_BYTES_MAX =
        128 << 20, ///< of the spectra of one bank: what every GLES 3.1 device can bind
};

struct gpu_mac_shape {
    uint32_t inputs, outputs; ///< 1..GPU_MAC_CHANNELS_MAX
    uint32_t paths;           ///< bit input * outputs + output: that path is there
    uint32_t partitions;      ///< 1..GPU_MAC_PARTITIONS_MAX
    uint32_t bins;            ///< a power of two, GPU_MAC_BINS_MIN..GPU_MAC_BINS_MAX
};

/// Whether every field is in its range and the spectra fit into GPU_MAC_BYTES_MAX.
bool gpu_mac_shape_is_valid(const struct gpu_mac_shape *shape);

/// Paths that are there.
uint32_t gpu_mac_shape_paths(const struct gpu_mac_shape *shape);

/// The place of a path among those that are there, or -1.
int gpu_mac_shape_path(const struct gpu_mac_shape *shape, uint32_t input, uint32_t output);

/// Floats in one spectrum.
static inline size_t gpu_mac_shape_floats(const struct gpu_mac_shape *shape)
{
    return 2 * (size_t)shape->bins;
}

/// Bytes of the spectra of all partitions of all paths.
size_t gpu_mac_shape_impulse_bytes(const struct gpu_mac_shape *shape);

#endif
