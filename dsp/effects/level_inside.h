/// What both halves of a level know: `level.c`, the audio thread's, and `level_work.c`, the
/// claimant's. Nobody else's business.
#ifndef CONSORT_DSP_EFFECTS_LEVEL_INSIDE_H
#define CONSORT_DSP_EFFECTS_LEVEL_INSIDE_H

#include "dsp/effects/level.h"

enum { LEVEL_LATE_FADE_FRAMES = 256 }; ///< at the edges of what is missing

/// Where a block travels.
RT static inline struct level_slot *level_slot(const struct level *level, uint64_t block)
{
    return &level->slots[block & (level->slot_count - 1)];
}

RT static inline uint32_t level_late_fade(const struct level *level)
{
    return level->block_frames < LEVEL_LATE_FADE_FRAMES ? level->block_frames
                                                        : LEVEL_LATE_FADE_FRAMES;
}

#endif
