#include "net/osc_guest.h"

#include <stddef.h>
#include <string.h>

struct osc_guest *osc_guest_find(struct osc_guests *guests, const struct osc_sender *sender)
{
    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &guests->guest[i];
        if (guest->is_present && !guest->is_leaving && osc_sender_is_same(&guest->sender, sender))
            return guest;
    }
    return NULL;
}

struct osc_guest *osc_guest_seat(struct osc_guests *guests, const struct osc_sender *sender,
                                 uint64_t now_ns)
{
    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &guests->guest[i];
        if (guest->is_present)
            continue;
        memset(guest, 0, sizeof *guest);
        guest->is_present = true;
        guest->sender = *sender;
        guest->heard_ns = now_ns;
        guest->dump_next = PARAM_COUNT;
        return guest;
    }
    return NULL;
}

struct osc_guest *osc_guest_quietest(struct osc_guests *guests, uint64_t now_ns)
{
    struct osc_guest *quietest = NULL;

    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &guests->guest[i];
        if (!guest->is_present || guest->is_leaving || now_ns - guest->heard_ns < OSC_EVICT_NS)
            continue;
        if (!quietest || guest->heard_ns < quietest->heard_ns)
            quietest = guest;
    }
    return quietest;
}

struct osc_guest *osc_guest_of_source(struct osc_guests *guests, int source)
{
    for (unsigned i = 0; source && i < OSC_GUESTS_MAX; i++)
        if (guests->guest[i].is_present && guests->guest[i].source == source)
            return &guests->guest[i];
    return NULL;
}

bool osc_guest_is_idle(const struct osc_guest *guest)
{
    return !guest->source && !guest->lease_ends_ns && guest->dump_next == PARAM_COUNT;
}
