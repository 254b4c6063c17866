/// The MIDI state of one part: controllers, program, bend, registered and SoundFont parameters.
///
/// Plain data, kept by the synth so that a fresh set of shards can be brought to where the old one
/// stands. Owner: the synth. Thread: audio.
/// Sources: MIDI 1.0 recommended practices RP-015 (reset) and RP-018 (data entry); SoundFont 2.04,
/// section 9.6 (parameters by NRPN).
#ifndef CONSORT_DSP_SYNTH_PART_H
#define CONSORT_DSP_SYNTH_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/synth/sf2.h"

enum {
    CC_BANK_MSB = 0,
    CC_MODULATION = 1,
    CC_DATA_MSB = 6,
    CC_VOLUME = 7,
    CC_BALANCE = 8,
    CC_PAN = 10,
    CC_EXPRESSION = 11,
    CC_BANK_LSB = 32,
    CC_DATA_LSB = 38,
    CC_SUSTAIN = 64,
    CC_PORTAMENTO = 65,
    CC_SOSTENUTO = 66,
    CC_SOFT = 67,
    CC_LEGATO = 68,
    CC_SOUND_FIRST = 70,
    CC_SOUND_LAST = 79,
    CC_GLIDE_FROM = 84, ///< portamento control: the key that the next note glides from
    CC_REVERB = 91,
    CC_CHORUS = 93,
    CC_DELAY = 94,
    CC_DATA_UP = 96,
    CC_DATA_DOWN = 97,
    CC_NRPN_LSB = 98,
    CC_NRPN_MSB = 99,
    CC_RPN_LSB = 100,
    CC_RPN_MSB = 101,
    CC_SOUND_OFF = 120,
    CC_RESET = 121,
    CC_LOCAL = 122,
    CC_NOTES_OFF = 123,
    CC_OMNI_OFF = 124,
    CC_OMNI_ON = 125,
    CC_MONO = 126,
    CC_POLY = 127,
};

enum { RPNS = 6, GEN_VIBRATO_DEPTH = 6, GEN_COARSE_TUNE = 51, GEN_FINE_TUNE = 52 };

/// What a controller did beyond its own value.
enum part_effect {
    PART_EFFECT_NONE,       ///< bookkeeping only: nothing to tell the shards
    PART_EFFECT_CONTROL,    ///< the controller itself goes to the shards
    PART_EFFECT_BEND_RANGE, ///< `bend_range_semitones` changed
    PART_EFFECT_GEN,        ///< the offset of generator `effect_gen` changed
    PART_EFFECT_TUNING,     ///< the tuning program changed
};

struct part {
    uint8_t control[128];         ///< 0..127 each
    uint8_t program;              ///< 0..127
    uint8_t pressure;             ///< 0..127
    uint8_t bend_range_semitones; ///< 0..127
    uint8_t tuning_program;       ///< MIDI Tuning Standard, by RPN 3
    bool has_tuning;              ///< RPN 3 came
    bool is_drums;
    bool is_mono;               ///< by controllers 126 and 127
    bool has_glide;             ///< controller 84 came: it is for the next note alone
    bool is_nrpn;               ///< data entry goes to the NRPN
    bool is_null;               ///< data entry goes nowhere
    uint16_t bank;              ///< of the SoundFont, 0..16383
    uint16_t nrpn_number;       ///< SoundFont generator selected so far
    int16_t bend;               ///< -8192..8191
    uint16_t rpn[RPNS];         ///< 14-bit values of RPN 0..5
    float gen_offset[SF2_GENS]; ///< added to the generators of every voice of the part
};

/// Power-on values. `is_drums` and `bank` stay to the caller.
RT void part_reset(struct part *part);

/// Takes a controller in. `*effect_gen` is set with PART_EFFECT_GEN. RT safe.
RT enum part_effect part_control(struct part *part, uint8_t number, uint8_t value,
                                 uint8_t *effect_gen);

/// Whether two parts are in the same state. RT safe.
RT bool part_is_same(const struct part *a, const struct part *b);

/// Whether the part's notes must sound in one shard: mono, legato or portamento.
RT bool part_needs_one_shard(const struct part *part);

#endif
