#include "net/osc_sender.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(struct osc_sender) == 24, "a sender has no gaps");

bool osc_sender_is_same(const struct osc_sender *a, const struct osc_sender *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

void osc_sender_name(const struct osc_sender *sender, char name[OSC_SENDER_NAME_MAX])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const bool is_ipv4 = memcmp(sender->address, mapped, sizeof mapped) == 0;
    const char *kind = sender->stream ? "tcp" : "osc";
    char address[INET6_ADDRSTRLEN] = "";

    if (is_ipv4)
        inet_ntop(AF_INET, sender->address + sizeof mapped, address, sizeof address);
    else
        inet_ntop(AF_INET6, sender->address, address, sizeof address);
    snprintf(name, OSC_SENDER_NAME_MAX, is_ipv4 ? "%s %s:%u" : "%s [%s]:%u", kind, address,
             (unsigned)sender->port);
}

/// FNV-1a.
uint32_t osc_sender_hash(const struct osc_sender *sender)
{
    const uint8_t *bytes = (const uint8_t *)sender;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof *sender; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash ^ hash >> 16;
}
