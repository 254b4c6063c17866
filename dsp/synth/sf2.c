#include "dsp/synth/sf2.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Record sizes of the nine "hydra" chunks, in their order in the file.
enum hydra { PHDR, PBAG, PMOD, PGEN, INST, IBAG, IMOD, IGEN, SHDR, HYDRA };
static const char hydra_name[HYDRA][5] = {"phdr", "pbag", "pmod", "pgen", "inst",
                                          "ibag", "imod", "igen", "shdr"};
static const uint32_t hydra_bytes[HYDRA] = {38, 4, 10, 4, 22, 4, 10, 4, 46};

enum { SAMPLE_ROM = 0x8000, SAMPLE_VORBIS = 0x10, SAMPLE_KNOWN = 0x800f | SAMPLE_VORBIS };

struct chunk {
    const uint8_t *bytes;
    size_t count;
};

struct reader {
    struct chunk file;
    struct chunk hydra[HYDRA];
    struct sf2 *sf2;
    char *error;
    size_t error_bytes;
};

/// Which hydra chunks describe the zones of one level.
struct level {
    enum hydra headers, bags, mods, gens;
    uint32_t header_zone_offset; ///< where the first zone's number stands in a header record
    uint8_t link;                ///< the generator that ends a zone
};
static const struct level preset_level = {PHDR, PBAG, PMOD, PGEN, 24, SF2_GEN_INSTRUMENT};
static const struct level instrument_level = {INST, IBAG, IMOD, IGEN, 20, SF2_GEN_SAMPLE};

static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }

static uint32_t u32(const uint8_t *at) { return u16(at) | (uint32_t)u16(at + 2) << 16; }

