#include "net/osc_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/osc_reply.h"
#include "net/osc_socket.h"

static_assert(OSC_STREAM_OUT / 2 >= OSC_FRAMED_MAX(OSC_REPLY_MAX), "an answer fits into a half");

struct osc_stream *osc_stream_create(int socket, const struct osc_sender *sender, uint64_t now_ns)
{
    struct osc_stream *stream = calloc(1, sizeof *stream);

    if (!stream) {
        close(socket);
        return NULL;
    }
    stream->socket = socket;
    stream->sender = *sender;
    stream->heard_ns = stream->progress_ns = now_ns;
    return stream;
}

void osc_stream_destroy(struct osc_stream *stream)
{
    if (!stream)
        return;
    close(stream->socket);
    free(stream);
}

static bool has_room(const struct osc_stream *stream)
{
    return stream->out_used < OSC_STREAM_OUT / 2;
}

bool osc_stream_wants_input(const struct osc_stream *stream)
{
    return stream->in_at == stream->in_used && has_room(stream);
}

bool osc_stream_has_input(const struct osc_stream *stream)
{
    return stream->in_at < stream->in_used && has_room(stream);
}

bool osc_stream_wants_output(const struct osc_stream *stream) { return stream->out_used > 0; }

int osc_stream_read(struct osc_stream *stream, uint64_t now_ns)
{
    if (!osc_stream_wants_input(stream))
        return 0;
    const ssize_t count = osc_socket_read(stream->socket, stream->in, sizeof stream->in);
    if (count == -EAGAIN || count == -EINTR)
        return 0;
    if (count <= 0)
        return count ? (int)count : -EPIPE;
    stream->heard_ns = now_ns;
    stream->in_at = 0;
    stream->in_used = (size_t)count;
    return 0;
}

int osc_stream_next(struct osc_stream *stream)
{
    while (osc_stream_has_input(stream)) {
        const int result = osc_frame_push(&stream->frame, stream->in[stream->in_at++]);
        if (result != 0)
            return result;
    }
    return 0;
}

bool osc_stream_send(struct osc_stream *stream, const void *packet, size_t bytes)
{
    if (!has_room(stream))
        return false;
    stream->out_used +=
        osc_frame_write(stream->frame.framing, packet, bytes, stream->out + stream->out_used);
    return true;
}

int osc_stream_flush(struct osc_stream *stream, uint64_t now_ns)
{
    if (stream->out_used == 0) {
        stream->progress_ns = now_ns;
        return 0;
    }
    const ssize_t written = osc_socket_write(stream->socket, stream->out, stream->out_used);
    if (written > 0) {
        stream->progress_ns = now_ns;
        stream->out_used -= (size_t)written;
        memmove(stream->out, stream->out + written, stream->out_used);
        return 0;
    }
    if (written < 0 && written != -EAGAIN && written != -EINTR)
        return (int)written;
    return now_ns - stream->progress_ns < OSC_STREAM_STUCK_NS ? 0 : -ETIMEDOUT;
}
