/// The answers to one packet, or a part of a dump: one datagram, filled message by message.
///
/// Owner: the caller, on the stack. Thread: any.
#ifndef CONSORT_NET_OSC_REPLY_H
#define CONSORT_NET_OSC_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/osc_message.h"

enum { OSC_REPLY_MAX = 1400 }; ///< bytes that pass any network in one piece

struct osc_reply {
    uint8_t bundle[OSC_REPLY_MAX];
    size_t used;
    unsigned count; ///< messages
};

void osc_reply_start(struct osc_reply *reply);

/// Adds a message. Returns false, and adds nothing, when it would leave less than `spare` bytes.
bool osc_reply_add(struct osc_reply *reply, size_t spare, const char *address,
                   const struct osc_argument *arguments, unsigned count);

/// What is to be sent: nothing, the one message, or a bundle of all. Points into the reply.
const void *osc_reply_bytes(const struct osc_reply *reply, size_t *bytes);

#endif
