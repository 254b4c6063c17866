/// System exclusive messages in, events out: the part of `midi_translate` that knows makers.
///
/// Pure functions over plain data. Thread: any; RT safe. Only `midi.c` and tests call it.
#ifndef CONSORT_DSP_ENGINE_SYSEX_H
#define CONSORT_DSP_ENGINE_SYSEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dsp/base/rt.h"
#include "dsp/engine/event.h"
#include "dsp/engine/midi.h"

/// Translates one message from F0 to F7. Returns as `midi_translate`. RT safe.
RT int sysex_translate(const uint8_t *bytes, size_t count, struct event events[MIDI_EVENTS_MAX]);

/// An event of a type with all else zero.
static inline struct event *event_start(struct event *event, enum event_type type)
{
    memset(event, 0, sizeof *event);
    event->type = (uint8_t)type;
    return event;
}

/// Whether all bytes are data bytes, 00..7F.
static inline bool midi_is_data(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] >= 0x80)
            return false;
    return true;
}

#endif
