#include "board/midi_in.h"

uint64_t midi_in_stamp(const struct midi_in *in, int64_t arrival_ns)
{
    uint64_t now = clock_frame_at(in->clock, arrival_ns);
    uint64_t frame = in->is_soon ? EVENT_NOW : now + clock_period_frames(in->clock);
    // In order, or a note could end before it begins: also when the timing has just changed.
    return in->last_frame > now && in->last_frame > frame ? in->last_frame : frame;
}

static bool push(struct midi_in *in, const struct keyboard *keyboard, struct event *event,
                 uint64_t frame)
{
    event->frame = frame;
    event->source = keyboard->source;
    if (!engine_push(in->engine, in->ring, event))
        return false;
    if (frame > in->last_frame)
        in->last_frame = frame;
    return true;
}

bool midi_in_release(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns)
{
    struct event event = {.type = EVENT_RELEASE};
    // An engine that is not there holds nothing.
    if (in->engine && !push(in, keyboard, &event, midi_in_stamp(in, arrival_ns)))
        return false;
    keyboard->must_release = false;
    return true;
}

static bool push_all(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns, int count)
{
    uint64_t frame = midi_in_stamp(in, arrival_ns);
    for (int i = 0; i < count; i++)
        if (!push(in, keyboard, &in->events[i], frame))
            return false;
    return true;
}

static bool play(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns, int count)
{
    if (!in->engine || !clock_is_running(in->clock, arrival_ns))
        return false;
    if (keyboard->must_release && !midi_in_release(in, keyboard, arrival_ns))
        return false;
    return push_all(in, keyboard, arrival_ns, count);
}

void midi_in_play(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns,
                  const uint8_t *bytes, size_t count)
{
    int events = midi_translate(bytes, count, in->events);
    if (events < 0)
        in->lost++;
    if (events <= 0 || play(in, keyboard, arrival_ns, events))
        return;
    in->lost++;
    keyboard->must_release = true; // the end of a note may be what was lost
}
