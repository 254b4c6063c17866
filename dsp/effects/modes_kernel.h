/// The inner loops of a bank of modes, one for each instruction set.
///
/// All do the same sums in the same order on each lane, so they differ at most by whether a
/// multiplication and the addition after it round once or twice. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_MODES_KERNEL_H
#define CONSORT_DSP_EFFECTS_MODES_KERNEL_H

#include "dsp/effects/modes.h"

/// A mode is zero once it is this small: 240 dB below full scale, far above denormals.
#define MODES_LEAST 1e-12

// A kernel runs one group over `blocks` blocks. `reversed` is the input, each block back to front;
// the lanes of each frame are added to `heard`[frame][place]. Unless the blocks are whole the
// modes stay as they are: the last frames have yet to come.
modes_kernel *modes_kernel_find(enum modes_width width); ///< NULL where there is none
modes_kernel *modes_kernel_best(void);

/// A block of lanes times their gains, summed to one channel. RT safe.
RT void modes_kernel_listen(const float *heard, const float *pan, float *out);

/// Adds what the samples of a block do to the frames after them in the block. RT safe.
RT void modes_kernel_echo(const float *in, const float *echo, float *out);

#endif
