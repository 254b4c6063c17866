/// What a guest is told unasked: the dump of the whole state, then each change.
///
/// Owner: the session. Thread: net.
#ifndef CONSORT_NET_OSC_FEED_H
#define CONSORT_NET_OSC_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/osc.h"
#include "net/osc_guest.h"

/// Where packets go.
struct osc_output {
    void *context;
    /// Sends one packet. Returns false when there is no room just now; a packet that can never
    /// be sent counts as sent.
    bool (*send)(void *context, const struct osc_sender *to, const void *packet, size_t bytes);
};

/// Begins to send the whole state, in bundles of at most OSC_REPLY_MAX bytes, unless that is under
/// way already.
void osc_feed_dump(struct osc_guest *guest);

/// Sends what is due to a guest: a bundle of its dump, and the changes since it was told last, of
/// one address no sooner than `interval_ns` after the one before. Returns when there is more to
/// do, UINT64_MAX when nothing waits.
uint64_t osc_feed_turn(struct osc_guest *guest, const struct osc_host *host,
                       const struct osc_output *output, uint64_t now_ns, uint64_t interval_ns);

#endif
