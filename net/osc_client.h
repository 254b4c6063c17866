/// The other end, for tools: asks a box over UDP and waits for its answer.
///
/// Owner: the tool. Thread: any one. The calls that ask wait up to a second, and repeat the
/// question meanwhile.
#ifndef CONSORT_NET_OSC_CLIENT_H
#define CONSORT_NET_OSC_CLIENT_H

#include <signal.h>
#include <stdint.h>

#include "net/osc_message.h"

struct osc_client;

/// Told of each message that the box sends in answer, "/error" too.
typedef void osc_client_hear(void *context, const struct osc_message *message);

/// Returns NULL with errno; ENOENT when there is no such host.
struct osc_client *osc_client_create(const char *host, uint16_t port);
void osc_client_destroy(struct osc_client *client);

/// Asks for a value, or for those that a pattern means. Returns 0, -EREMOTEIO when the box answers
/// with an error, -ETIMEDOUT when it does not answer, -ECONNREFUSED when nothing listens there.
int osc_client_get(struct osc_client *client, const char *address, osc_client_hear *hear,
                   void *context);

/// Sets a value and asks for it again: `hear` gets the error, if there is one, and the value that
/// the box has now. Returns as `osc_client_get`.
int osc_client_set(struct osc_client *client, const char *address, const struct osc_argument *value,
                   osc_client_hear *hear, void *context);

/// Ends every note, and waits until the box says that it has heard. Returns as `osc_client_get`.
int osc_client_panic(struct osc_client *client);

/// Subscribes, and tells every value and every change, until `*stop` is set. Returns 0, or
/// -ETIMEDOUT or -ECONNREFUSED when the box does not answer, or no longer.
int osc_client_watch(struct osc_client *client, osc_client_hear *hear, void *context,
                     const volatile sig_atomic_t *stop);

#endif
