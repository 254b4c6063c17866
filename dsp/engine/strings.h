/// The strings that nobody struck: the resonance, its keys and pedal moved at their exact frames.
///
/// Events are dispatched ahead of the sound, so each motion waits here for its frame; thus the
/// length of a period changes nothing. Plain struct. Owner: the chain. Thread: audio; init and
/// finish any other.
#ifndef CONSORT_DSP_ENGINE_STRINGS_H
#define CONSORT_DSP_ENGINE_STRINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/resonance.h"

enum {
    STRINGS_MOTIONS = 4096, ///< 64 events of a layer of 16 parts, and a release of all their keys
    STRINGS_KEYS = 128,
};

/// A key or the pedal.
struct strings_motion {
    uint64_t frame;
    int16_t key;   ///< -1: the pedal
    uint8_t value; ///< down or up; pedal 0..127
};

struct strings {
    struct resonance resonance;
    bool is_on;
    uint8_t holders[STRINGS_KEYS]; ///< parts that hold the key
    struct strings_motion motions[STRINGS_MOTIONS];
    uint32_t written, read;
};

/// `modes` as `resonance_init`; runs of up to `max_frames`. Returns 0, -EINVAL or -ENOMEM.
int strings_init(struct strings *strings, double rate_hz, uint32_t max_frames, uint32_t modes);
void strings_finish(struct strings *strings);

/// Off lets the strings ring out unheard and undriven.
RT void strings_set(struct strings *strings, bool is_on, float amount_db, float decay,
                    float brightness);

/// A part lays a key down or lets it go at `frame`. RT safe.
RT void strings_move_key(struct strings *strings, uint64_t frame, uint8_t key, bool is_down);
RT void strings_move_pedal(struct strings *strings, uint64_t frame, uint8_t value);

/// Overwrites `sound`, the dry sound from `frame` on, with the ringing that it causes. RT safe.
RT void strings_run(struct strings *strings, uint64_t frame, float *const sound[2],
                    uint32_t frames);

#endif
