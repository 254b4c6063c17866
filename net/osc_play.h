/// Messages that play: "/ch/N/note", "cc", "bend", "pressure" and "keypressure" become events.
///
/// Pure. Thread: any.
#ifndef CONSORT_NET_OSC_PLAY_H
#define CONSORT_NET_OSC_PLAY_H

#include <stdint.h>

#include "dsp/engine/event.h"
#include "net/osc_message.h"
#include "net/osc_param.h"

enum { OSC_DURATION_MAX_MS = 30000 };

/// The method after the last slash of an address: its number, or -ENOENT.
int osc_play_find(const char *name);

/// The name of a method, or NULL beyond the last.
const char *osc_play_name(int method);

/// Reads the arguments of a method into an event for part 1..16; its source and frame are left 0.
/// `duration_ms` is the time after which a note ends, 0 when it does not end by itself. Returns
/// 0, or -EINVAL and why in `reason`.
int osc_play_read(int method, unsigned part, const struct osc_message *message, struct event *event,
                  uint32_t *duration_ms, char reason[OSC_REASON_MAX]);

#endif
