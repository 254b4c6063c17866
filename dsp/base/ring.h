/// A lock-free ring of equal elements between one producer thread and one consumer thread.
///
/// Owner: whoever creates it. Thread: `ring_push` the producer, `ring_pop` and `ring_peek` the
/// consumer, `ring_init` and `ring_finish` any one thread while nobody else uses the ring.
#ifndef CONSORT_DSP_BASE_RING_H
#define CONSORT_DSP_BASE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct ring {
    // Producer and consumer write on cache lines of their own.
    _Alignas(64) _Atomic uint32_t written; ///< elements ever pushed, modulo 2^32
    _Alignas(64) _Atomic uint32_t read;    ///< elements ever popped, modulo 2^32
    _Alignas(64) uint32_t mask;            ///< capacity - 1
    uint32_t element_bytes;
    unsigned char *elements;
};

/// Allocates room for at least `capacity` elements (rounded up to a power of two).
/// Returns 0 or -ENOMEM.
int ring_init(struct ring *ring, uint32_t capacity, uint32_t element_bytes);
void ring_finish(struct ring *ring);

/// Copies one element in. Returns false, and changes nothing, when the ring is full. RT safe.
RT bool ring_push(struct ring *ring, const void *element);

/// Copies the oldest element out. Returns false when the ring is empty. RT safe.
RT bool ring_pop(struct ring *ring, void *element);

/// The oldest element, valid until the next `ring_pop`, or NULL when the ring is empty. RT safe.
RT const void *ring_peek(const struct ring *ring);

/// Elements waiting. Exact for the consumer, a lower bound of free room's complement elsewhere.
RT uint32_t ring_count(const struct ring *ring);

#endif
