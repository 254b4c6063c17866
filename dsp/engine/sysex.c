#include "dsp/engine/sysex.h"

#include <errno.h>

// Tunings of more than one value. In all of these, `body` is what stands between the bytes that
// name the message and the final F7.

// "kk xx yy zz": key kk sounds at xx semitones and yyzz / 16384; 7F 7F 7F leaves it as it is.
static int tune_key(uint8_t key, const uint8_t pitch[3], const struct event *like,
                    struct event *event)
{
    if (pitch[0] == 0x7F && pitch[1] == 0x7F && pitch[2] == 0x7F)
        return 0;
    *event = *like;
    event->tune_key.key = key;
    event->tune_key.semitones =
        (float)pitch[0] + (float)(pitch[1] << 7 | pitch[2]) / 16384.0f; // exact: 21 bits
    return 1;
}

// "tt ll [kk xx yy zz] * ll", with a bank byte in front where the message has one.
static int tune_some_keys(const uint8_t *body, size_t count, bool has_bank, bool is_realtime,
                          struct event *events)
{
    size_t head = has_bank ? 3 : 2;
    if (count < head || count != head + 4 * (size_t)body[head - 1])
        return -EBADMSG;
    struct event like;
    event_start(&like, EVENT_TUNE_KEY);
    like.tune_key.bank = has_bank ? body[0] : 0;
    like.tune_key.program = body[head - 2];
    like.tune_key.is_realtime = is_realtime;
    int made = 0;
    for (const uint8_t *change = body + head; change < body + count; change += 4)
        made += tune_key(change[0], change + 1, &like, &events[made]);
    return made;
}

// "tt name[16] [xx yy zz] * 128 cs", with a bank byte in front where the message has one. The
// checksum is the exclusive or of all bytes from the 7E on.
static int tune_all_keys(const uint8_t *message, size_t message_count, bool has_bank,
                         struct event *events)
{
    const size_t head = 5 + has_bank + 1 + 16, keys = (size_t)3 * KEYS;
    if (message_count != head + keys + 2)
        return -EBADMSG;
    uint8_t sum = 0;
    for (size_t i = 1; i < head + keys; i++)
        sum ^= message[i];
    if (sum != message[head + keys])
        return -EBADMSG;
    struct event like;
    event_start(&like, EVENT_TUNE_KEY);
    like.tune_key.bank = has_bank ? message[5] : 0;
    like.tune_key.program = message[5 + has_bank];
    int made = 0;
    for (unsigned key = 0; key < KEYS; key++)
        made += tune_key((uint8_t)key, message + head + 3 * key, &like, &events[made]);
    return made;
}

// "ff gg hh" and twelve notes from C on, one byte (1 cent a step) or two (100/8192 cent) each.
static int tune_scale(const uint8_t *body, size_t count, size_t note_bytes, bool is_realtime,
                      struct event *events)
{
    if (count != 3 + 12 * note_bytes)
        return -EBADMSG;
    uint16_t parts = (uint16_t)((body[0] & 3) << 14 | body[1] << 7 | body[2]);
    for (unsigned half = 0; half < 2; half++) {
        struct event *event = event_start(&events[half], EVENT_TUNE_SCALE);
        event->tune_scale.parts = parts;
        event->tune_scale.first = (uint8_t)(6 * half);
        event->tune_scale.is_realtime = is_realtime;
        for (unsigned i = 0; i < 6; i++) {
            const uint8_t *note = body + 3 + (6 * half + i) * note_bytes;
            int cents_64 = note_bytes == 1 ? (note[0] - 64) * 64
                                           : ((note[0] << 7 | note[1]) - 8192) * 6400 / 8192;
            event->tune_scale.cents_64[i] = (int16_t)cents_64;
        }
    }
    return 2;
}

static int reset_event(enum reset_mode mode, struct event *event)
{
    event_start(event, EVENT_RESET)->reset.mode = (uint8_t)mode;
    return 1;
}

// F0 7E dd 09 nn F7: General MIDI on and off.
static int general_midi(uint8_t mode, struct event *event)
{
    switch (mode) {
    case 1:
        return reset_event(RESET_GM, event);
    case 2:
        return reset_event(RESET_GM_OFF, event);
    case 3:
        return reset_event(RESET_GM2, event);
    default:
        return 0;
    }
}

// F0 7F dd 04 nn ll mm F7: volume, balance, fine and coarse tuning of the whole box.
static int device_control(uint8_t which, const uint8_t *body, size_t count, struct event *event)
{
    if (which != 1 && which != 3 && which != 4)
        return 0;
    if (count != 2)
        return -EBADMSG;
    int value = body[1] << 7 | body[0];
    if (which == 1)
        event_start(event, EVENT_MASTER_VOLUME)->master_volume = (uint16_t)value;
    else if (which == 3)
        event_start(event, EVENT_MASTER_TUNE)->cents = (float)(value - 8192) * (100.0f / 8192.0f);
    else
        event_start(event, EVENT_MASTER_COARSE)->cents = (float)(body[1] - 64) * 100.0f;
    return 1;
}

