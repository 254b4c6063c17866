#include "dsp/engine/smf_builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)

// Tempo changes and ends travel among the events under types of their own until times are known.
// Meanwhile `frame` holds the place and `order` the order of arrival of every item.
enum { ITEM_TEMPO = EVENT_TYPES, ITEM_END };

struct smf_tick smf_tick_metrical(uint32_t ticks_per_quarter)
{
    return (struct smf_tick){NS_PER_SECOND / 2, ticks_per_quarter, true};
}

struct smf_tick smf_tick_smpte(uint32_t frames_per_second, uint32_t ticks_per_frame)
{
    if (frames_per_second == 29) // 30000 frames in 1001 seconds
        return (struct smf_tick){NS_PER_SECOND / 1000 * 1001, 30 * ticks_per_frame, false};
    return (struct smf_tick){NS_PER_SECOND, frames_per_second * ticks_per_frame, false};
}

void smf_builder_init(struct smf_builder *builder) { memset(builder, 0, sizeof *builder); }

void smf_builder_discard(struct smf_builder *builder)
{
    free(builder->items);
    smf_builder_init(builder);
}

static int make_room(struct smf_builder *builder)
{
    if (builder->count == SMF_EVENTS_MAX)
        return -EFBIG;
    if (builder->count < builder->capacity)
        return 0;
    size_t capacity = builder->capacity ? 2 * builder->capacity : 1024;
    struct smf_event *items = realloc(builder->items, capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    builder->items = items;
    builder->capacity = capacity;
    return 0;
}

int smf_builder_add(struct smf_builder *builder, uint64_t tick, size_t place,
                    const struct event *event)
{
    int error = make_room(builder);
    if (error)
        return error;
    struct smf_event *item = &builder->items[builder->count];
    item->time_ns = tick;
    item->event = *event;
    item->event.frame = place;
    item->event.order = (uint32_t)builder->count++;
    return 0;
}

int smf_builder_add_tempo(struct smf_builder *builder, uint64_t tick, size_t place,
                          uint32_t us_per_quarter)
{
    struct event event = {.type = ITEM_TEMPO};
    memcpy(event.bytes, &us_per_quarter, sizeof us_per_quarter);
    return smf_builder_add(builder, tick, place, &event);
}

int smf_builder_add_end(struct smf_builder *builder, uint64_t tick, size_t place)
{
    return smf_builder_add(builder, tick, place, &(struct event){.type = ITEM_END});
}

static int compare(const void *left, const void *right)
{
    const struct smf_event *a = left, *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return a->event.order < b->event.order ? -1 : a->event.order > b->event.order;
}

static void sort(struct smf_builder *builder)
{
    for (size_t i = 1; i < builder->count; i++)
        if (compare(&builder->items[i - 1], &builder->items[i]) > 0) {
            qsort(builder->items, builder->count, sizeof *builder->items, compare);
            return;
        }
}

// Ticks to nanoseconds, without rounding errors that add up: the time is kept in units of
// 1 / divisor ns, of which 24 hours are less than 2^62.
static int set_times(struct smf_builder *builder, struct smf_tick tick, size_t *place)
{
    const uint64_t limit = SMF_SECONDS_MAX * NS_PER_SECOND * tick.divisor;
    uint64_t now = 0, now_ticks = 0;
    for (size_t i = 0; i < builder->count; i++) {
        struct smf_event *item = &builder->items[i];
        uint64_t ticks = item->time_ns - now_ticks;
        if (ticks > (limit - now) / tick.nanoseconds) {
            *place = item->event.frame;
            return -EFBIG;
        }
        now += ticks * tick.nanoseconds;
        now_ticks = item->time_ns;
        item->time_ns = (now + tick.divisor / 2) / tick.divisor;
        if (item->event.type == ITEM_TEMPO && tick.follows_tempo) {
            uint32_t us_per_quarter;
            memcpy(&us_per_quarter, item->event.bytes, sizeof us_per_quarter);
            tick.nanoseconds = (uint64_t)us_per_quarter * 1000;
        }
    }
    return 0;
}

// Leaves the events alone, clean of what the builder wrote into them.
static void keep_events(struct smf *piece)
{
    size_t kept = 0;
    for (size_t i = 0; i < piece->count; i++) {
        struct smf_event item = piece->events[i];
        if (item.event.type >= EVENT_TYPES)
            continue;
        item.event.frame = 0;
        item.event.order = 0;
        piece->notes += item.event.type == EVENT_NOTE_ON;
        piece->events[kept++] = item;
    }
    piece->count = kept;
}

static void give_back_room(struct smf *piece)
{
    if (piece->count == 0)
        return;
    struct smf_event *events = realloc(piece->events, piece->count * sizeof *events);
    if (events)
        piece->events = events;
}

int smf_builder_finish(struct smf_builder *builder, struct smf_tick tick, const char *title,
                       struct smf **piece, size_t *place)
{
    sort(builder);
    int error = set_times(builder, tick, place);
    struct smf *made = error ? NULL : calloc(1, sizeof *made);
    if (!made) {
        smf_builder_discard(builder);
        return error ? error : -ENOMEM;
    }
    made->events = builder->items;
    made->count = builder->count;
    made->length_ns = builder->count ? builder->items[builder->count - 1].time_ns : 0;
    snprintf(made->title, sizeof made->title, "%s", title);
    smf_builder_init(builder);
    keep_events(made);
    give_back_room(made);
    *piece = made;
    return 0;
}

void smf_destroy(struct smf *piece)
{
    if (!piece)
        return;
    free(piece->events);
    free(piece);
}