static int refuse(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error, reader->error_bytes, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static uint32_t record_count(const struct reader *reader, enum hydra which)
{
    return (uint32_t)(reader->hydra[which].count / hydra_bytes[which]);
}

static const uint8_t *record(const struct reader *reader, enum hydra which, uint32_t index)
{
    return reader->hydra[which].bytes + (size_t)index * hydra_bytes[which];
}

// ---- chunks ----

/// Takes the next chunk off `from`. A chunk that claims more than is left is refused.
static int next_chunk(struct reader *reader, struct chunk *from, char name[5], struct chunk *chunk)
{
    size_t offset = (size_t)(from->bytes - reader->file.bytes);
    if (from->count < 8)
        return refuse(reader, "byte %zu: chunk header cut off", offset);
    memcpy(name, from->bytes, 4);
    name[4] = '\0';
    chunk->bytes = from->bytes + 8;
    chunk->count = u32(from->bytes + 4);
    if (chunk->count > from->count - 8)
        return refuse(reader, "byte %zu: chunk of %zu bytes, only %zu are left", offset,
                      chunk->count, from->count - 8);
    size_t whole = 8 + chunk->count;
    // Some SF3 writers leave out the padding of odd chunks; a chunk's name never starts with 0.
    if ((chunk->count & 1) && whole < from->count && !from->bytes[whole])
        whole++;
    from->bytes += whole;
    from->count -= whole;
    return 0;
}

static int read_sample_chunks(struct reader *reader, struct chunk list)
{
    struct sf2 *sf2 = reader->sf2;
    struct chunk low = {0};
    while (list.count) {
        char name[5] = "";
        struct chunk chunk = {0};
        int status = next_chunk(reader, &list, name, &chunk);
        if (status)
            return status;
        if (!strcmp(name, "smpl")) {
            sf2->sample_bytes = chunk.bytes;
            sf2->sample_byte_count = chunk.count;
        } else if (!strcmp(name, "sm24")) {
            low = chunk;
        }
    }
    if (low.count && low.count >= sf2->sample_byte_count / 2)
        sf2->low_bytes = low.bytes;
    return 0;
}

static int read_hydra_chunks(struct reader *reader, struct chunk list)
{
    for (enum hydra i = 0; i < HYDRA; i++) {
        char name[5] = "";
        int status = next_chunk(reader, &list, name, &reader->hydra[i]);
        if (status)
            return status;
        if (strcmp(name, hydra_name[i]))
            return refuse(reader, "byte %zu: chunk \"%s\" expected",
                          (size_t)(reader->hydra[i].bytes - 8 - reader->file.bytes), hydra_name[i]);
        if (reader->hydra[i].count % hydra_bytes[i])
            return refuse(reader, "chunk \"%s\": %zu bytes are no multiple of %u", name,
                          reader->hydra[i].count, hydra_bytes[i]);
        bool needs_terminal = i == PHDR || i == PBAG || i == INST || i == IBAG || i == SHDR;
        if (needs_terminal && !reader->hydra[i].count)
            return refuse(reader, "chunk \"%s\" is empty", name);
    }
    return 0;
}

static int read_chunks(struct reader *reader)
{
    struct chunk rest = reader->file, riff = {0};
    char name[5] = "";
    if (rest.count < 12 || memcmp(rest.bytes, "RIFF", 4) || memcmp(rest.bytes + 8, "sfbk", 4))
        return refuse(reader, "byte 0: no SoundFont (no \"RIFF\" \"sfbk\" header)");
    int status = next_chunk(reader, &rest, name, &riff);
    if (status)
        return status;
    if (riff.count < 4)
        return refuse(reader, "byte 4: the file says that it is empty");
    struct chunk inside = {riff.bytes + 4, riff.count - 4};
    while (inside.count) {
        struct chunk chunk = {0};
        status = next_chunk(reader, &inside, name, &chunk);
        if (status)
            return status;
        if (strcmp(name, "LIST") || chunk.count < 4)
            continue;
        struct chunk list = {chunk.bytes + 4, chunk.count - 4};
        if (!memcmp(chunk.bytes, "sdta", 4))
            status = read_sample_chunks(reader, list);
        else if (!memcmp(chunk.bytes, "pdta", 4))
            status = read_hydra_chunks(reader, list);
        if (status)
            return status;
    }
    if (!reader->sf2->sample_bytes)
        return refuse(reader, "chunk \"smpl\" is missing");
    if (!reader->hydra[SHDR].bytes)
        return refuse(reader, "chunk \"pdta\" is missing");
    return 0;
}

// ---- zones ----

static bool is_allowed(const struct level *level, uint8_t id)
{
    static const uint8_t unused[] = {14, 18, 19, 20, 42, 49, 55};
    static const uint8_t instrument_only[] = {0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58, 53};
    if (id >= SF2_GENS || memchr(unused, id, sizeof unused) || id == SF2_GEN_INSTRUMENT)
        return false;
    return level->link == SF2_GEN_SAMPLE || !memchr(instrument_only, id, sizeof instrument_only);
}

static void add_gen(struct sf2 *sf2, struct sf2_zone *zone, uint8_t id, int16_t amount)
{
    for (uint32_t i = 0; i < zone->gens.count; i++) {
        if (sf2->gens[zone->gens.first + i].id == id) {
            sf2->gens[zone->gens.first + i].amount = amount; // the last of its kind counts
            return;
        }
    }
    sf2->gens[sf2->gen_count++] = (struct sf2_gen){id, amount};
    zone->gens.count++;
}

/// Reads the generators [first, last) of one zone. A range counts only at its head (key before
/// velocity), nothing counts behind the link: section 8.1.2.
static void read_gens(struct reader *reader, const struct level *level, uint32_t first,
                      uint32_t last, struct sf2_zone *zone)
{
    zone->gens.first = reader->sf2->gen_count;
    for (uint32_t i = first; i < last && zone->link < 0; i++) {
        const uint8_t *at = record(reader, level->gens, i);
        uint16_t id = u16(at);
        if (id == SF2_GEN_KEY_RANGE && i == first) {
            zone->key_low = at[2];
            zone->key_high = at[3];
        } else if (id == SF2_GEN_VELOCITY_RANGE &&
                   (i == first || (i == first + 1 && u16(at - 4) == SF2_GEN_KEY_RANGE))) {
            zone->velocity_low = at[2];
            zone->velocity_high = at[3];
        } else if (id == level->link) {
            zone->link = u16(at + 2);
        } else if (id < SF2_GENS && id != SF2_GEN_KEY_RANGE && id != SF2_GEN_VELOCITY_RANGE &&
                   is_allowed(level, (uint8_t)id)) {
            add_gen(reader->sf2, zone, (uint8_t)id, (int16_t)u16(at + 2));
        }
    }
}

static void read_mods(struct reader *reader, const struct level *level, uint32_t first,
                      uint32_t last, struct sf2_zone *zone)
{
    struct sf2 *sf2 = reader->sf2;
    zone->mods = (struct sf2_span){sf2->mod_count, last - first};
    for (uint32_t i = first; i < last; i++) {
        const uint8_t *at = record(reader, level->mods, i);
        sf2->mods[sf2->mod_count++] =
            (struct sf2_mod){u16(at), u16(at + 2), (int16_t)u16(at + 4), u16(at + 6), u16(at + 8)};
    }
}

/// Reads the zones [first, last) of one preset or instrument into `zones`.
static int read_zones(struct reader *reader, const struct level *level, uint32_t first,
                      uint32_t last, uint32_t link_count, struct sf2_span *zones)
{
    struct sf2 *sf2 = reader->sf2;
    *zones = (struct sf2_span){sf2->zone_count, 0};
    for (uint32_t i = first; i < last; i++) {
        const uint8_t *bag = record(reader, level->bags, i);
        uint32_t gen = u16(bag), mod = u16(bag + 2);
        uint32_t gen_end = u16(bag + 4), mod_end = u16(bag + 6);
        if (gen > gen_end || gen_end > record_count(reader, level->gens))
            return refuse(reader, "chunk \"%s\", record %u: generators %u to %u of %u",
                          hydra_name[level->bags], i, gen, gen_end,
                          record_count(reader, level->gens));
        if (mod > mod_end || mod_end > record_count(reader, level->mods))
            return refuse(reader, "chunk \"%s\", record %u: modulators %u to %u of %u",
                          hydra_name[level->bags], i, mod, mod_end,
                          record_count(reader, level->mods));
        struct sf2_zone zone = {0, 127, 0, 127, -1, {0, 0}, {0, 0}};
        read_gens(reader, level, gen, gen_end, &zone);
        if (zone.link >= (int32_t)link_count)
            return refuse(reader, "chunk \"%s\", record %u: refers to number %d of %u",
                          hydra_name[level->gens], gen_end - 1, zone.link, link_count);
        if (zone.link < 0 && i != first)
            continue; // only the first may be global: section 7.3
        read_mods(reader, level, mod, mod_end, &zone);
        sf2->zones[sf2->zone_count++] = zone;
        zones->count++;
    }
    return 0;
}

/// Reads the zones of header record `index`, which end where those of the next record begin.
static int read_header_zones(struct reader *reader, const struct level *level, uint32_t index,
                             uint32_t link_count, struct sf2_span *zones)
{
    const uint8_t *at = record(reader, level->headers, index);
    uint32_t first = u16(at + level->header_zone_offset);
    uint32_t last = u16(at + hydra_bytes[level->headers] + level->header_zone_offset);
    if (first > last || last >= record_count(reader, level->bags))
        return refuse(reader, "chunk \"%s\", record %u: zones %u to %u of %u",
                      hydra_name[level->headers], index, first, last,
                      record_count(reader, level->bags) - 1);
    return read_zones(reader, level, first, last, link_count, zones);
}

// ---- the three tables ----

static void read_name(char name[21], const uint8_t *at)
{
    for (int i = 0; i < 20 && at[i]; i++) {
        bool is_printable = at[i] >= ' ' && at[i] < 0x7f;
        *name++ = is_printable ? (char)at[i] : '?';
    }
    *name = '\0';
}

/// Brings a loop within the chunk as forgivingly as fluidsynth does, so that fonts sound alike.
static void set_loop(struct sf2_sample *sample, uint32_t loop_start, uint32_t loop_end,
                     uint32_t limit)
{
    if (loop_start > loop_end) {
        uint32_t swap = loop_start;
        loop_start = loop_end;
        loop_end = swap;
    }
    if (loop_start < sample->start || loop_start > limit)
        loop_start = sample->start;
    if (loop_end < sample->start || loop_end > limit)
        loop_end = sample->end;
    sample->loop_start = loop_start - sample->start;
    sample->loop_end = loop_end - sample->start;
}

static void read_sample(const struct reader *reader, uint32_t index, struct sf2_sample *sample)
{
    const uint8_t *at = record(reader, SHDR, index);
    uint16_t kind = u16(at + 44);
    size_t limit = reader->sf2->sample_byte_count;
    read_name(sample->name, at);
    sample->start = u32(at + 20);
    sample->end = u32(at + 24);
    sample->rate_hz = u32(at + 36);
    sample->root_key = at[40];
    sample->fine_cents = (int8_t)at[41];
    sample->is_compressed = kind & SAMPLE_VORBIS;
    if (!sample->is_compressed)
        limit /= 2;
    sample->is_usable = !(kind & SAMPLE_ROM) && !(kind & ~SAMPLE_KNOWN) &&
                        sample->start < sample->end && sample->end <= limit &&
                        sample->end - sample->start >= SF2_FRAMES_MIN && sample->rate_hz >= 400 &&
                        sample->rate_hz <= 384000;
    if (!sample->is_usable)
        return;
    sample->frames = sample->is_compressed ? SF2_FRAMES_MIN : sample->end - sample->start;
    if (sample->is_compressed) { // loops are frames of the decoded sample already
        sample->loop_start = u32(at + 28);
        sample->loop_end = u32(at + 32);
    } else {
        set_loop(sample, u32(at + 28), u32(at + 32), (uint32_t)limit);
    }
}

static int compare_presets(const void *a, const void *b)
{
    const struct sf2_preset *left = a, *right = b;
    int bank = (int)left->bank - (int)right->bank;
    int program = (int)left->program - (int)right->program;
    if (bank || program)
        return bank ? bank : program;
    // The first in the file stays: qsort is not stable, the zones were read in file order.
    return left->zones.first < right->zones.first ? -1 : 1;
}

static void sort_presets(struct sf2 *sf2)
{
    qsort(sf2->presets, sf2->preset_count, sizeof *sf2->presets, compare_presets);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sf2->preset_count; i++) {
        const struct sf2_preset *preset = &sf2->presets[i], *last = &sf2->presets[kept - 1];
        if (kept && preset->bank == last->bank && preset->program == last->program)
            continue;
        sf2->presets[kept++] = *preset;
    }
    sf2->preset_count = kept;
}

