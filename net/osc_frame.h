/// OSC packets in a stream of bytes: OSC 1.0 puts the length before each (32 bits, big-endian),
/// OSC 1.1 parts them by SLIP (RFC 1055). The first byte of the stream tells which.
///
/// Owner: whoever has the connection. Thread: any one. Pure: opens no socket.
#ifndef CONSORT_NET_OSC_FRAME_H
#define CONSORT_NET_OSC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/osc_check.h"

enum osc_framing { OSC_FRAMING_UNKNOWN, OSC_FRAMING_LENGTH, OSC_FRAMING_SLIP };

/// What has come of the packet under way. All zero at first.
struct osc_frame {
    enum osc_framing framing;
    size_t used;         ///< bytes of `packet`
    uint32_t size;       ///< LENGTH: bytes that it will have
    unsigned size_bytes; ///< LENGTH: bytes of `size` that have come
    bool is_escaped;     ///< SLIP: after an ESC
    bool is_whole;       ///< the packet was given out; the next byte begins another
    uint8_t packet[OSC_PACKET_MAX];
};

/// Takes one byte. Returns 1 when it completes the packet, `used` bytes of `packet`, valid until
/// the next byte; 0 when more is to come; -EPROTO for a stream that is no OSC, -EMSGSIZE for a
/// packet of more than OSC_PACKET_MAX bytes. After an error the stream cannot go on.
int osc_frame_push(struct osc_frame *frame, uint8_t byte);

/// The most bytes that a packet takes in a stream.
#define OSC_FRAMED_MAX(bytes) (2 * (bytes) + 4)

/// Writes a packet into `to`, which has room for OSC_FRAMED_MAX(bytes). Returns the bytes written.
/// An unknown framing is taken for LENGTH.
size_t osc_frame_write(enum osc_framing framing, const void *packet, size_t bytes, uint8_t *to);

#endif
