#include "dsp/base/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ring_init(struct ring *ring, uint32_t capacity, uint32_t element_bytes)
{
    uint32_t rounded = 1;
    while (rounded < capacity)
        rounded *= 2;
    ring->elements = calloc(rounded, element_bytes);
    if (!ring->elements)
        return -ENOMEM;
    ring->mask = rounded - 1;
    ring->element_bytes = element_bytes;
    atomic_init(&ring->written, 0);
    atomic_init(&ring->read, 0);
    return 0;
}

void ring_finish(struct ring *ring)
{
    free(ring->elements);
    ring->elements = NULL;
}

static unsigned char *slot(const struct ring *ring, uint32_t count)
{
    return ring->elements + (size_t)(count & ring->mask) * ring->element_bytes;
}

RT bool ring_push(struct ring *ring, const void *element)
{
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (written - read > ring->mask)
        return false;
    memcpy(slot(ring, written), element, ring->element_bytes);
    atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    return true;
}

RT const void *ring_peek(const struct ring *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    return written == read ? NULL : slot(ring, read);
}

RT bool ring_pop(struct ring *ring, void *element)
{
    const void *oldest = ring_peek(ring);
    if (!oldest)
        return false;
    memcpy(element, oldest, ring->element_bytes);
    atomic_fetch_add_explicit(&ring->read, 1, memory_order_release);
    return true;
}

RT uint32_t ring_count(const struct ring *ring)
{
    return atomic_load_explicit(&ring->written, memory_order_acquire) -
           atomic_load_explicit(&ring->read, memory_order_acquire);
}
