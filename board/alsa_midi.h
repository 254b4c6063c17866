/// USB-MIDI keyboards by way of the ALSA sequencer: each port that matches is connected when it
/// appears, is a source of its own while it is there, and is released when it goes.
///
/// A real-time thread stamps each message on arrival. `steady` timing plays it exactly one period
/// later, which is the least delay that can be the same for all: the rhythm stays as played. `soon`
/// plays it at the start of the next period. Owner: the daemon. Thread: main; the reader's own
/// thread calls the `sources`.
#ifndef CONSORT_BOARD_ALSA_MIDI_H
#define CONSORT_BOARD_ALSA_MIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/clock.h"
#include "board/sources.h"
#include "dsp/engine/engine.h"

struct alsa_midi;

/// Patterns as in `board/pattern.h`, copied; a port is known as "Client:Port". An empty `connect`
/// matches all, an empty `ignore` none.
struct alsa_midi_wiring {
    const char *connect;
    const char *ignore;
    bool is_soon; ///< timing
};

struct alsa_midi_settings {
    const char *client; ///< name of the sequencer client
    int priority;       ///< SCHED_FIFO of the reader, 0 for none
    struct alsa_midi_wiring wiring;
    struct sources sources;
    const struct clock *clock; ///< borrowed
};

/// Opens the sequencer, connects what is there, starts the reader. Returns NULL with errno: ENOENT
/// when the kernel has no sequencer, EINVAL for a pattern, with the reason in `error`.
struct alsa_midi *alsa_midi_open(const struct alsa_midi_settings *settings, char *error,
                                 size_t bytes);

/// Releases and closes every source, ends the reader. NULL is welcome.
void alsa_midi_close(struct alsa_midi *midi);

/// Plays on this engine from now on, into a ring that nobody else writes; NULL plays on none. When
/// it returns the engine before is not touched any more.
void alsa_midi_set_engine(struct alsa_midi *midi, struct engine *engine, int ring);

/// New patterns and timing. Returns 0, or -EINVAL with the reason in `error`: the old ones stay.
int alsa_midi_set_wiring(struct alsa_midi *midi, const struct alsa_midi_wiring *wiring, char *error,
                         size_t bytes);

/// Whether the reader has its real-time priority, and messages lost so far: malformed, without
/// room, or while no audio ran.
bool alsa_midi_is_realtime(const struct alsa_midi *midi);
uint32_t alsa_midi_lost(const struct alsa_midi *midi);

#endif
