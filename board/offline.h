/// The offline twin of the audio server: runs the engine in virtual time, as fast as it can.
///
/// Same engine, same call as in the JACK callback, so the same sound. Owner: the caller. Thread:
/// the caller's, which is the engine's audio thread for the length of the call.
#ifndef CONSORT_BOARD_OFFLINE_H
#define CONSORT_BOARD_OFFLINE_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/engine.h"

/// Takes each period of sound; any other value than 0 ends the run and becomes its result.
typedef int offline_sink(void *data, float *const out[2], uint32_t frames);

struct offline {
    struct engine *engine;
    uint32_t period_frames; ///< 1 to the engine's `max_frames`
    offline_sink *sink;     ///< NULL throws the sound away
    void *data;             ///< the sink's
};

/// Renders `frames` frames. Returns 0, the sink's value, -EINVAL (no period) or -ENOMEM.
int offline_run(const struct offline *offline, uint64_t frames);

/// The same while `count` events in order of frame go into `ring`, each before the period that
/// holds its frame. Returns also -ENOBUFS when the ring cannot hold the events of one period.
int offline_play(const struct offline *offline, int ring, const struct event *events, size_t count,
                 uint64_t frames);

#endif
