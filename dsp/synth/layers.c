#include "dsp/synth/layers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 1000000, MODS_PER_ZONE_MAX = 64 };

/// Hardware of the format's inventors attenuates by 0.4 of what a font says; all fonts count on it.
static const float attenuation_factor = 0.4f;

// ---- modulators: section 8.2 ----

static bool is_known_curve(uint16_t source) { return source >> 10 <= 3; }

static int source_flags(uint16_t source)
{
    static const int curve[] = {FLUID_MOD_LINEAR, FLUID_MOD_CONCAVE, FLUID_MOD_CONVEX,
                                FLUID_MOD_SWITCH};
    int flags = source & 1 << 7 ? FLUID_MOD_CC : FLUID_MOD_GC;
    flags |= source & 1 << 8 ? FLUID_MOD_NEGATIVE : FLUID_MOD_POSITIVE;
    flags |= source & 1 << 9 ? FLUID_MOD_BIPOLAR : FLUID_MOD_UNIPOLAR;
    return flags | (is_known_curve(source) ? curve[source >> 10] : 0);
}

static bool is_none(uint16_t source) { return !(source & 1 << 7) && !(source & 127); }

/// Where a modulator may act. The end of a sample stays where it was checked (`bound_end`), and so
/// does what a voice is made of.
static bool is_destination(uint16_t id)
{
    return id < SF2_GENS && id != SF2_GEN_END && id != SF2_GEN_END_COARSE &&
           id != SF2_GEN_SAMPLE_MODES;
}

static fluid_mod_t *make_mod(const struct sf2_mod *from)
{
    fluid_mod_t *mod = new_fluid_mod();
    if (!mod)
        return NULL;
    int amount_flags = source_flags(from->amount_source);
    if (is_none(from->amount_source)) // counts as a constant one, which has one sign
        amount_flags &= ~FLUID_MOD_BIPOLAR;
    bool is_usable = is_known_curve(from->source) && is_known_curve(from->amount_source) &&
                     !from->transform && !is_none(from->source);
    fluid_mod_set_source1(mod, from->source & 127, source_flags(from->source));
    fluid_mod_set_source2(mod, from->amount_source & 127, amount_flags);
    fluid_mod_set_dest(mod, from->destination);
    fluid_mod_set_amount(mod, is_usable ? from->amount : 0.0);
    return mod;
}

static bool has_identical(fluid_mod_t *const *mods, uint32_t count, const fluid_mod_t *mod)
{
    for (uint32_t i = 0; i < count; i++)
        if (fluid_mod_test_identity(mods[i], mod))
            return true;
    return false;
}

/// Appends the modulators of `zone` to the recipe, save those that the recipe has already: the
/// last of a zone and the more local of two zones win, so zones come in from the local one and
/// each from its end.
static int add_mods(struct layers *layers, struct recipe *recipe, const struct sf2 *sf2,
                    const struct sf2_zone *zone)
{
    fluid_mod_t **mods = layers->mods + recipe->mods.first;
    for (uint32_t i = zone->mods.count; i-- && recipe->mods.count < MODS_PER_ZONE_MAX;) {
        const struct sf2_mod *from = &sf2->mods[zone->mods.first + i];
        if (!is_destination(from->destination) || is_none(from->source))
            continue;
        fluid_mod_t *mod = make_mod(from);
        if (!mod)
            return -ENOMEM;
        if (has_identical(mods, recipe->mods.count, mod)) {
            delete_fluid_mod(mod);
            continue;
        }
        mods[recipe->mods.count++] = mod;
        layers->mod_count++;
    }
    return 0;
}

// ---- generators: section 9.4 ----

static void add_gens(struct layers *layers, struct recipe *recipe, const struct sf2 *sf2,
                     const struct sf2_zone *zone)
{
    struct layer_gen *gens = layers->gens + recipe->gens.first;
    uint32_t local = recipe->gens.count;
    for (uint32_t i = 0; i < zone->gens.count; i++) {
        const struct sf2_gen *from = &sf2->gens[zone->gens.first + i];
        bool is_superseded = false;
        for (uint32_t k = 0; k < local; k++)
            is_superseded |= gens[k].id == from->id;
        if (is_superseded)
            continue;
        float factor = from->id == SF2_GEN_ATTENUATION ? attenuation_factor : 1.0f;
        gens[recipe->gens.count++] = (struct layer_gen){from->id, (float)from->amount * factor};
        layers->gen_count++;
    }
}

static struct layer_gen *find_gen(struct layers *layers, struct recipe *recipe, int id)
{
    struct layer_gen *gens = layers->gens + recipe->gens.first;
    for (uint32_t i = 0; i < recipe->gens.count; i++)
        if (gens[i].id == id)
            return &gens[i];
    return NULL;
}

