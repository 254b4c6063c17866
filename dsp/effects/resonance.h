/// Sympathetic resonance: the strings of a piano that are free to ring do so with what is played.
///
/// The dry mix of the piano parts drives a bank of modes (piano.h). Keys held down and the pedal,
/// half-pressed too, lift the dampers of their strings within 20 ms; the top of the keyboard has
/// none. What comes out is the ringing alone, to be added to the dry sound.
///
/// Controls take effect at the next frame that is a multiple of MODES_BLOCK; parameters glide
/// sample by sample. The output does not depend on how periods are cut, nor on how the slices are
/// spread over threads. A silent bank costs next to nothing. Plain struct. Owner: the engine.
/// Thread: audio, but for init, finish and the measuring of speed: any other.
#ifndef CONSORT_DSP_EFFECTS_RESONANCE_H
#define CONSORT_DSP_EFFECTS_RESONANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/modes.h"
#include "dsp/effects/piano.h"

enum {
    RESONANCE_MODES = 4096, ///< a full bank; the budget where the processor carries it
    RESONANCE_MODES_LEAST = 256,
    RESONANCE_MODES_MOST = 32768,
};

/// A gain on its way, a step a sample.
struct resonance_ramp {
    float now, target, step;
    uint32_t left_frames;
};

struct resonance {
    struct modes modes;
    double rate_hz;
    double least_loss[PIANO_STRINGS]; ///< per second, of the modes of a string; 0 if it has none
    double damper[PIANO_KEYS];        ///< per second, what a resting damper adds
    bool is_held[PIANO_KEYS];
    double lift; ///< of the dampers by the pedal, 0..1
    double decay;
    uint32_t ramp_frames;
    struct resonance_ramp amount, high; ///< gain of the wet sound; of its upper part
    float split, low;                   ///< share and state of the low-pass that parts them
    float *drive;                       ///< a period of the input, mono
    uint32_t frames;                    ///< of the period being run
};

/// `rate_hz` 8000..192000, `max_frames` 1..8192, `budget` modes
/// RESONANCE_MODES_LEAST..RESONANCE_MODES_MOST. Dampers rest, amount -60 dB, decay 1, brightness 0.
/// Returns 0, -EINVAL or -ENOMEM. `resonance_finish` welcomes one that init refused.
int resonance_init(struct resonance *resonance, double rate_hz, uint32_t max_frames,
                   uint32_t budget);
void resonance_finish(struct resonance *resonance);

/// `amount_db` -60 (off: strings are no longer driven) to 12, 0 is as on a piano; `decay` 0.25..2
/// times as long as on a piano (exact for the slowest partial of each key, less for the others);
/// `brightness` -1..1: 12 dB less to 12 dB more above 1.2 kHz. Values beyond are bounded. RT safe.
RT void resonance_set(struct resonance *resonance, float amount_db, float decay, float brightness);

/// A key goes down or up; keys that a piano lacks are ignored. RT safe.
RT void resonance_hold(struct resonance *resonance, int key, bool is_held);

/// The sustain pedal, 0..127: dampers rest up to 24, are clear of the strings from 96 on. RT safe.
RT void resonance_pedal(struct resonance *resonance, int value);

/// Overwrites `wet` with the ringing of the mean of the two inputs, which may be the same buffer
/// and may be what is overwritten. Input that is no number counts as silence. RT safe.
RT void resonance_run(struct resonance *resonance, const float *const in[2], float *const wet[2],
                      uint32_t frames);

/// The same in three steps, so that a crew can share the slices. RT safe.
RT void resonance_begin(struct resonance *resonance, const float *const in[2], uint32_t frames);
RT uint32_t resonance_slices(const struct resonance *resonance);
RT void resonance_run_slices(struct resonance *resonance, uint32_t first, uint32_t last);
RT void resonance_end(struct resonance *resonance, float *const wet[2]);

/// Silences all strings at once. RT safe.
RT void resonance_clear(struct resonance *resonance);

/// Times a bank on this processor for some 20 ms. Returns nanoseconds per mode and sample, or a
/// negative errno.
double resonance_measure_ns(double rate_hz);

/// How many modes `share` (0..1) of a core carries at that speed, in whole groups within
/// RESONANCE_MODES_LEAST..RESONANCE_MODES.
uint32_t resonance_fit(double ns_per_mode, double rate_hz, double share);

#endif
