/// Spaces that the project makes itself: five kinds of reverberation as impulse responses.
///
/// Early reflections are those of a box-shaped room (image sources, Allen and Berkley 1979); the
/// late field is noise whose every frequency decays at a rate of its own. Both are a pure function
/// of the settings: the same settings give the same response, bit for bit, on one machine. The dry
/// sound is not in it. Thread: any but the audio thread.
#ifndef CONSORT_DSP_EFFECTS_SPACE_H
#define CONSORT_DSP_EFFECTS_SPACE_H

#include <stdint.h>

#include "dsp/effects/impulse.h"

enum space_kind {
    SPACE_ROOM,
    SPACE_CHAMBER,
    SPACE_HALL,
    SPACE_PLATE,
    SPACE_CATHEDRAL,
    SPACE_KINDS
};

enum { SPACE_RATE_MIN_HZ = 22050, SPACE_RATE_MAX_HZ = 192000 };

struct space_settings {
    enum space_kind kind;
    double decay_seconds; ///< for 60 dB, at 1 kHz; 0.1..20
    double damping;       ///< 0 (treble lasts nearly as long) .. 1 (it dies first)
    double size;          ///< 0.25..4, a factor of each length
    uint32_t channels;    ///< 2 stereo, 4 true stereo
    uint32_t rate_hz;     ///< SPACE_RATE_MIN_HZ..SPACE_RATE_MAX_HZ
};

/// "room", "chamber", ...
const char *space_name(enum space_kind kind);

/// What the kind is known for, in true stereo.
struct space_settings space_standard(enum space_kind kind, uint32_t rate_hz);

/// Seconds for a decay of 60 dB that the settings ask for at a frequency above 20 Hz.
double space_decay_seconds(const struct space_settings *settings, double hz);

/// Makes the response, as loud as any other (`impulse_normalise`). Returns NULL with errno: EINVAL
/// for settings out of range, ENOMEM.
struct impulse *space_create(const struct space_settings *settings);

#endif
