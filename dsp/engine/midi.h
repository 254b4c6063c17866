/// One MIDI message in, events out: the only place that knows what MIDI bytes mean.
///
/// Pure functions over plain data. Thread: any; RT safe.
#ifndef CONSORT_DSP_ENGINE_MIDI_H
#define CONSORT_DSP_ENGINE_MIDI_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/engine/event.h"

enum {
    MIDI_EVENTS_MAX = 160, ///< most events of one message: a tuning dump makes 128
    MIDI_BYTES_MAX = 512,  ///< no longer message means anything to us: the longest has 409
};

/// Translates one whole message: status byte first, no running status, system exclusive from F0
/// to F7. `frame`, `source` and `order` of the events are 0. Returns the number of events (0 for
/// messages that mean nothing to us: clock, start, foreign system exclusive) or -EBADMSG for a
/// malformed one: wrong length, status among data, wrong checksum. RT safe.
RT int midi_translate(const uint8_t *bytes, size_t count, struct event events[MIDI_EVENTS_MAX]);

/// Length in bytes of the channel message with this status (80..EF): 2 or 3. RT safe.
RT size_t midi_channel_message_bytes(uint8_t status);

#endif
