/// Who plays: the port through which the MIDI readers announce what was plugged in and pulled.
///
/// The daemon implements it; each source has a number by which the engine knows the owner of a
/// note. Thread: the readers' own (main for JACK, the reader's thread for the sequencer), so both
/// calls must be safe on any thread but the audio thread.
#ifndef CONSORT_BOARD_SOURCES_H
#define CONSORT_BOARD_SOURCES_H

#include <stdbool.h>

struct sources {
    /// A source of this name appeared: a keyboard that was plugged in, or an input of ours that
    /// others may play on. Returns its number 1..SOURCES_MAX-1, or -ENOSPC.
    int (*open)(void *data, const char *name, bool is_keyboard);
    /// The source is gone and its EVENT_RELEASE is on its way: the number may be given again.
    void (*close)(void *data, int source);
    void *data;
};

#endif
