/// What waits for its time, or for room in the box: events and settings, the earliest first, those
/// of one time in order of arrival.
///
/// Owner: the session. Thread: net. A binary heap of fixed size.
#ifndef CONSORT_NET_OSC_QUEUE_H
#define CONSORT_NET_OSC_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "dsp/engine/event.h"
#include "net/osc_sender.h"

enum { OSC_QUEUE_MAX = 1024 };

struct osc_due {
    uint64_t due_ns;   ///< when it shall sound, CLOCK_MONOTONIC; 0: at once
    uint64_t order;    ///< set by the queue
    uint64_t asked_ns; ///< when it came, or when its time was, if that is later
    struct osc_sender sender;
    bool is_setting;      ///< `index` takes `value`; else `event` is played
    bool ends_note;       ///< a note-off that belongs to the duration of a note
    uint32_t duration_ms; ///< of a note-on, 0 for none
    struct event event;
    uint16_t index;
    struct param_value value;
};

struct osc_queue {
    unsigned count;
    uint64_t order;
    struct osc_due due[OSC_QUEUE_MAX];
};

/// Copies one in. Returns false when the queue is full.
bool osc_queue_push(struct osc_queue *queue, const struct osc_due *due);

/// The earliest, or NULL. Valid until the queue changes.
const struct osc_due *osc_queue_first(const struct osc_queue *queue);
void osc_queue_pop(struct osc_queue *queue);

/// Removes all that match.
void osc_queue_remove(struct osc_queue *queue,
                      bool (*is_match)(const struct osc_due *due, const void *context),
                      const void *context);

#endif
