/// One TCP connection: bytes in, packets out, and the other way.
///
/// Owner: the server. Thread: net. Nothing is read while more than half of the room for what goes
/// out is taken, so that a reader who is slow slows only itself.
#ifndef CONSORT_NET_OSC_STREAM_H
#define CONSORT_NET_OSC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/osc_frame.h"
#include "net/osc_sender.h"

enum { OSC_STREAM_IN = 4096, OSC_STREAM_OUT = 32768 };

#define OSC_STREAM_STUCK_NS UINT64_C(5000000000) ///< without progress: a reader to be dropped

struct osc_stream {
    int socket;
    struct osc_sender sender;
    uint64_t heard_ns;    ///< when bytes last came
    uint64_t progress_ns; ///< when bytes last left, or when none waited
    size_t in_at, in_used, out_used;
    struct osc_frame frame;
    uint8_t in[OSC_STREAM_IN];
    uint8_t out[OSC_STREAM_OUT];
};

/// Takes over a socket. Returns NULL, and closes it, when there is no memory.
struct osc_stream *osc_stream_create(int socket, const struct osc_sender *sender, uint64_t now_ns);
void osc_stream_destroy(struct osc_stream *stream);

/// Whether more is to be read, whether what was read can be taken on, whether something is to be
/// written.
bool osc_stream_wants_input(const struct osc_stream *stream);
bool osc_stream_has_input(const struct osc_stream *stream);
bool osc_stream_wants_output(const struct osc_stream *stream);

/// Reads what has come. Returns 0, or a negative errno when the connection has ended.
int osc_stream_read(struct osc_stream *stream, uint64_t now_ns);

/// The next packet of what was read: 1 with `stream->frame` whole, 0 when there is none or when it
/// must wait for room, or a negative errno when the stream is no OSC.
int osc_stream_next(struct osc_stream *stream);

/// Lays a packet of at most OSC_REPLY_MAX bytes ready. Returns false when there is no room.
bool osc_stream_send(struct osc_stream *stream, const void *packet, size_t bytes);

/// Writes as much as goes. Returns 0, or a negative errno when the connection has ended;
/// -ETIMEDOUT for a reader that is too slow.
int osc_stream_flush(struct osc_stream *stream, uint64_t now_ns);

#endif
