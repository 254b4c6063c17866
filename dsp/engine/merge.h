/// The one point where events from all producers meet, in the order of their frames.
///
/// Each producer thread has a ring; the audio thread drains them into a heap and takes out what is
/// due. Events of one frame keep the order in which they came. Owner: the engine. Thread: audio,
/// but for `merge_open_ring` (any) and `merge_push` (the ring's producer).
#ifndef CONSORT_DSP_ENGINE_MERGE_H
#define CONSORT_DSP_ENGINE_MERGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/ring.h"
#include "dsp/base/rt.h"
#include "dsp/engine/event.h"

enum {
    MERGE_RINGS = 16,
    MERGE_EVENTS = 8192,        ///< in the heap
    MERGE_FUTURE_EVENTS = 6144, ///< of them with a frame beyond the period: the rest is for now
};

struct merge {
    struct ring rings[MERGE_RINGS];
    _Atomic int ring_count;
    struct event heap[MERGE_EVENTS];
    uint32_t count;
    uint32_t order;
};

/// The merge must be all zero.
void merge_finish(struct merge *merge);

/// Returns the ring's number, or -ENOSPC, -ENOMEM. One thread at a time.
int merge_open_ring(struct merge *merge, uint32_t capacity);

RT bool merge_push(struct merge *merge, int ring, const struct event *event);

/// Takes in what the rings hold; events stamped before `now` count as stamped `now`. Returns how
/// many of them had a frame that is past. What finds no room stays in its ring.
RT uint32_t merge_drain(struct merge *merge, uint64_t now, uint64_t end);

/// Adds one event of the audio thread's own. Returns false when the heap is full.
RT bool merge_add(struct merge *merge, const struct event *event, int ring);

/// The earliest event, valid until the heap changes, or NULL.
RT const struct event *merge_peek(const struct merge *merge);

/// Takes the earliest event out and tells its ring (0..15). The heap must hold one.
RT int merge_pop(struct merge *merge, struct event *event);

#endif
