/// Who plays how far from equal temperament: the tuning programs of the MIDI Tuning Standard, the
/// octave tunings of each part, and the tuning of the whole box.
///
/// Plain data. Owner: the synth. Thread: audio.
/// Source: MIDI Tuning Messages (CA-020, CA-021, RP-020).
#ifndef CONSORT_DSP_SYNTH_TUNING_H
#define CONSORT_DSP_SYNTH_TUNING_H

#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/synth/part.h"

enum { TUNING_PROGRAMS = 128, TUNING_KEYS = 128, TUNING_PARTS = 16 };

struct tuning {
    float key_cents[TUNING_PROGRAMS][TUNING_KEYS]; ///< offset from equal temperament
    float octave_cents[TUNING_PARTS][12];          ///< C..B
    float master_cents;                            ///< all parts but the drums
    float message_cents;                           ///< the same, by system exclusive message
};

/// How far a key of a part is from equal temperament, in cents. RT safe.
RT float tuning_cents(const struct tuning *tuning, unsigned number, const struct part *part,
                      unsigned key);

/// Sets a key of a program to a pitch in semitones (69.0 is A4). RT safe.
RT void tuning_set_key(struct tuning *tuning, unsigned program, unsigned key, float semitones);

#endif
