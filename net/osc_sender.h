/// Who sent a packet: an address and a port, or a TCP connection.
///
/// Plain data without gaps, compared byte for byte. Thread: any.
#ifndef CONSORT_NET_OSC_SENDER_H
#define CONSORT_NET_OSC_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct osc_sender {
    uint8_t address[16]; ///< IPv6; IPv4 as ::ffff:a.b.c.d
    uint32_t scope;      ///< interface of a link-local address, else 0
    uint16_t port;
    uint16_t stream; ///< 0 for UDP, else the number of the TCP connection
};

enum { OSC_SENDER_NAME_MAX = 64 };

bool osc_sender_is_same(const struct osc_sender *a, const struct osc_sender *b);

/// "osc 192.168.1.7:4711", "osc [fe80::1]:4711", with "tcp" for "osc" over TCP.
void osc_sender_name(const struct osc_sender *sender, char name[OSC_SENDER_NAME_MAX]);

/// Spreads senders over all 32-bit numbers.
uint32_t osc_sender_hash(const struct osc_sender *sender);

#endif
