/// Both channels of a frame in one SIMD register, by the vector extension of gcc and clang.
///
/// Arithmetic is that of two plain doubles, bit for bit, so that code written with it is its own C
/// twin; where the processor has no such register the compiler writes two scalar operations.
/// Recursive filters gain from it because left and right share each step of the recursion.
/// Thread: any.
#ifndef CONSORT_DSP_EFFECTS_STEREO_H
#define CONSORT_DSP_EFFECTS_STEREO_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

typedef double stereo __attribute__((vector_size(16)));

RT static inline void stereo_pack(stereo *out, const float *left, const float *right,
                                  uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        out[i] = (stereo){left[i], right[i]};
}

RT static inline void stereo_unpack(const stereo *in, float *left, float *right, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++) {
        left[i] = (float)in[i][0];
        right[i] = (float)in[i][1];
    }
}

/// Neither infinite nor not a number.
RT static inline bool stereo_is_finite(stereo value)
{
    return (value[0] - value[0]) + (value[1] - value[1]) == 0.0;
}

#endif