static int read_tables(struct reader *reader)
{
    struct sf2 *sf2 = reader->sf2;
    for (uint32_t i = 0; i < sf2->sample_count; i++)
        read_sample(reader, i, &sf2->samples[i]);
    for (uint32_t i = 0; i < sf2->instrument_count; i++) {
        int status = read_header_zones(reader, &instrument_level, i, sf2->sample_count,
                                       &sf2->instruments[i].zones);
        if (status)
            return status;
    }
    for (uint32_t i = 0; i < sf2->preset_count; i++) {
        const uint8_t *at = record(reader, PHDR, i);
        struct sf2_preset *preset = &sf2->presets[i];
        read_name(preset->name, at);
        preset->program = u16(at + 20);
        preset->bank = u16(at + 22);
        int status =
            read_header_zones(reader, &preset_level, i, sf2->instrument_count, &preset->zones);
        if (status)
            return status;
    }
    sort_presets(sf2);
    return 0;
}

/// Room for every record; zones never overlap, so none is read twice.
static int allocate_tables(struct reader *reader)
{
    struct sf2 *sf2 = reader->sf2;
    sf2->preset_count = record_count(reader, PHDR) - 1; // each table ends with a terminal record
    sf2->instrument_count = record_count(reader, INST) - 1;
    sf2->sample_count = record_count(reader, SHDR) - 1;
    sf2->presets = calloc(sf2->preset_count + 1, sizeof *sf2->presets);
    sf2->instruments = calloc(sf2->instrument_count + 1, sizeof *sf2->instruments);
    sf2->samples = calloc(sf2->sample_count + 1, sizeof *sf2->samples);
    sf2->zones =
        calloc(record_count(reader, PBAG) + record_count(reader, IBAG), sizeof *sf2->zones);
    sf2->gens =
        calloc(record_count(reader, PGEN) + record_count(reader, IGEN) + 1, sizeof *sf2->gens);
    sf2->mods =
        calloc(record_count(reader, PMOD) + record_count(reader, IMOD) + 1, sizeof *sf2->mods);
    bool is_complete =
        sf2->presets && sf2->instruments && sf2->samples && sf2->zones && sf2->gens && sf2->mods;
    return is_complete ? 0 : -ENOMEM;
}

