/// The box on the network: the thread on which OSC is served, and what it may do to the box.
///
/// Owner: the daemon. Thread: main, but for `remote_wake` (any).
#ifndef CONSORT_FIRMWARE_REMOTE_H
#define CONSORT_FIRMWARE_REMOTE_H

#include <stdint.h>

#include "board/clock.h"
#include "firmware/control.h"
#include "firmware/registry.h"

struct remote;

/// Opens the sockets that the store asks for and starts the thread. Returns NULL with errno.
struct remote *remote_create(struct control *control, struct registry *registry,
                             const struct clock *clock);

/// Ends the clients' notes and the thread. NULL is welcome.
void remote_destroy(struct remote *remote);

/// Values have changed: subscribers are told.
void remote_wake(struct remote *remote);

/// The port in use, 0 when access is off.
uint16_t remote_port(const struct remote *remote);

#endif
