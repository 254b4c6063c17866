/// Is this an OSC packet? Checked in whole before anything of it is believed.
///
/// Pure and bounded. Thread: any. A packet that passes holds only messages with a printable
/// address of at most OSC_ADDRESS_MAX - 1 bytes, at most OSC_ARGUMENTS_MAX arguments of known
/// types, each inside the packet, each string ended and padded with zeros.
#ifndef CONSORT_NET_OSC_CHECK_H
#define CONSORT_NET_OSC_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OSC_ADDRESS_MAX = 256,  ///< bytes of an address, its zero included
    OSC_ARGUMENTS_MAX = 32, ///< arguments of one message
    OSC_DEPTH_MAX = 4,      ///< bundles within bundles, the outermost counted
    OSC_PACKET_MAX = 65536, ///< bytes of a packet
};

#define OSC_IMMEDIATELY UINT64_C(1) ///< the timetag that means "now"

/// Why a packet is refused.
struct osc_fault {
    size_t at; ///< byte of the packet
    const char *reason;
};

/// Whether the packet is well formed; if not, `fault` tells why.
bool osc_check_packet(const void *packet, size_t bytes, struct osc_fault *fault);

/// One message of a packet, with the timetag of the bundle around it.
typedef void osc_visit(void *context, uint64_t timetag, const void *message, size_t bytes);

/// Calls `visit` for each message of a packet that `osc_check_packet` accepted, in their order.
void osc_visit_packet(const void *packet, size_t bytes, osc_visit *visit, void *context);

#endif
