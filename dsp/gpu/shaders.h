/// The compute shaders, compiled into the program as text.
///
/// Owner: nobody, they are constant. Thread: any.
#ifndef CONSORT_DSP_GPU_SHADERS_H
#define CONSORT_DSP_GPU_SHADERS_H

/// `shaders/mac.comp`, ended by a zero.
extern const char shaders_mac[];

#endif
