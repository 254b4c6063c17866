/// The OSC protocol: (time, sender, packet) in; calls to the host and packets out.
///
/// Owner: the server. Thread: net. Opens no socket and reads no clock, so that tests and the
/// fuzzer run it in time of their own.
#ifndef CONSORT_NET_OSC_SESSION_H
#define CONSORT_NET_OSC_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "net/osc.h"
#include "net/osc_feed.h"
#include "net/osc_sender.h"

/// One moment on two clocks.
struct osc_time {
    uint64_t monotonic_ns; ///< CLOCK_MONOTONIC
    uint64_t realtime_ns;  ///< CLOCK_REALTIME, since 1970
};

struct osc_session;

/// `settings->port` is the one that "/info" tells. All three are copied. Returns NULL with errno
/// ENOMEM.
struct osc_session *osc_session_create(const struct osc_settings *settings,
                                       const struct osc_host *host,
                                       const struct osc_output *output);

/// Plays the releases of all guests, as far as the host takes them, and closes their sources.
void osc_session_destroy(struct osc_session *session);

/// Takes in a packet of any content.
void osc_session_receive(struct osc_session *session, struct osc_time now,
                         const struct osc_sender *sender, const void *packet, size_t bytes);

/// Does what is due: events, releases, leases, dumps, changes. Returns the CLOCK_MONOTONIC time at
/// which there will be something to do again, UINT64_MAX when nothing waits.
uint64_t osc_session_turn(struct osc_session *session, struct osc_time now);

/// A sender's TCP connection has ended.
void osc_session_gone(struct osc_session *session, const struct osc_sender *sender);

/// Guests that subscribe now.
unsigned osc_session_subscribers(const struct osc_session *session);

void osc_session_read_counts(const struct osc_session *session, struct osc_counts *counts);

#endif
