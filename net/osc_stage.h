/// The way from the net thread onto the stage: guests' notes and timed settings reach the host in
/// order, at their time, and no note is left behind when something fails.
///
/// Owner: the session. Thread: net.
#ifndef CONSORT_NET_OSC_STAGE_H
#define CONSORT_NET_OSC_STAGE_H

#include <stdint.h>

#include "net/osc.h"
#include "net/osc_guest.h"
#include "net/osc_queue.h"

struct osc_stage {
    const struct osc_host *host;
    struct osc_guests guests;
    struct osc_queue queue;
    /// Told of a setting that failed when its time came.
    void (*refused)(void *context, const struct osc_due *due, int error);
    void *context;
};

/// The guest of a sender, seated anew if need be; the guest longest silent makes room. Returns
/// NULL when none can.
struct osc_guest *osc_stage_seat(struct osc_stage *stage, const struct osc_sender *sender,
                                 uint64_t now_ns);

/// Gives a guest a source, if it has none. Returns 0, -ENOSPC, or -EAGAIN while a release of its
/// notes waits for room.
int osc_stage_open_source(struct osc_stage *stage, struct osc_guest *guest);

/// Takes in an event or a setting, and does all that is due. Returns 0, or -EAGAIN when too much
/// waits already.
int osc_stage_push(struct osc_stage *stage, const struct osc_due *due, uint64_t now_ns);

/// Ends every note, and all that waits to sound.
void osc_stage_panic(struct osc_stage *stage, const struct osc_sender *sender, uint64_t now_ns);

/// A guest goes: what waits of it is forgotten, its notes are released, then its place is free.
void osc_stage_leave(struct osc_stage *stage, struct osc_guest *guest);

/// Does all that is due. Returns when there is more to do, UINT64_MAX when nothing waits.
uint64_t osc_stage_turn(struct osc_stage *stage, uint64_t now_ns);

#endif
