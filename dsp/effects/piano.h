/// The strings and the soundboard of a concert grand, as modes: which frequencies ring, how fast
/// they fade, how strongly the sound of the instrument drives them.
///
/// Partials of a stiff string (Fletcher 1964): f_k = k f_0 sqrt(1 + B k^2). B over the keyboard is
/// the sum of two exponentials, bass and treble bridge (Rigaud, David and Daudet, J. Acoust. Soc.
/// Am. 133, 2013); with their figures B of C4 is 3.3e-4, where Chaigne and Askenfelt (1994) have
/// 3.8e-4. Losses: sigma_k = b1 + b2 (k pi / L)^2 with b1, b2 and L of C2, C4 and C7 from Bensa,
/// Bilbao, Kronland-Martinet and Smith (J. Acoust. Soc. Am. 114, 2003), geometric in between.
/// Soundboard: 0.05 modes per hertz, loss factor 0.02 (Ege and Boutillon, 20th Int. Congress on
/// Acoustics, 2010; measured up to 2.5 kHz, carried on above it here).
///
/// What no paper gives is chosen: damper losses, unison mistuning, and the coupling. A string gets
/// from the bridge in proportion to b1, which is mostly what it loses to the bridge.
///
/// Pure functions. Keys are MIDI keys, 21 (A0) to 108 (C8). Thread: any, not RT.
#ifndef CONSORT_DSP_EFFECTS_PIANO_H
#define CONSORT_DSP_EFFECTS_PIANO_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/effects/modes.h"

enum {
    PIANO_LOW = 21,
    PIANO_HIGH = 108,
    PIANO_KEYS = 88,
    PIANO_BOARD = PIANO_KEYS,       ///< the string (of a bank) that stands for the soundboard
    PIANO_STRINGS = PIANO_KEYS + 1, ///< of a bank: key k is string k - PIANO_LOW
    PIANO_UNDAMPED = 90,            ///< F sharp 6: the lowest key without a damper
};

/// Fundamental in equal temperament, A4 = 440 Hz.
double piano_fundamental_hz(int key);

/// Partial 1, 2, ...; the first is the fundamental.
double piano_partial_hz(int key, int partial);
double piano_inharmonicity(int key);

/// Loss of amplitude per second of a free string, and what its resting damper adds; 0 for a key
/// that has no damper.
double piano_loss_per_s(int key, int partial);
double piano_damper_per_s(int key);

/// Strings of a key: 1, 2 or 3.
int piano_unisons(int key);

/// The modes that matter most, in the order of a bank's strings, into `mode`, which has room for
/// `budget`. They fill at most `budget` places of a bank, whose strings are whole groups of
/// MODES_LANES: a key has its lowest partials or none. Returns how many there are.
/// `budget` 2 * MODES_LANES..MODES_MAX.
uint32_t piano_modes(double rate_hz, uint32_t budget, struct mode *mode);

#endif
