/// One packet and what is answered to it; the state of the session that both need.
///
/// Owner: the session. Thread: net. Inside the OSC core only.
#ifndef CONSORT_NET_OSC_EXCHANGE_H
#define CONSORT_NET_OSC_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/osc_limit.h"
#include "net/osc_reply.h"
#include "net/osc_session.h"
#include "net/osc_stage.h"

/// What lasts from packet to packet.
struct osc_session {
    struct osc_settings settings;
    struct osc_host host;
    struct osc_output output;
    struct osc_limit packets, errors;
    uint64_t hints; ///< bucket of all senders together for "the nearest is"
    struct osc_counts counts;
    uint64_t now_ns; ///< of the turn under way
    struct osc_stage stage;
};

struct osc_exchange {
    struct osc_session *session;
    const struct osc_sender *sender;
    struct osc_time now;
    bool is_refused; ///< something of the packet was
    bool is_cut;     ///< an answer found no room
    struct osc_reply reply;
};

void osc_exchange_begin(struct osc_exchange *exchange, struct osc_session *session,
                        const struct osc_sender *sender, struct osc_time now);

/// Adds an answer. What does not fit is left out, and an error says so at the end.
void osc_exchange_answer(struct osc_exchange *exchange, const char *address,
                         const struct osc_argument *arguments, unsigned count);

/// Adds "/error" with the address and the reason, unless the sender has had too many.
void osc_exchange_refuse(struct osc_exchange *exchange, const char *address, const char *reason);

/// Takes the right to a search for the nearest spelling, which is the dearest of all answers.
bool osc_exchange_may_hint(struct osc_exchange *exchange);

/// Takes tokens from the sender's bucket of packets. Returns false when it is empty.
bool osc_exchange_charge(struct osc_exchange *exchange, unsigned tokens);

/// Sends what was gathered, as one datagram.
void osc_exchange_end(struct osc_exchange *exchange);

#endif
