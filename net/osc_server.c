#define _GNU_SOURCE // ppoll
#include "net/osc.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/osc_session.h"
#include "net/osc_socket.h"
#include "net/osc_stream.h"

enum {
    STREAMS_MAX = 16,
    DATAGRAMS_PER_TURN = 64,
    POLLED_MAX = 1 + 2 * OSC_DOORS_MAX + STREAMS_MAX,
};

#define ACCEPT_REST_NS UINT64_C(100000000) ///< after a failure: out of files, most likely
#define STALE_NS UINT64_C(60000000000) ///< silence after which a connection gives way to another

struct osc_server {
    int wake;
    struct osc_doors doors;
    struct osc_session *session;
    struct osc_stream *stream[STREAMS_MAX]; ///< NULL where there is none
    uint64_t next_ns;                       ///< when the session has something to do
    uint64_t accept_ns;                     ///< no connection is accepted before
    _Atomic unsigned subscribers;
    _Atomic uint64_t packets, dropped, errors;
    uint8_t packet[OSC_PACKET_MAX];
};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/// Both clocks at one moment: of three tries the one in which the least time passed between.
static struct osc_time read_time(void)
{
    struct osc_time best = {0};
    uint64_t least_ns = UINT64_MAX;

    for (int i = 0; i < 3; i++) {
        const uint64_t before_ns = read_clock(CLOCK_MONOTONIC);
        const uint64_t realtime_ns = read_clock(CLOCK_REALTIME);
        const uint64_t width_ns = read_clock(CLOCK_MONOTONIC) - before_ns;
        if (width_ns >= least_ns)
            continue;
        least_ns = width_ns;
        best = (struct osc_time){before_ns + width_ns / 2, realtime_ns};
    }
    return best;
}

static bool send_packet(void *context, const struct osc_sender *to, const void *packet,
                        size_t bytes)
{
    struct osc_server *server = context;

    if (!to->stream)
        return osc_socket_send(&server->doors, to, packet, bytes);
    struct osc_stream *stream = server->stream[to->stream - 1];
    return !stream || osc_stream_send(stream, packet, bytes);
}

// Connections

static void drop(struct osc_server *server, unsigned slot)
{
    osc_session_gone(server->session, &server->stream[slot]->sender);
    osc_stream_destroy(server->stream[slot]);
    server->stream[slot] = NULL;
    server->next_ns = 0; // its release may still have to be played
}

/// A free slot, that of a connection long silent if need be, or STREAMS_MAX.
static unsigned find_slot(struct osc_server *server, uint64_t now_ns)
{
    unsigned quietest = 0;

    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        if (!server->stream[i])
            return i;
        if (server->stream[i]->heard_ns < server->stream[quietest]->heard_ns)
            quietest = i;
    }
    if (now_ns - server->stream[quietest]->heard_ns < STALE_NS)
        return STREAMS_MAX;
    drop(server, quietest);
    return quietest;
}

static void accept_stream(struct osc_server *server, int tcp)
{
    const uint64_t now_ns = read_clock(CLOCK_MONOTONIC);
    struct osc_sender sender;
    const int socket = osc_socket_accept(tcp, &sender);

    if (socket < 0) {
        server->accept_ns = socket == -EAGAIN ? 0 : now_ns + ACCEPT_REST_NS;
        return;
    }
    const unsigned slot = find_slot(server, now_ns);
    if (slot == STREAMS_MAX) {
        close(socket);
        return;
    }
    sender.stream = (uint16_t)(slot + 1);
    server->stream[slot] = osc_stream_create(socket, &sender, now_ns);
}

/// Takes in all whole packets of a connection. Returns a negative errno when it is to end.
static int serve_stream(struct osc_server *server, struct osc_stream *stream, bool has_input)
{
    int result = has_input ? osc_stream_read(stream, read_clock(CLOCK_MONOTONIC)) : 0;

    while (result == 0 && (result = osc_stream_next(stream)) > 0) {
        osc_session_receive(server->session, read_time(), &stream->sender, stream->frame.packet,
                            stream->frame.used);
        result = 0;
    }
    return result;
}

static void flush_streams(struct osc_server *server, uint64_t now_ns)
{
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        if (server->stream[i] && osc_stream_flush(server->stream[i], now_ns) != 0)
            drop(server, i);
}

// Datagrams

static void receive_datagrams(struct osc_server *server, int udp)
{
    struct osc_sender sender;

    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
        const ssize_t bytes =
            osc_socket_receive(udp, server->packet, sizeof server->packet, &sender);
        if (bytes < 0)
            return;
        osc_session_receive(server->session, read_time(), &sender, server->packet, (size_t)bytes);
    }
}

// The loop

static nfds_t list_polled(const struct osc_server *server, struct pollfd polled[POLLED_MAX],
                          uint64_t now_ns)
{
    const short accepts = now_ns >= server->accept_ns ? POLLIN : 0;
    nfds_t count = 0;

    polled[count++] = (struct pollfd){.fd = server->wake, .events = POLLIN};
    for (unsigned i = 0; i < server->doors.count; i++) {
        polled[count++] = (struct pollfd){.fd = server->doors.door[i].udp, .events = POLLIN};
        polled[count++] = (struct pollfd){.fd = server->doors.door[i].tcp, .events = accepts};
    }
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        const struct osc_stream *stream = server->stream[i];
        short events = 0;
        if (stream && osc_stream_wants_input(stream))
            events |= POLLIN;
        if (stream && osc_stream_wants_output(stream))
            events |= POLLOUT;
        polled[count++] = (struct pollfd){.fd = stream ? stream->socket : -1, .events = events};
    }
    return count;
}

