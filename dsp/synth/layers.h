/// What a key of a preset plays: every pair of preset zone and instrument zone that can start a
/// voice, with its generators and modulators merged by the rules of the format.
///
/// Inside `dsp/synth/` only. Owner: the font. Immutable once built. Thread: `layers_start` the
/// shard's thread, the others the loader.
/// Source: SoundFont Technical Specification 2.04, section 9.4 and 9.5.
#ifndef CONSORT_DSP_SYNTH_LAYERS_H
#define CONSORT_DSP_SYNTH_LAYERS_H

#include <fluidsynth.h>

#include "dsp/base/rt.h"
#include "dsp/synth/sf2.h"

/// The generators and modulators of one zone, its level's global zone merged in.
struct recipe {
    struct sf2_span gens; ///< in `layers.gens`
    struct sf2_span mods; ///< in `layers.mods`
};

struct layer {
    uint8_t key_low, key_high, velocity_low, velocity_high;
    bool is_exclusive;
    uint16_t sample;
    uint32_t instrument, preset; ///< recipes: the first sets, the second adds
};

struct layer_gen {
    int id;
    float value;
};

struct layers {
    struct layer *layers;
    struct sf2_span *presets; ///< the layers of each preset, in the order of sf2.presets
    struct recipe *recipes;   ///< one per sf2.zones
    struct layer_gen *gens;
    fluid_mod_t **mods;
    uint32_t layer_count, gen_count, mod_count;
};

/// Returns 0, -ENOMEM, or -E2BIG when the font asks for more than a million layers.
int layers_build(struct layers *layers, const struct sf2 *sf2);
void layers_finish(struct layers *layers);

/// Starts the voices of a note, `samples` being the shard's own sample objects (each
/// `fluid_sample_sizeof()` bytes) and `detune_cents` a pitch offset of the whole note. RT safe.
RT void layers_start(const struct layers *layers, unsigned preset, fluid_synth_t *synth,
                     unsigned char *samples, int channel, int key, int velocity,
                     float detune_cents);

#endif