/// Zone, generator and modulator numbers must only grow, so that the tables above suffice.
static int check_order(struct reader *reader, const struct level *level)
{
    uint32_t headers = record_count(reader, level->headers);
    for (uint32_t i = 1; i < headers; i++) {
        const uint8_t *at = record(reader, level->headers, i) + level->header_zone_offset;
        if (u16(at) < u16(at - hydra_bytes[level->headers]))
            return refuse(reader, "chunk \"%s\", record %u: zones run backwards",
                          hydra_name[level->headers], i);
    }
    uint32_t bags = record_count(reader, level->bags);
    for (uint32_t i = 1; i < bags; i++) {
        const uint8_t *at = record(reader, level->bags, i);
        if (u16(at) < u16(at - 4) || u16(at + 2) < u16(at - 2))
            return refuse(reader, "chunk \"%s\", record %u: zones run backwards",
                          hydra_name[level->bags], i);
    }
    return 0;
}

int sf2_parse(const uint8_t *bytes, size_t count, struct sf2 *sf2, char *error, size_t error_bytes)
{
    struct reader reader = {
        .file = {bytes, count}, .sf2 = sf2, .error = error, .error_bytes = error_bytes};
    memset(sf2, 0, sizeof *sf2);
    int status = read_chunks(&reader);
    if (!status)
        status = check_order(&reader, &preset_level);
    if (!status)
        status = check_order(&reader, &instrument_level);
    if (!status)
        status = allocate_tables(&reader);
    if (!status)
        status = read_tables(&reader);
    if (!status && !sf2->preset_count)
        status = refuse(&reader, "chunk \"phdr\": the font has no preset");
    if (status)
        sf2_finish(sf2);
    return status;
}

void sf2_finish(struct sf2 *sf2)
{
    free(sf2->presets);
    free(sf2->instruments);
    free(sf2->samples);
    free(sf2->zones);
    free(sf2->gens);
    free(sf2->mods);
    memset(sf2, 0, sizeof *sf2);
}
