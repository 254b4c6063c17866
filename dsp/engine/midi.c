#include "dsp/engine/midi.h"

#include <errno.h>

#include "dsp/engine/sysex.h"

RT size_t midi_channel_message_bytes(uint8_t status)
{
    return (status & 0xE0) == 0xC0 ? 2 : 3; // program change and channel pressure are short
}

// Bytes of a system message F1..FF but for system exclusive; 0 for none of its own.
static size_t system_message_bytes(uint8_t status)
{
    switch (status) {
    case 0xF1: // time code
    case 0xF3: // song select
        return 2;
    case 0xF2: // song position
        return 3;
    case 0xF7: // the end of a system exclusive that never began
        return 0;
    default:
        return 1;
    }
}

static struct event *start_note(struct event *event, enum event_type type, const uint8_t *bytes)
{
    event_start(event, type);
    event->note.key = bytes[1];
    event->note.velocity = bytes[2];
    return event;
}

static int translate_channel(const uint8_t *bytes, struct event *event)
{
    switch (bytes[0] & 0xF0) {
    case 0x80:
        start_note(event, EVENT_NOTE_OFF, bytes);
        break;
    case 0x90: // by convention, velocity 0 is a note-off
        start_note(event, bytes[2] ? EVENT_NOTE_ON : EVENT_NOTE_OFF, bytes);
        break;
    case 0xA0:
        start_note(event, EVENT_KEY_PRESSURE, bytes);
        break;
    case 0xB0:
        event_start(event, EVENT_CONTROL);
        event->control.number = bytes[1];
        event->control.value = bytes[2];
        break;
    case 0xC0:
        event_start(event, EVENT_PROGRAM)->program.program = bytes[1];
        break;
    case 0xD0:
        event_start(event, EVENT_CHANNEL_PRESSURE)->pressure = bytes[1];
        break;
    default:
        event_start(event, EVENT_BEND)->bend = (int16_t)((bytes[2] << 7 | bytes[1]) - 8192);
        break;
    }
    event->channel = bytes[0] & 0x0F;
    return 1;
}

static int translate_system(const uint8_t *bytes, size_t count, struct event *event)
{
    if (count != system_message_bytes(bytes[0]) || !midi_is_data(bytes + 1, count - 1))
        return -EBADMSG;
    if (bytes[0] != 0xFE)
        return 0;
    event_start(event, EVENT_SENSING);
    return 1;
}

RT int midi_translate(const uint8_t *bytes, size_t count, struct event events[MIDI_EVENTS_MAX])
{
    if (count == 0 || bytes[0] < 0x80)
        return -EBADMSG;
    if (bytes[0] == 0xF0)
        return sysex_translate(bytes, count, events);
    if (bytes[0] > 0xF0)
        return translate_system(bytes, count, events);
    if (count != midi_channel_message_bytes(bytes[0]) || !midi_is_data(bytes + 1, count - 1))
        return -EBADMSG;
    return translate_channel(bytes, events);
}
