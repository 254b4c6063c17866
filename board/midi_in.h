/// Messages of keyboards onto the engine: stamped with frames, kept in order, and never leaving a
/// note behind.
///
/// Knows no ALSA and no JACK. Owner and thread: the sequencer reader.
#ifndef CONSORT_BOARD_MIDI_IN_H
#define CONSORT_BOARD_MIDI_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/clock.h"
#include "dsp/engine/engine.h"
#include "dsp/engine/midi.h"

/// Where the messages of all keyboards go.
struct midi_in {
    struct engine *engine; ///< NULL: nowhere
    int ring;
    const struct clock *clock;
    bool is_soon;        ///< as soon as possible; else exactly one period after arrival
    uint64_t last_frame; ///< of the latest event: the next one is never before it
    uint32_t lost;       ///< messages: malformed, without room, while no audio ran
    struct event events[MIDI_EVENTS_MAX];
};

/// One keyboard: its number, and whether a message of it was lost, so that notes may hang.
struct keyboard {
    uint16_t source;
    bool must_release;
};

/// The frame at which a message that arrived at `arrival_ns` (CLOCK_MONOTONIC) sounds.
uint64_t midi_in_stamp(const struct midi_in *in, int64_t arrival_ns);

/// Plays one whole message. While no audio runs it is lost, and what the keyboard held is released
/// first thing afterwards.
void midi_in_play(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns,
                  const uint8_t *bytes, size_t count);

/// Ends all that the keyboard holds. Returns false when there is no room yet: try again.
bool midi_in_release(struct midi_in *in, struct keyboard *keyboard, int64_t arrival_ns);

#endif
