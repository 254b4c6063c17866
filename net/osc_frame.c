#include "net/osc_frame.h"

#include <errno.h>
#include <string.h>

enum { END = 0xc0, ESC = 0xdb, ESC_END = 0xdc, ESC_ESC = 0xdd, LENGTH_BYTES = 4 };

static int add(struct osc_frame *frame, uint8_t byte)
{
    if (frame->used == OSC_PACKET_MAX)
        return -EMSGSIZE;
    frame->packet[frame->used++] = byte;
    return 0;
}

static int finish(struct osc_frame *frame)
{
    frame->is_whole = true;
    return 1;
}

static int push_slip(struct osc_frame *frame, uint8_t byte)
{
    const bool was_escaped = frame->is_escaped;

    frame->is_escaped = byte == ESC && !was_escaped;
    if (was_escaped)
        return byte == ESC_END ? add(frame, END) : byte == ESC_ESC ? add(frame, ESC) : -EPROTO;
    if (byte == ESC)
        return 0;
    if (byte != END)
        return add(frame, byte);
    return frame->used ? finish(frame) : 0; // an END before a packet is only a mark
}

static int push_length(struct osc_frame *frame, uint8_t byte)
{
    if (frame->size_bytes == LENGTH_BYTES) {
        add(frame, byte);
        return frame->used == frame->size ? finish(frame) : 0;
    }
    frame->size = frame->size << 8 | byte;
    if (++frame->size_bytes < LENGTH_BYTES)
        return 0;
    if (frame->size > OSC_PACKET_MAX)
        return -EMSGSIZE;
    if (frame->size % 4)
        return -EPROTO;
    if (frame->size == 0)
        frame->size_bytes = 0;
    return 0;
}

/// A length below OSC_PACKET_MAX begins with a zero; some that speak SLIP leave out the first END.
static enum osc_framing detect(uint8_t byte)
{
    if (byte == 0)
        return OSC_FRAMING_LENGTH;
    return byte == END || byte == '/' || byte == '#' ? OSC_FRAMING_SLIP : OSC_FRAMING_UNKNOWN;
}

int osc_frame_push(struct osc_frame *frame, uint8_t byte)
{
    if (frame->framing == OSC_FRAMING_UNKNOWN)
        frame->framing = detect(byte);
    if (frame->is_whole) {
        frame->is_whole = false;
        frame->used = frame->size_bytes = 0;
        frame->size = 0;
    }
    if (frame->framing == OSC_FRAMING_SLIP)
        return push_slip(frame, byte);
    return frame->framing == OSC_FRAMING_LENGTH ? push_length(frame, byte) : -EPROTO;
}

static size_t write_slip(const uint8_t *packet, size_t bytes, uint8_t *to)
{
    size_t used = 0;

    to[used++] = END;
    for (size_t i = 0; i < bytes; i++) {
        const bool is_special = packet[i] == END || packet[i] == ESC;
        if (is_special)
            to[used++] = ESC;
        to[used++] = !is_special ? packet[i] : packet[i] == END ? ESC_END : ESC_ESC;
    }
    to[used++] = END;
    return used;
}

size_t osc_frame_write(enum osc_framing framing, const void *packet, size_t bytes, uint8_t *to)
{
    if (framing == OSC_FRAMING_SLIP)
        return write_slip(packet, bytes, to);
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        to[i] = (uint8_t)(bytes >> (24 - 8 * i));
    memcpy(to + LENGTH_BYTES, packet, bytes);
    return LENGTH_BYTES + bytes;
}
