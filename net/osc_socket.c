#define _GNU_SOURCE // accept4
#include "net/osc_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 8, FREE_PORT_TRIES = 16 };

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void to_sender(const union address *address, struct osc_sender *sender)
{
    memset(sender, 0, sizeof *sender);
    if (address->any.sa_family == AF_INET) {
        memcpy(sender->address, mapped, sizeof mapped);
        memcpy(sender->address + sizeof mapped, &address->ipv4.sin_addr, 4);
        sender->port = ntohs(address->ipv4.sin_port);
    } else {
        memcpy(sender->address, &address->ipv6.sin6_addr, 16);
        sender->port = ntohs(address->ipv6.sin6_port);
        sender->scope = address->ipv6.sin6_scope_id;
    }
}

static socklen_t from_sender(const struct osc_sender *sender, int family, union address *address)
{
    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        memcpy(&address->ipv4.sin_addr, sender->address + sizeof mapped, 4);
        address->ipv4.sin_port = htons(sender->port);
        return sizeof address->ipv4;
    }
    memcpy(&address->ipv6.sin6_addr, sender->address, 16);
    address->ipv6.sin6_port = htons(sender->port);
    address->ipv6.sin6_scope_id = sender->scope;
    return sizeof address->ipv6;
}

// Doors

static void close_socket(int socket)
{
    if (socket >= 0)
        close(socket);
}

/// Binds to the wildcard or the loopback address. Returns a socket or a negative errno.
static int open_socket(int family, int type, bool is_loopback, bool is_dual, uint16_t port)
{
    union address address = {0};
    const int on = 1, only_ipv6 = !is_dual;
    struct osc_sender self = {.port = port};

    if (family == AF_INET && is_loopback)
        self.address[12] = 127;
    if (is_loopback)
        self.address[15] = 1;
    const socklen_t bytes = from_sender(&self, family, &address);
    const int opened = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return -errno;
    if (family == AF_INET6)
        setsockopt(opened, IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
    if (type == SOCK_STREAM)
        setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(opened, &address.any, bytes) == 0 &&
        (type != SOCK_STREAM || listen(opened, BACKLOG) == 0))
        return opened;
    const int error = errno;
    close(opened);
    return -error;
}

static int port_of(int socket)
{
    union address address = {0};
    socklen_t bytes = sizeof address;
    struct osc_sender self;

    if (getsockname(socket, &address.any, &bytes) != 0)
        return -errno;
    to_sender(&address, &self);
    return self.port;
}

/// Opens one door on `doors->port`, which it sets when it is 0. Returns 0 or a negative errno.
static int open_door(struct osc_doors *doors, int family, bool is_loopback, bool is_dual)
{
    struct osc_door *door = &doors->door[doors->count];
    int error;

    *door = (struct osc_door){.family = family, .tcp = -1};
    door->udp = open_socket(family, SOCK_DGRAM, is_loopback, is_dual, doors->port);
    if (door->udp < 0)
        return door->udp;
    error = port_of(door->udp);
    if (error < 0)
        goto fail;
    door->tcp = open_socket(family, SOCK_STREAM, is_loopback, is_dual, (uint16_t)error);
    if (door->tcp < 0) {
        error = door->tcp;
        goto fail;
    }
    doors->port = (uint16_t)error;
    doors->count++;
    return 0;
fail:
    close_socket(door->udp);
    return error;
}

/// Whether an error tells that the machine has no such network, and not that the port is taken.
static bool is_absent(int error)
{
    return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL || error == -EPROTONOSUPPORT;
}

static int open_all(struct osc_doors *doors, enum osc_access access, uint16_t port)
{
    *doors = (struct osc_doors){.port = port};
    if (access == OSC_ACCESS_OPEN) {
        const int error = open_door(doors, AF_INET6, false, true);
        return is_absent(error) ? open_door(doors, AF_INET, false, false) : error;
    }
    int error = open_door(doors, AF_INET, true, false);
    if (error == 0)
        error = open_door(doors, AF_INET6, true, false);
    return doors->count && is_absent(error) ? 0 : error;
}

int osc_doors_open(struct osc_doors *doors, enum osc_access access, uint16_t port)
{
    int error = 0;

    *doors = (struct osc_doors){0};
    if (access == OSC_ACCESS_OFF)
        return 0;
    // A port that is free for one socket may be taken for the next: then try another.
    for (int i = 0; i < (port ? 1 : FREE_PORT_TRIES); i++) {
        error = open_all(doors, access, port);
        if (error == 0)
            return 0;
        osc_doors_close(doors);
        if (error != -EADDRINUSE)
            break;
    }
    return error;
}

void osc_doors_close(struct osc_doors *doors)
{
    for (unsigned i = 0; i < doors->count; i++) {
        close_socket(doors->door[i].udp);
        close_socket(doors->door[i].tcp);
    }
    *doors = (struct osc_doors){0};
}

// Datagrams

ssize_t osc_socket_receive(int udp, void *packet, size_t room, struct osc_sender *sender)
{
    union address address = {0};
    socklen_t bytes = sizeof address;
    const ssize_t received = recvfrom(udp, packet, room, 0, &address.any, &bytes);

    if (received < 0)
        return -errno;
    to_sender(&address, sender);
    return received;
}

bool osc_socket_send(const struct osc_doors *doors, const struct osc_sender *to, const void *packet,
                     size_t bytes)
{
    const bool is_ipv4 = memcmp(to->address, mapped, sizeof mapped) == 0;

    for (unsigned i = 0; i < doors->count; i++) {
        const struct osc_door *door = &doors->door[i];
        union address address;
        if (doors->count > 1 && is_ipv4 != (door->family == AF_INET))
            continue;
        const socklen_t length = from_sender(to, door->family, &address);
        return sendto(door->udp, packet, bytes, 0, &address.any, length) >= 0 ||
               (errno != EAGAIN && errno != ENOBUFS);
    }
    return true;
}

// Streams

int osc_socket_accept(int tcp, struct osc_sender *sender)
{
    union address address = {0};
    socklen_t bytes = sizeof address;
    const int on = 1;
    const int stream = accept4(tcp, &address.any, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (stream < 0)
        return -errno;
    setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(stream, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    to_sender(&address, sender);
    return stream;
}

ssize_t osc_socket_read(int stream, void *bytes, size_t room)
{
    const ssize_t count = recv(stream, bytes, room, 0);
    return count < 0 ? -errno : count;
}

ssize_t osc_socket_write(int stream, const void *bytes, size_t count)
{
    const ssize_t written = send(stream, bytes, count, MSG_NOSIGNAL);
    return written < 0 ? -errno : written;
}

// Tools

int osc_socket_connect(const char *host, uint16_t port)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int connected = -ENOENT;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &wanted, &found) != 0)
        return -ENOENT;
    for (struct addrinfo *one = found; one && connected < 0; one = one->ai_next) {
        connected = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (connected >= 0 && connect(connected, one->ai_addr, one->ai_addrlen) == 0)
            break;
        const int error = errno;
        close_socket(connected);
        connected = -error;
    }
    freeaddrinfo(found);
    return connected;
}