// F0 7E/7F dd 08 nn ... F7: the MIDI Tuning Standard.
static int tuning(const uint8_t *bytes, size_t count, struct event *events)
{
    const bool is_realtime = bytes[1] == 0x7F;
    const uint8_t *body = bytes + 5;
    const size_t body_count = count - 6;
    switch (bytes[4]) {
    case 1:
    case 4:
        return is_realtime ? 0 : tune_all_keys(bytes, count, bytes[4] == 4, events);
    case 2:
        return is_realtime ? tune_some_keys(body, body_count, false, true, events) : 0;
    case 7:
        return tune_some_keys(body, body_count, true, is_realtime, events);
    case 8:
    case 9:
        return tune_scale(body, body_count, bytes[4] - 7, is_realtime, events);
    default:
        return 0;
    }
}

// F0 7E (non-real-time) or 7F (real-time), device, two bytes that name the message.
static int universal(const uint8_t *bytes, size_t count, struct event *events)
{
    if (count < 6)
        return 0;
    if (bytes[3] == 8)
        return tuning(bytes, count, events);
    if (bytes[1] == 0x7E && bytes[3] == 9)
        return count == 6 ? general_midi(bytes[4], events) : -EBADMSG;
    if (bytes[1] == 0x7F && bytes[3] == 4)
        return device_control(bytes[4], bytes + 5, count - 6, events);
    return 0;
}

static int master_volume_7bit(uint8_t volume, struct event *event)
{
    event_start(event, EVENT_MASTER_VOLUME)->master_volume = (uint16_t)(volume * 129); // 7F: 16383
    return 1;
}

// A GS block 0..F stands for part 10, 1..9, 11..16.
static uint8_t gs_part(uint8_t block)
{
    if (block == 0)
        return 9;
    return block <= 9 ? block - 1 : block;
}

static int drum_part(uint8_t part, uint8_t mode, struct event *event)
{
    event_start(event, EVENT_DRUM_PART)->drum.mode = mode;
    event->channel = part;
    return 1;
}

// F0 41 dd 42 12 aa aa aa vv.. cs F7: a Roland GS parameter, its address and data summing to 0
// modulo 128 together with the checksum.
static int roland(const uint8_t *bytes, size_t count, struct event *event)
{
    if (count < 11 || bytes[3] != 0x42 || bytes[4] != 0x12)
        return 0;
    unsigned sum = 0;
    for (size_t i = 5; i < count - 1; i++)
        sum += bytes[i];
    if (sum % 128)
        return -EBADMSG;
    if (count != 11) // more than one value at a time: effect dumps and the like
        return 0;
    const uint32_t address = (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 | bytes[7];
    if (address == 0x40007F || address == 0x00007F) // GS reset, system mode set
        return reset_event(RESET_GS, event);
    if (address == 0x400004)
        return master_volume_7bit(bytes[8], event);
    if ((address & 0xFFF0FF) == 0x401015) // use for rhythm part
        return drum_part(gs_part(bytes[6] & 0x0F), bytes[8], event);
    return 0;
}

// F0 43 1n 4C aa aa aa vv.. F7: a Yamaha XG parameter.
static int yamaha(const uint8_t *bytes, size_t count, struct event *event)
{
    if (count != 9 || (bytes[2] & 0xF0) != 0x10 || bytes[3] != 0x4C)
        return 0;
    const uint32_t address = (uint32_t)bytes[4] << 16 | (uint32_t)bytes[5] << 8 | bytes[6];
    if (address == 0x00007E || address == 0x00007F) // XG system on, all parameters reset
        return reset_event(RESET_XG, event);
    if (address == 0x000004)
        return master_volume_7bit(bytes[7], event);
    if ((address & 0xFF00FF) == 0x080007 && bytes[5] < PARTS) // part mode
        return drum_part(bytes[5], bytes[7], event);
    return 0;
}

RT int sysex_translate(const uint8_t *bytes, size_t count, struct event events[MIDI_EVENTS_MAX])
{
    if (count < 3 || bytes[count - 1] != 0xF7 || !midi_is_data(bytes + 1, count - 2))
        return -EBADMSG;
    switch (bytes[1]) {
    case 0x7E:
    case 0x7F:
        return universal(bytes, count, events);
    case 0x41:
        return roland(bytes, count, events);
    case 0x43:
        return yamaha(bytes, count, events);
    default:
        return 0;
    }
}