/// Offsets must leave a sample SF2_FRAMES_MIN frames: libfluidsynth interpolates up to a few frames
/// before the end, which wraps around below 0 and reads what is not there.
static void bound_end(struct layers *layers, struct recipe *recipe, const struct sf2 *sf2,
                      const struct sf2_zone *zone)
{
    struct layer_gen *fine = find_gen(layers, recipe, SF2_GEN_END);
    struct layer_gen *coarse = find_gen(layers, recipe, SF2_GEN_END_COARSE);
    double least = (double)SF2_FRAMES_MIN - (double)sf2->samples[zone->link].frames;
    double offset =
        (fine ? (double)fine->value : 0) + (coarse ? 32768.0 * (double)coarse->value : 0);
    if (offset >= least)
        return;
    if (coarse)
        coarse->value = 0.0f;
    if (fine)
        fine->value = fmaxf((float)least, -32768.0f);
}

static int add_recipe(struct layers *layers, const struct sf2 *sf2, const struct sf2_zone *zone,
                      const struct sf2_zone *global, bool is_instrument)
{
    struct recipe *recipe = &layers->recipes[zone - sf2->zones];
    *recipe = (struct recipe){{layers->gen_count, 0}, {layers->mod_count, 0}};
    add_gens(layers, recipe, sf2, zone);
    int status = add_mods(layers, recipe, sf2, zone);
    if (global) {
        add_gens(layers, recipe, sf2, global);
        if (!status)
            status = add_mods(layers, recipe, sf2, global);
    }
    if (is_instrument)
        bound_end(layers, recipe, sf2, zone);
    return status;
}

static const struct sf2_zone *global_zone(const struct sf2 *sf2, struct sf2_span zones)
{
    const struct sf2_zone *first = &sf2->zones[zones.first];
    return zones.count && first->link < 0 ? first : NULL;
}

static int add_recipes(struct layers *layers, const struct sf2 *sf2, struct sf2_span zones,
                       bool is_instrument)
{
    const struct sf2_zone *global = global_zone(sf2, zones);
    int status = 0;
    for (uint32_t i = 0; i < zones.count && !status; i++) {
        const struct sf2_zone *zone = &sf2->zones[zones.first + i];
        if (zone != global)
            status = add_recipe(layers, sf2, zone, global, is_instrument);
    }
    return status;
}

// ---- layers ----

static uint8_t higher(uint8_t a, uint8_t b) { return a > b ? a : b; }
static uint8_t lower(uint8_t a, uint8_t b) { return a < b ? a : b; }

static bool is_exclusive(const struct layers *layers, uint32_t recipe)
{
    struct sf2_span gens = layers->recipes[recipe].gens;
    for (uint32_t i = 0; i < gens.count; i++) {
        const struct layer_gen *gen = &layers->gens[gens.first + i];
        if (gen->id == SF2_GEN_EXCLUSIVE_CLASS && gen->value != 0.0f)
            return true;
    }
    return false;
}

/// Counts the pairs of zones of a preset that can start a voice, and stores them in `to` if given.
/// From the last to the first, as libfluidsynth's own loader does: the order of the voices decides
/// the last bit of their sum, and which of them make way for others.
static uint32_t pair_zones(struct layers *layers, const struct sf2 *sf2,
                           const struct sf2_preset *preset, struct layer *to)
{
    uint32_t count = 0;
    for (uint32_t p = preset->zones.count; p-- > 0;) {
        const struct sf2_zone *outer = &sf2->zones[preset->zones.first + p];
        if (outer->link < 0)
            continue;
        struct sf2_span inside = sf2->instruments[outer->link].zones;
        for (uint32_t i = inside.count; i-- > 0;) {
            const struct sf2_zone *inner = &sf2->zones[inside.first + i];
            if (inner->link < 0 || !sf2->samples[inner->link].is_usable)
                continue;
            if (to)
                to[count] = (struct layer){
                    .key_low = higher(outer->key_low, inner->key_low),
                    .key_high = lower(outer->key_high, inner->key_high),
                    .velocity_low = higher(outer->velocity_low, inner->velocity_low),
                    .velocity_high = lower(outer->velocity_high, inner->velocity_high),
                    .is_exclusive = is_exclusive(layers, inside.first + i),
                    .sample = (uint16_t)inner->link,
                    .instrument = inside.first + i,
                    .preset = preset->zones.first + p};
            count++;
        }
    }
    return count;
}

/// A small file can name billions of pairs; refuse it before walking them.
static bool has_too_many_pairs(const struct sf2 *sf2)
{
    uint64_t pairs = 0;
    for (uint32_t i = 0; i < sf2->preset_count; i++) {
        struct sf2_span zones = sf2->presets[i].zones;
        for (uint32_t p = 0; p < zones.count; p++) {
            int32_t instrument = sf2->zones[zones.first + p].link;
            pairs += instrument < 0 ? 0 : sf2->instruments[instrument].zones.count;
        }
    }
    return pairs > LAYERS_MAX;
}

static int count_layers(struct layers *layers, const struct sf2 *sf2)
{
    if (has_too_many_pairs(sf2))
        return -E2BIG;
    for (uint32_t i = 0; i < sf2->preset_count; i++) {
        uint32_t count = pair_zones(layers, sf2, &sf2->presets[i], NULL);
        layers->presets[i] = (struct sf2_span){layers->layer_count, count};
        layers->layer_count += count;
    }
    return 0;
}

