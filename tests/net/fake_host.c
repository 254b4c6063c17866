#include "tests/net/fake_host.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fake_get(void *context, unsigned index, struct param_value *value)
{
    struct fake_host *fake = context;
    assert(index < PARAM_COUNT);
    *value = fake->values[index];
    return 0;
}

void fake_put(struct fake_host *fake, unsigned index, double number)
{
    fake->values[index].number = number;
    fake->serials[index] = ++fake->serial;
}

static int fake_set(void *context, unsigned index, const struct param_value *value, uint64_t frame)
{
    struct fake_host *fake = context;
    assert(index < PARAM_COUNT);
    const struct param *row = param_row(index);
    if (fake->is_full)
        return -EAGAIN;
    assert(!(row->flags & PARAM_FLAG_STATE));
    assert(row->type == PARAM_TEXT || param_is_valid(row, value->number));
    assert(memchr(value->text, 0, sizeof value->text));
    fake->values[index] = *value;
    fake->serials[index] = ++fake->serial;
    fake->last_setting = (struct fake_setting){index, frame};
    return 0;
}

static uint64_t fake_changed(void *context, unsigned index)
{
    struct fake_host *fake = context;
    assert(index < PARAM_COUNT);
    return fake->serials[index];
}

static void fake_check_event(const struct fake_host *fake, const struct event *event)
{
    assert(event->channel < PARTS);
    if (event->type == EVENT_PANIC)
        return;
    assert(event->source > 0 && event->source < SOURCES_MAX && fake->is_open[event->source]);
    if (event->type == EVENT_PART_NOTE_ON)
        assert(event->note.key < 128 && event->note.velocity > 0 && event->note.velocity < 128);
    if (event->type == EVENT_PART_BEND)
        assert(event->bend >= -8192 && event->bend <= 8191);
}

static int fake_play(void *context, const struct event *event)
{
    struct fake_host *fake = context;
    fake_check_event(fake, event);
    if (fake->is_full)
        return -EAGAIN;
    if (fake->played_count < FAKE_PLAYED_MAX)
        fake->played[fake->played_count++] = *event;
    if (event->type != EVENT_PANIC)
        fake->is_dirty[event->source] = event->type != EVENT_RELEASE;
    return 0;
}

/// 48 frames a millisecond from the zero of the clock on.
static uint64_t fake_frame_at(void *context, uint64_t monotonic_ns)
{
    const struct fake_host *fake = context;
    return fake->has_no_clock ? EVENT_NOW : monotonic_ns / 1000 * 48 / 1000;
}

static int fake_open_source(void *context, const char *name)
{
    struct fake_host *fake = context;
    snprintf(fake->last_name, sizeof fake->last_name, "%s", name);
    for (int i = 1; i < SOURCES_MAX && i <= fake->sources_max; i++)
        if (!fake->is_open[i]) {
            fake->is_open[i] = true;
            fake->is_dirty[i] = false;
            return i;
        }
    return -ENOSPC;
}

static void fake_close_source(void *context, int source)
{
    struct fake_host *fake = context;
    assert(source > 0 && source < SOURCES_MAX && fake->is_open[source]);
    assert(!fake->is_dirty[source]); // its release was played
    fake->is_open[source] = false;
}

struct osc_host fake_init(struct fake_host *fake)
{
    memset(fake, 0, sizeof *fake);
    fake->sources_max = SOURCES_MAX - 1;
    for (unsigned i = 0; i < PARAM_COUNT; i++)
        param_default(i, &fake->values[i]);
    fake_put(fake, PARAM_OSC_RATE, 30);
    return (struct osc_host){fake,      fake_get,      fake_set,         fake_changed,
                             fake_play, fake_frame_at, fake_open_source, fake_close_source};
}
