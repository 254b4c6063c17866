/// Which shard a new note goes to, and at which frame it starts.
///
/// A busy shard can start a note only at its block borders, one every 64 frames; an idle shard
/// anywhere. All notes are delayed by `tolerance_frames`, so that a border a little before the
/// note's own frame can serve as well as one a little behind it. Idle shards are spent so that,
/// when all are busy, some border lies within the tolerance of any frame: among 64 phases at most
/// 64 / (tolerance + 1) points are further apart than that, and there are as many shards. This
/// holds for 7 shards and more; fewer do what they can.
///
/// Plain data, no library. Owner: the synth. Thread: audio.
#ifndef CONSORT_DSP_SYNTH_PLACEMENT_H
#define CONSORT_DSP_SYNTH_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

enum { PLACEMENT_MAX = 16, PLACEMENT_BLOCK = 64 };

struct placement {
    int count;                 ///< shards, 1..16
    uint32_t tolerance_frames; ///< 3..8
    bool is_idle[PLACEMENT_MAX];
    uint8_t phase[PLACEMENT_MAX];   ///< border modulo 64, of busy shards
    uint16_t voices[PLACEMENT_MAX]; ///< load, in voices or so
};

/// All idle.
RT void placement_init(struct placement *placement, int count);

/// Chooses for a note stamped `frame`, whose ideal start is `frame + tolerance_frames`. Of idle
/// shards it takes the `favourite` (or -1) if it can. Returns the shard and sets `*border`, at
/// `frame` or later, where its note starts; notes the shard busy there.
RT int placement_choose(struct placement *placement, uint64_t frame, int favourite,
                        uint64_t *border);

/// The same for a note that must go to `shard`.
RT uint64_t placement_join(struct placement *placement, int shard, uint64_t frame);

#endif