/// Globals are merged into each zone of their level, so a recipe may hold twice what its zone does.
static int count_merged(const struct sf2 *sf2, struct sf2_span zones, size_t *gens, size_t *mods)
{
    const struct sf2_zone *global = global_zone(sf2, zones);
    for (uint32_t i = 0; i < zones.count; i++) {
        const struct sf2_zone *zone = &sf2->zones[zones.first + i];
        *gens += zone->gens.count + (global ? global->gens.count : 0);
        *mods += zone->mods.count + (global ? global->mods.count : 0);
        if (*gens > 16 * LAYERS_MAX || *mods > 4 * LAYERS_MAX)
            return -E2BIG;
    }
    return 0;
}

static int allocate(struct layers *layers, const struct sf2 *sf2)
{
    size_t gens = 1, mods = 1;
    int status = 0;
    for (uint32_t i = 0; i < sf2->instrument_count && !status; i++)
        status = count_merged(sf2, sf2->instruments[i].zones, &gens, &mods);
    for (uint32_t i = 0; i < sf2->preset_count && !status; i++)
        status = count_merged(sf2, sf2->presets[i].zones, &gens, &mods);
    if (status)
        return status;
    layers->presets = calloc(sf2->preset_count, sizeof *layers->presets);
    layers->recipes = calloc(sf2->zone_count + 1, sizeof *layers->recipes);
    layers->gens = calloc(gens, sizeof(struct layer_gen));
    layers->mods = calloc(mods, sizeof(fluid_mod_t *));
    bool is_complete = layers->presets && layers->recipes && layers->gens && layers->mods;
    return is_complete ? 0 : -ENOMEM;
}

int layers_build(struct layers *layers, const struct sf2 *sf2)
{
    memset(layers, 0, sizeof *layers);
    int status = allocate(layers, sf2);
    for (uint32_t i = 0; i < sf2->instrument_count && !status; i++)
        status = add_recipes(layers, sf2, sf2->instruments[i].zones, true);
    for (uint32_t i = 0; i < sf2->preset_count && !status; i++)
        status = add_recipes(layers, sf2, sf2->presets[i].zones, false);
    if (!status)
        status = count_layers(layers, sf2);
    if (!status && !(layers->layers = calloc(layers->layer_count + 1, sizeof *layers->layers)))
        status = -ENOMEM;
    for (uint32_t i = 0; i < sf2->preset_count && !status; i++)
        pair_zones(layers, sf2, &sf2->presets[i], layers->layers + layers->presets[i].first);
    if (status)
        layers_finish(layers);
    return status;
}

void layers_finish(struct layers *layers)
{
    for (uint32_t i = 0; i < layers->mod_count; i++)
        delete_fluid_mod(layers->mods[i]);
    free(layers->mods);
    free(layers->gens);
    free(layers->recipes);
    free(layers->presets);
    free(layers->layers);
    memset(layers, 0, sizeof *layers);
}

// ---- a note ----

RT static void add_to_voice(const struct layers *layers, fluid_voice_t *voice, uint32_t zone,
                            int mode)
{
    const struct recipe *recipe = &layers->recipes[zone];
    for (uint32_t i = 0; i < recipe->gens.count; i++) {
        const struct layer_gen *gen = &layers->gens[recipe->gens.first + i];
        if (mode == FLUID_VOICE_OVERWRITE)
            fluid_voice_gen_set(voice, gen->id, gen->value);
        else
            fluid_voice_gen_incr(voice, gen->id, gen->value);
    }
    for (uint32_t i = 0; i < recipe->mods.count; i++)
        fluid_voice_add_mod(voice, layers->mods[recipe->mods.first + i], mode);
}

RT void layers_start(const struct layers *layers, unsigned preset, fluid_synth_t *synth,
                     unsigned char *samples, int channel, int key, int velocity, float detune_cents)
{
    struct sf2_span span = layers->presets[preset];
    size_t sample_bytes = fluid_sample_sizeof();
    for (uint32_t i = 0; i < span.count; i++) {
        const struct layer *layer = &layers->layers[span.first + i];
        if (key < layer->key_low || key > layer->key_high || velocity < layer->velocity_low ||
            velocity > layer->velocity_high)
            continue;
        fluid_sample_t *sample = (fluid_sample_t *)(samples + layer->sample * sample_bytes);
        fluid_voice_t *voice = fluid_synth_alloc_voice(synth, sample, channel, key, velocity);
        if (!voice)
            return;
        add_to_voice(layers, voice, layer->instrument, FLUID_VOICE_OVERWRITE);
        add_to_voice(layers, voice, layer->preset, FLUID_VOICE_ADD);
        if (detune_cents != 0.0f)
            fluid_voice_gen_incr(voice, GEN_FINETUNE, detune_cents);
        fluid_synth_start_voice(synth, voice);
    }
}
