// Fuzz target: any bytes as a SoundFont. What is read must keep the promises of sf2.h, and what
// loads must play.

#include <assert.h>
#include <fluidsynth.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/synth/sf2.h"
#include "dsp/synth/shard.h"
#include "tests/synth/font_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_zones(const struct sf2 *sf2, struct sf2_span zones, uint32_t link_count)
{
    assert(zones.first + zones.count <= sf2->zone_count);
    for (uint32_t i = 0; i < zones.count; i++) {
        const struct sf2_zone *zone = &sf2->zones[zones.first + i];
        assert(zone->link < (int32_t)link_count && (zone->link >= 0 || i == 0));
        assert(zone->gens.first + zone->gens.count <= sf2->gen_count);
        assert(zone->mods.first + zone->mods.count <= sf2->mod_count);
        for (uint32_t k = 0; k < zone->gens.count; k++)
            assert(sf2->gens[zone->gens.first + k].id < SF2_GENS);
    }
}

static void check_sample(const struct sf2 *sf2, const struct sf2_sample *sample)
{
    size_t limit = sf2->sample_byte_count / (sample->is_compressed ? 1 : 2);
    assert(strlen(sample->name) <= 20);
    if (!sample->is_usable)
        return;
    assert(sample->start < sample->end && sample->end <= limit);
    if (!sample->is_compressed) // the others' loops are bounded when they are decoded
        assert(sample->start + sample->loop_start <= limit &&
               sample->start + sample->loop_end <= limit);
}

static void check_tables(const struct sf2 *sf2)
{
    assert(sf2->preset_count > 0);
    for (uint32_t i = 0; i < sf2->preset_count; i++) {
        const struct sf2_preset *preset = &sf2->presets[i], *last = preset - 1;
        assert(strlen(preset->name) <= 20);
        assert(!i || last->bank < preset->bank ||
               (last->bank == preset->bank && last->program < preset->program));
        check_zones(sf2, preset->zones, sf2->instrument_count);
    }
    for (uint32_t i = 0; i < sf2->instrument_count; i++)
        check_zones(sf2, sf2->instruments[i].zones, sf2->sample_count);
    for (uint32_t i = 0; i < sf2->sample_count; i++)
        check_sample(sf2, &sf2->samples[i]);
}

static void play(const struct font *font)
{
    struct shard *shard = shard_create(font, 48000, 16, 256);
    if (!shard)
        return;
    unsigned presets = font_preset_count(font) < 3 ? font_preset_count(font) : 3;
    for (unsigned i = 0; i < presets; i++) {
        struct shard_command preset = {.type = SHARD_PRESET, .number = i};
        shard_push(shard, &preset);
        for (unsigned key = 0; key < 128; key += 61) {
            struct shard_command note = {
                .type = SHARD_NOTE_ON, .key = (uint8_t)key, .value = (uint8_t)(40 + 20 * i)};
            shard_push(shard, &note);
        }
        shard_render(shard, i * 256, 256);
    }
    shard_destroy(shard);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct sf2 sf2;
    char error[256] = "";
    uint8_t *copy = malloc(count + 1); // of exact size, at an odd address: both must do
    assert(copy);
    memcpy(copy + 1, bytes, count);
    if (sf2_parse(copy + 1, count, &sf2, error, sizeof error) == 0) {
        check_tables(&sf2);
        sf2_finish(&sf2);
        struct font *font = font_writer_load_bytes(bytes, count, error, sizeof error);
        if (font)
            play(font);
        font_destroy(font);
    } else {
        assert(error[0]);
    }
    free(copy);
    return 0;
}