/// How long nothing will have to be done unless something comes.
static uint64_t idle_ns(const struct osc_server *server, uint64_t now_ns)
{
    uint64_t until_ns = server->next_ns;

    if (server->accept_ns > now_ns && server->accept_ns < until_ns)
        until_ns = server->accept_ns;
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        const struct osc_stream *stream = server->stream[i];
        if (stream && osc_stream_has_input(stream))
            return 0;
        if (stream && osc_stream_wants_output(stream) &&
            stream->progress_ns + OSC_STREAM_STUCK_NS < until_ns)
            until_ns = stream->progress_ns + OSC_STREAM_STUCK_NS;
    }
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

static int await(const struct osc_server *server, struct pollfd *polled, nfds_t count,
                 int timeout_ms, uint64_t now_ns)
{
    uint64_t wait_ns = idle_ns(server, now_ns);

    if (timeout_ms >= 0 && (uint64_t)timeout_ms * 1000000 < wait_ns)
        wait_ns = (uint64_t)timeout_ms * 1000000;
    const struct timespec timeout = {(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};
    return ppoll(polled, count, &timeout, NULL);
}

static void serve(struct osc_server *server, const struct pollfd *polled)
{
    uint64_t wakes;

    if (polled->revents && read(server->wake, &wakes, sizeof wakes) < 0)
        return;
    polled++;
    for (unsigned i = 0; i < server->doors.count; i++, polled += 2) {
        if (polled[0].revents)
            receive_datagrams(server, polled[0].fd);
        if (polled[1].revents)
            accept_stream(server, polled[1].fd);
    }
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        struct osc_stream *stream = server->stream[i];
        if (!stream || stream->socket != polled[i].fd)
            continue; // accepted in this turn
        const bool has_input = polled[i].revents & (POLLIN | POLLHUP | POLLERR);
        if (serve_stream(server, stream, has_input) < 0)
            drop(server, i);
    }
}

static void publish(struct osc_server *server)
{
    struct osc_counts counts;

    osc_session_read_counts(server->session, &counts);
    atomic_store_explicit(&server->packets, counts.packets, memory_order_relaxed);
    atomic_store_explicit(&server->dropped, counts.dropped, memory_order_relaxed);
    atomic_store_explicit(&server->errors, counts.errors, memory_order_relaxed);
    atomic_store_explicit(&server->subscribers, osc_session_subscribers(server->session),
                          memory_order_relaxed);
}

int osc_server_run(struct osc_server *server, int timeout_ms)
{
    struct pollfd polled[POLLED_MAX];
    const uint64_t now_ns = read_clock(CLOCK_MONOTONIC);
    const nfds_t count = list_polled(server, polled, now_ns);
    const int ready = await(server, polled, count, timeout_ms, now_ns);

    if (ready < 0 && errno != EINTR)
        return -errno;
    if (ready >= 0)
        serve(server, polled);
    const struct osc_time now = read_time();
    server->next_ns = osc_session_turn(server->session, now);
    flush_streams(server, now.monotonic_ns);
    publish(server);
    return 0;
}

void osc_server_wake(struct osc_server *server)
{
    const uint64_t one = 1;
    // A counter that is full wakes all the same.
    const ssize_t written = write(server->wake, &one, sizeof one);
    (void)written;
}

// Life

struct osc_server *osc_server_create(const struct osc_settings *settings,
                                     const struct osc_host *host)
{
    struct osc_settings actual = *settings;
    struct osc_server *server = calloc(1, sizeof *server);
    int error = -ENOMEM;

    if (!server)
        goto fail;
    error = osc_doors_open(&server->doors, settings->access, settings->port);
    if (error != 0)
        goto fail_server;
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    error = -errno;
    if (server->wake < 0)
        goto fail_doors;
    actual.port = server->doors.port;
    const struct osc_output output = {server, send_packet};
    server->session = osc_session_create(&actual, host, &output);
    error = -ENOMEM;
    if (server->session)
        return server;
    close(server->wake);
fail_doors:
    osc_doors_close(&server->doors);
fail_server:
    free(server);
fail:
    errno = -error;
    return NULL;
}

void osc_server_destroy(struct osc_server *server)
{
    if (!server)
        return;
    osc_session_destroy(server->session);
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        osc_stream_destroy(server->stream[i]);
    close(server->wake);
    osc_doors_close(&server->doors);
    free(server);
}

uint16_t osc_server_port(const struct osc_server *server) { return server->doors.port; }

unsigned osc_server_subscribers(const struct osc_server *server)
{
    return atomic_load_explicit(&server->subscribers, memory_order_relaxed);
}

void osc_server_read_counts(const struct osc_server *server, struct osc_counts *counts)
{
    counts->packets = atomic_load_explicit(&server->packets, memory_order_relaxed);
    counts->dropped = atomic_load_explicit(&server->dropped, memory_order_relaxed);
    counts->errors = atomic_load_explicit(&server->errors, memory_order_relaxed);
}
