/// The Fourier transform of two real signals at once, by FFTW.
///
/// Two real signals travel as the real and the imaginary part of one complex transform, which costs
/// less than two transforms of real signals. Plans are chosen by rule and never by timing, so that
/// the result is the same, bit for bit, whenever it is computed on one machine.
///
/// Owner: whoever creates it. Thread: create and destroy any but the audio thread; the transforms
/// one thread at a time, for an `fft` carries its own working memory.
///
/// Spectra of a signal of N frames are N/2 bins in tiles of FFT_TILE: 16 real parts, then 16
/// imaginary parts. Bin 0 carries two real numbers, as is usual: its "imaginary part" is the bin at
/// half the sample rate.
#ifndef CONSORT_DSP_BASE_FFT_H
#define CONSORT_DSP_BASE_FFT_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"

enum {
    FFT_TILE = 16,                  ///< bins in a tile
    FFT_TILE_FLOATS = 2 * FFT_TILE, ///< floats in a tile
    FFT_ALIGN = 64,                 ///< bytes, of every signal and spectrum
    FFT_FRAMES_MIN = 2 * FFT_TILE,
    FFT_FRAMES_MAX = 1 << 18,
};

struct fft;

/// For signals of `frames`, a power of two. Returns NULL with errno: EINVAL, ENOMEM.
struct fft *fft_create(uint32_t frames);

/// NULL is welcome.
void fft_destroy(struct fft *fft);

/// Transforms the signals `a` and `b` of N frames. The tiles of each spectrum begin `stride` floats
/// apart (FFT_TILE_FLOATS: side by side); `spectrum_b` may be NULL when nobody wants it. RT safe.
RT void fft_forward(struct fft *fft, const float *a, const float *b, float *spectrum_a,
                    float *spectrum_b, size_t stride);

/// Transforms two spectra of tiles side by side back. `*a` and `*b` are set to the N frames, times
/// N, in the working memory of the `fft`: good until its next transform. RT safe.
RT void fft_inverse(struct fft *fft, const float *spectrum_a, const float *spectrum_b,
                    const float **a, const float **b);

/// `count` floats, aligned and zero, for signals and spectra; NULL with errno. Give it to free().
float *fft_alloc(size_t count);

#endif
