/// Control by Open Sound Control, over UDP and TCP. `net/PROTOCOL.md` lists the addresses.
///
/// Owner: the roof, one server per box. Thread: the one that calls `osc_server_run`, called the
/// net thread; create and destroy while it does not run; `osc_server_wake` and the counts any
/// thread. The server knows the parameter table and nothing of the box behind it: all it does to
/// the box goes through `struct osc_host`.
#ifndef CONSORT_NET_OSC_H
#define CONSORT_NET_OSC_H

#include <stdint.h>

#include "config/param.h"
#include "dsp/engine/event.h"

/// The box as its controllers see it. Called on the net thread only; no call may wait.
struct osc_host {
    void *context;

    /// The value of a flat index below PARAM_COUNT. Returns 0.
    int (*get)(void *context, unsigned index, struct param_value *value);

    /// Sets a parameter at `frame` (EVENT_NOW: at once). Returns 0, -ERANGE, -EINVAL, -EACCES for
    /// STATE rows, or -EAGAIN when there is no room just now.
    int (*set)(void *context, unsigned index, const struct param_value *value, uint64_t frame);

    /// A number that differs after each change of the value.
    uint64_t (*changed)(void *context, unsigned index);

    /// Plays EVENT_PART_*, EVENT_RELEASE or EVENT_PANIC. Returns 0, or -EAGAIN when there is no
    /// room just now: the event is then offered again.
    int (*play)(void *context, const struct event *event);

    /// The engine frame that sounds at a CLOCK_MONOTONIC time, EVENT_NOW when unknown.
    uint64_t (*frame_at)(void *context, uint64_t monotonic_ns);

    /// A source for one more player, 1..SOURCES_MAX-1, or -ENOSPC.
    int (*open_source)(void *context, const char *name);

    /// Gives it back, after its EVENT_RELEASE was played.
    void (*close_source)(void *context, int source);
};

/// Who may connect; the places of the choices of PARAM_OSC_ACCESS.
enum osc_access { OSC_ACCESS_OFF, OSC_ACCESS_LOOPBACK, OSC_ACCESS_OPEN };

/// What is taken at start. The rate and the lease of subscriptions are read from the host, from
/// PARAM_OSC_RATE and PARAM_OSC_LEASE, whenever they are needed.
struct osc_settings {
    enum osc_access access; ///< OFF opens no socket; the server then only waits
    uint16_t port;          ///< UDP and TCP; 0 takes one that is free for both
    const char *version;    ///< answered to "/info"
};

struct osc_counts {
    uint64_t packets; ///< that came
    uint64_t dropped; ///< of them: beyond the rate allowed to one sender
    uint64_t errors;  ///< of them: refused in whole or in part
};

struct osc_server;

/// Opens the sockets. Returns NULL with errno: EADDRINUSE, EACCES (port), EINVAL, ENOMEM, ...
struct osc_server *osc_server_create(const struct osc_settings *settings,
                                     const struct osc_host *host);

/// Ends all notes that clients hold, closes their sources and sockets. NULL is welcome.
void osc_server_destroy(struct osc_server *server);

/// One turn: waits up to `timeout_ms` (-1: for ever) for something to do and does it. Returns 0
/// or a negative errno of poll(2).
int osc_server_run(struct osc_server *server, int timeout_ms);

/// Makes `osc_server_run` turn: a value has changed, or the thread shall end. Never waits; safe in
/// a signal handler.
void osc_server_wake(struct osc_server *server);

/// The port in use, 0 when access is off.
uint16_t osc_server_port(const struct osc_server *server);

/// Subscribers now.
unsigned osc_server_subscribers(const struct osc_server *server);

/// Counts since start.
void osc_server_read_counts(const struct osc_server *server, struct osc_counts *counts);

#endif
