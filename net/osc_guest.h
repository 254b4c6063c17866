/// The apps that the box remembers: those that hold notes, subscribe or await a dump.
///
/// Owner: the session. Thread: net. Who only asks and sets is answered and forgotten.
#ifndef CONSORT_NET_OSC_GUEST_H
#define CONSORT_NET_OSC_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "net/osc_sender.h"

enum { OSC_GUESTS_MAX = 32 };

#define OSC_SILENCE_NS UINT64_C(30000000000) ///< after which a guest's notes are released
#define OSC_EVICT_NS UINT64_C(5000000000)    ///< silence after which a guest may lose its place

struct osc_guest {
    bool is_present;
    bool owes_release;      ///< an EVENT_RELEASE is to be played
    bool is_done_playing;   ///< its source is closed after that
    bool is_leaving;        ///< and then its place is free
    int source;             ///< 0 before it plays
    uint64_t heard_ns;      ///< its last packet
    uint64_t lease_ends_ns; ///< of its subscription, 0 for none
    unsigned dump_next;     ///< the parameter that the dump goes on with, PARAM_COUNT for none
    uint64_t feed_due_ns;   ///< nothing is sent to it before
    struct osc_sender sender;
    uint64_t seen[PARAM_COUNT];    ///< serial of the change that it was told last
    uint64_t sent_ns[PARAM_COUNT]; ///< when
};

struct osc_guests {
    struct osc_guest guest[OSC_GUESTS_MAX];
};

/// The guest of a sender that is not leaving, or NULL.
struct osc_guest *osc_guest_find(struct osc_guests *guests, const struct osc_sender *sender);

/// A free place taken for a sender, or NULL.
struct osc_guest *osc_guest_seat(struct osc_guests *guests, const struct osc_sender *sender,
                                 uint64_t now_ns);

/// The guest longest silent, for OSC_EVICT_NS at least, or NULL.
struct osc_guest *osc_guest_quietest(struct osc_guests *guests, uint64_t now_ns);

/// The guest that a source belongs to, leaving or not, or NULL.
struct osc_guest *osc_guest_of_source(struct osc_guests *guests, int source);

/// Whether nothing is left to remember of a guest.
bool osc_guest_is_idle(const struct osc_guest *guest);

#endif
