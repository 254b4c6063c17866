/// From a message to what it does: get, set, play, or one of the commands.
///
/// Owner: the session. Thread: net. Inside the OSC core only.
#ifndef CONSORT_NET_OSC_ROUTE_H
#define CONSORT_NET_OSC_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "net/osc_exchange.h"

/// Does what a well-formed message asks, at once or, where it sounds, at `due_ns` (CLOCK_MONOTONIC;
/// 0: at once). Answers and errors go to the exchange.
void osc_route_message(struct osc_exchange *exchange, uint64_t due_ns, const void *data,
                       size_t bytes);

#endif
