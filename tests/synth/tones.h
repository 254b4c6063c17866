/// Small fonts of known sound, for tests.
#ifndef CONSORT_TESTS_SYNTH_TONES_H
#define CONSORT_TESTS_SYNTH_TONES_H

#include "dsp/synth/font.h"

enum {
    TONES_STEP = 0,  ///< program: a constant level on every key, for as long as it is held
    TONES_SINE = 1,  ///< a sine, key 69 at 440 Hz; releases in 0.1 s
    TONES_PLUCK = 2, ///< a sine that is gone after about 0.2 s, held or not
    TONES_SAW = 3,   ///< a saw, its right channel the louder
};

/// A font of the programs above in bank 0; bank 128 holds one kit, in which keys 42, 44 and 46
/// share an exclusive class. `level` 1..32767 is the height of the waves.
struct font *tones_load(int level);

#endif
