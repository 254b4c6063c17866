#include "dsp/engine/merge.h"

#include <errno.h>

void merge_finish(struct merge *merge)
{
    int count = atomic_load(&merge->ring_count);
    for (int i = 0; i < count; i++)
        ring_finish(&merge->rings[i]);
}

int merge_open_ring(struct merge *merge, uint32_t capacity)
{
    int number = atomic_load(&merge->ring_count);
    if (number == MERGE_RINGS)
        return -ENOSPC;
    if (ring_init(&merge->rings[number], capacity, sizeof(struct event)))
        return -ENOMEM;
    atomic_store(&merge->ring_count, number + 1); // from here on the audio thread looks at it
    return number;
}

RT bool merge_push(struct merge *merge, int ring, const struct event *event)
{
    return ring_push(&merge->rings[ring], event);
}

// ---- the heap: a parent is never later than its children ----

RT static bool is_earlier(const struct event *a, const struct event *b)
{
    // Orders may wrap around; those in the heap are near each other.
    return a->frame != b->frame ? a->frame < b->frame : (int32_t)(a->order - b->order) < 0;
}

RT static void swap(struct event *a, struct event *b)
{
    struct event kept = *a;
    *a = *b;
    *b = kept;
}

RT bool merge_add(struct merge *merge, const struct event *event, int ring)
{
    if (merge->count == MERGE_EVENTS)
        return false;
    struct event *heap = merge->heap;
    uint32_t at = merge->count++;
    heap[at] = *event;
    heap[at].order = merge->order++ * MERGE_RINGS + (uint32_t)ring;
    while (at && is_earlier(&heap[at], &heap[(at - 1) / 2])) {
        swap(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return true;
}

RT const struct event *merge_peek(const struct merge *merge)
{
    return merge->count ? merge->heap : NULL;
}

RT int merge_pop(struct merge *merge, struct event *event)
{
    struct event *heap = merge->heap;
    *event = heap[0];
    heap[0] = heap[--merge->count];
    for (uint32_t at = 0, child; (child = 2 * at + 1) < merge->count; at = child) {
        if (child + 1 < merge->count && is_earlier(&heap[child + 1], &heap[child]))
            child++;
        if (!is_earlier(&heap[child], &heap[at]))
            break;
        swap(&heap[child], &heap[at]);
    }
    return (int)(event->order % MERGE_RINGS);
}

// ---- the rings ----

RT static uint32_t drain_ring(struct merge *merge, int number, uint64_t now, uint64_t end)
{
    const struct event *oldest;
    uint32_t late = 0;
    while ((oldest = ring_peek(&merge->rings[number]))) {
        struct event event = *oldest;
        if (event.frame >= end && merge->count >= MERGE_FUTURE_EVENTS)
            break;
        bool is_late = event.frame != EVENT_NOW && event.frame < now;
        if (event.frame < now)
            event.frame = now;
        if (!merge_add(merge, &event, number))
            break;
        late += is_late;
        ring_pop(&merge->rings[number], &event);
    }
    return late;
}

RT uint32_t merge_drain(struct merge *merge, uint64_t now, uint64_t end)
{
    int count = atomic_load_explicit(&merge->ring_count, memory_order_acquire);
    uint32_t late = 0;
    for (int i = 0; i < count; i++)
        late += drain_ring(merge, i, now, end);
    return late;
}
