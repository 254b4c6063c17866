/// One level of a convolver: equal blocks of input in, the sound of one stretch of the response
/// out.
///
/// The audio thread fills blocks and takes results; whoever claims the level, one thread at a time,
/// computes (`level_work`). A block travels in a slot: filled, submitted, computed, published by
/// one compare-and-swap, heard. A result that is not there when its time has come is never heard:
/// the sound before it fades out in its place, and it is counted.
///
/// Owner: a convolver. Thread: as each function says; init and finish any, with nobody else there.
#ifndef CONSORT_DSP_EFFECTS_LEVEL_H
#define CONSORT_DSP_EFFECTS_LEVEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/mac.h"
#include "dsp/effects/response.h"
#include "dsp/effects/schedule.h"

/// A cross-fade of equal power: `gain[i]`, i in 0..frames, rises from 0 to 1; from the other end it
/// is the gain that falls.
struct level_fade {
    const float *gain;
    uint32_t frames;
};

struct level_slot {
    _Atomic uint64_t
        published;  ///< twice the number of the block, plus one when its result is there
    uint64_t block; ///< whose input it holds
    const struct response *from; ///< fades out in this block, or NULL
    const struct response *to;   ///< is heard or fades in, or NULL
    uint64_t fade_at;            ///< frames of the fade before this block
    bool is_silent;              ///< the result is; its memory is then not written
    float *input[2], *result[2];
};

struct level {
    // Constant.
    int index; ///< in the schedule
    uint32_t block_frames, parts, offset_frames;
    int block_shift; ///< log2 of block_frames
    struct level_fade fade;
    uint32_t slot_count; ///< a power of two
    struct level_slot *slots;
    float *memory;

    // The audio thread's.
    uint64_t frame; ///< of input so far
    bool is_filling;
    bool is_heard, was_heard; ///< the results of this block and the one before it
    const struct response *from, *to;
    uint64_t switch_block, settled_block; ///< first block that knows `to`, and that needs only `to`

    _Alignas(64) _Atomic uint64_t submitted; ///< blocks; written by the audio thread
    _Atomic uint64_t passed;                 ///< blocks whose time has come
    _Atomic uint32_t late;                   ///< of them: not there

    _Alignas(64) _Atomic uint64_t processed; ///< blocks; written by the claimant
    _Atomic bool is_claimed;

    // The claimant's.
    const struct mac *mac;
    struct fft *fft;
    bool is_in_gap;          ///< the newest block of input was lost
    uint64_t silent_windows; ///< in a row, up to the newest
    float *window[2];        ///< the last two blocks of input
    float *spectra[2];       ///< of the last `parts` windows, the newest first, a ring
    float *sum[2];
};

/// For responses of up to `frames`. Returns 0 or -ENOMEM.
int level_init(struct level *level, const struct schedule *schedule, int index, uint32_t frames,
               struct level_fade fade);
void level_finish(struct level *level);

/// Adds the level's sound of the next `frames` to `out`. A call must not reach past the end of a
/// block of the schedule's first level. Thread: audio. RT safe.
RT void level_add(struct level *level, float *const out[2], uint32_t frames);

/// Takes the input of the same frames. Returns whether that filled a block. Thread: audio. RT safe.
RT bool level_write(struct level *level, const float *const in[2], uint32_t frames);

/// Cross-fades to a response from the next block on; at frame 0 it is there at once. Only when
/// settled. Thread: audio. RT safe.
RT void level_switch(struct level *level, const struct response *to);

/// Whether the response before the last switch is no longer needed. Thread: audio. RT safe.
RT bool level_is_settled(const struct level *level);

/// Takes the right to compute; false when somebody has it. Thread: any. RT safe.
RT bool level_claim(struct level *level);
RT void level_release(struct level *level);

/// Whether a block waits. Thread: any. RT safe.
RT bool level_has_work(const struct level *level);

/// Computes the oldest block that waits; false when there is none. Thread: the claimant. RT safe.
RT bool level_work(struct level *level);

#endif
