/// The inside of the JACK client, shared by the three files that speak to libjack: `jack.c` opens
/// and closes it, `jack_process.c` is its callback, `jack_wiring.c` its connections.
///
/// Nobody else includes this. JACK's headers come before it.
#ifndef CONSORT_BOARD_JACK_INSIDE_H
#define CONSORT_BOARD_JACK_INSIDE_H

#include <stdatomic.h>

#include "board/audio.h"
#include "board/load_meter.h"
#include "board/pattern.h"
#include "dsp/engine/midi.h"

enum {
    INPUTS = 17, // the open one, and one for each of 16 sources
    OPEN_INPUT = 0,
    NAME_BYTES = 320,
};

/// A MIDI input. The main thread makes and frees it, the audio thread reads it in between.
enum input_state {
    INPUT_FREE,      ///< the main thread's
    INPUT_PLAYING,   ///< the audio thread's
    INPUT_RELEASING, ///< the audio thread's, which lets its notes go
    INPUT_RELEASED,  ///< the main thread's again
};

struct input {
    _Atomic int state;
    atomic_bool must_release; ///< notes may hang: release before anything else
    jack_port_t *port;
    uint16_t source;
    int connections;         ///< when last seen
    char origin[NAME_BYTES]; ///< the port it is connected to
    // Of the audio thread, within one callback.
    void *buffer;
    uint32_t next, count;
};

struct wiring {
    struct pattern outputs, connect, ignore;
    bool skips_sequencer;
};

struct audio {
    jack_client_t *client;
    jack_port_t *out[2];
    struct input inputs[INPUTS];
    struct wiring wiring;
    struct sources sources;
    struct clock *clock;
    struct recorder *recorder;
    int wake;        ///< eventfd
    int looks;       ///< at the connections, still to be taken
    int64_t look_ns; ///< not before
    double rate_hz;
    bool is_active;
    // The audio thread's, while active.
    struct engine *engine;
    int ring;
    uint32_t max_frames;
    uint64_t frame; ///< of the engine, at the start of this period
    jack_nframes_t jack_frame;
    struct dll dll;
    struct load_meter meter;
    struct event events[MIDI_EVENTS_MAX];
    // Shared.
    atomic_bool is_lost, is_dirty, has_gap;
    atomic_uint xruns, period_frames, lost_events;
    _Atomic uint64_t callbacks;
    _Atomic float load;
    _Atomic uint32_t engine_latency_frames;
};

/// The callback of the client. Thread: audio.
RT int jack_process_period(uint32_t frames, void *audio);

/// Tells the engine that whatever this input holds is over. Thread: audio, or main while the audio
/// thread does not run. Returns false when the ring is full. RT safe.
RT bool jack_process_release(struct audio *audio, const struct input *input);

/// Compiles the patterns. Returns 0, or -EINVAL with the reason in `error` and nothing to finish.
int jack_wiring_init(struct wiring *wiring, const struct audio_wiring *wanted, char *error,
                     size_t bytes);
void jack_wiring_finish(struct wiring *wiring);

/// Asks for a look at the connections at the next `audio_service`. Thread: any but the audio
/// thread.
void jack_wiring_mark(struct audio *audio);

/// Opens the input that anyone may connect to. Returns 0 or negative errno.
int jack_wiring_open(struct audio *audio);

/// Releases and frees every input, while the audio thread does not run.
void jack_wiring_close(struct audio *audio);

#endif
