/// The sockets of OSC, the only file that speaks to the system's network.
///
/// Thread: any one per socket. No call waits, but `osc_socket_connect`, which may ask a name
/// server.
#ifndef CONSORT_NET_OSC_SOCKET_H
#define CONSORT_NET_OSC_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/osc.h"
#include "net/osc_sender.h"

enum { OSC_DOORS_MAX = 2 };

/// A UDP and a listening TCP socket on one address.
struct osc_door {
    int family; ///< AF_INET, or AF_INET6, which lets IPv4 in too unless there are two doors
    int udp, tcp;
};

struct osc_doors {
    unsigned count;
    uint16_t port;
    struct osc_door door[OSC_DOORS_MAX];
};

/// Opens the doors that `access` allows, all on one port (0: a free one). OFF opens none. Returns
/// 0 or a negative errno; -EADDRINUSE when the port is taken.
int osc_doors_open(struct osc_doors *doors, enum osc_access access, uint16_t port);
void osc_doors_close(struct osc_doors *doors);

/// A datagram that waits at a door. Returns its bytes, or -EAGAIN when there is none.
ssize_t osc_socket_receive(int udp, void *packet, size_t room, struct osc_sender *sender);

/// Sends a datagram. Returns false when there is no room just now.
bool osc_socket_send(const struct osc_doors *doors, const struct osc_sender *to, const void *packet,
                     size_t bytes);

/// A connection that waits at a door. Returns its socket, or a negative errno.
int osc_socket_accept(int tcp, struct osc_sender *sender);

/// Bytes read from or written to a connection; -EAGAIN when it must wait; reading, 0 at its end.
ssize_t osc_socket_read(int stream, void *bytes, size_t room);
ssize_t osc_socket_write(int stream, const void *bytes, size_t count);

/// A UDP socket to a host by name or address, for tools. Returns it, or a negative errno; -ENOENT
/// when there is no such host.
int osc_socket_connect(const char *host, uint16_t port);

#endif
