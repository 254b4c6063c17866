#include "net/osc_queue.h"

#include <assert.h>
#include <stddef.h>

static bool is_earlier(const struct osc_due *a, const struct osc_due *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(struct osc_due *a, struct osc_due *b)
{
    const struct osc_due kept = *a;
    *a = *b;
    *b = kept;
}

/// Lets the last one rise to its place.
static void sift_up(struct osc_queue *queue)
{
    unsigned at = queue->count - 1;

    while (at > 0) {
        const unsigned parent = (at - 1) / 2;
        if (!is_earlier(&queue->due[at], &queue->due[parent]))
            return;
        swap(&queue->due[at], &queue->due[parent]);
        at = parent;
    }
}

static void sift_down(struct osc_queue *queue, unsigned at)
{
    for (;;) {
        unsigned least = at;
        for (unsigned child = 2 * at + 1; child <= 2 * at + 2 && child < queue->count; child++)
            if (is_earlier(&queue->due[child], &queue->due[least]))
                least = child;
        if (least == at)
            return;
        swap(&queue->due[at], &queue->due[least]);
        at = least;
    }
}

bool osc_queue_push(struct osc_queue *queue, const struct osc_due *due)
{
    if (queue->count >= OSC_QUEUE_MAX)
        return false;
    queue->due[queue->count] = *due;
    queue->due[queue->count].order = queue->order++;
    queue->count++;
    sift_up(queue);
    return true;
}

const struct osc_due *osc_queue_first(const struct osc_queue *queue)
{
    return queue->count ? &queue->due[0] : NULL;
}

void osc_queue_pop(struct osc_queue *queue)
{
    assert(queue->count > 0);
    queue->count--;
    if (queue->count) {
        queue->due[0] = queue->due[queue->count];
        sift_down(queue, 0);
    }
}

void osc_queue_remove(struct osc_queue *queue,
                      bool (*is_match)(const struct osc_due *due, const void *context),
                      const void *context)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < queue->count; i++)
        if (!is_match(&queue->due[i], context) && kept++ != i)
            queue->due[kept - 1] = queue->due[i];
    queue->count = kept;
    for (unsigned at = kept / 2; at-- > 0;)
        sift_down(queue, at);
}
