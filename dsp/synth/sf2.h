/// A SoundFont 2 or 3 file in memory, checked and indexed: samples, instruments, presets.
///
/// Pure data over the file's bytes, which it borrows. Immutable once parsed. Thread: any.
/// Every index and offset in here is within bounds, whatever the file said.
/// Source: SoundFont Technical Specification 2.04, sections 7 and 8.
#ifndef CONSORT_DSP_SYNTH_SF2_H
#define CONSORT_DSP_SYNTH_SF2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Generators with a meaning for the reader; the others pass through by number.
enum {
    SF2_GEN_END = 1,         ///< offset of a sample's end, in frames
    SF2_GEN_END_COARSE = 12, ///< the same in units of 32768 frames
    SF2_GEN_INSTRUMENT = 41,
    SF2_GEN_KEY_RANGE = 43,
    SF2_GEN_VELOCITY_RANGE = 44,
    SF2_GEN_ATTENUATION = 48,
    SF2_GEN_SAMPLE = 53,
    SF2_GEN_SAMPLE_MODES = 54,
    SF2_GEN_EXCLUSIVE_CLASS = 57,
    SF2_GEN_OVERRIDING_ROOT_KEY = 58, ///< the last that a file may use
    SF2_GENS = 59,
};

enum { SF2_FRAMES_MIN = 8 }; ///< a shorter sample is no sound

/// A run of elements in one of the font's arrays.
struct sf2_span {
    uint32_t first, count;
};

struct sf2_gen {
    uint8_t id;     ///< below SF2_GENS
    int16_t amount; ///< as in the file
};

struct sf2_mod {
    uint16_t source, destination;
    int16_t amount;
    uint16_t amount_source, transform;
};

struct sf2_zone {
    uint8_t key_low, key_high, velocity_low, velocity_high;
    int32_t link;         ///< instrument of a preset zone, sample of an instrument zone; -1: global
    struct sf2_span gens; ///< in `gens`: each id once, ranges and link left out
    struct sf2_span mods; ///< in `mods`
};

struct sf2_preset {
    char name[21];
    uint16_t bank, program;
    struct sf2_span zones; ///< in `zones`; only the first may be global
};

struct sf2_instrument {
    struct sf2_span zones;
};

struct sf2_sample {
    char name[21];
    bool is_usable;                ///< false: in ROM, empty, or of an unknown kind
    bool is_compressed;            ///< an Ogg Vorbis stream of `end - start` bytes at byte `start`
    uint32_t start;                ///< first frame (byte, when compressed) in the sample chunk
    uint32_t end;                  ///< one past the last
    uint32_t frames;               ///< 8 or more; of a compressed one known when it is decoded
    uint32_t loop_start, loop_end; ///< frames from the sample's own start
    uint32_t rate_hz;
    uint8_t root_key;
    int8_t fine_cents;
};

struct sf2 {
    const uint8_t *sample_bytes; ///< the chunk "smpl"
    size_t sample_byte_count;
    const uint8_t *low_bytes;   ///< the chunk "sm24": bits 0..7 of each frame, or NULL
    struct sf2_preset *presets; ///< in the order of (bank, program), each once
    struct sf2_instrument *instruments;
    struct sf2_sample *samples;
    struct sf2_zone *zones;
    struct sf2_gen *gens;
    struct sf2_mod *mods;
    uint32_t preset_count, instrument_count, sample_count;
    uint32_t zone_count, gen_count, mod_count;
};

/// Reads `bytes`, which must outlive `sf2`. Returns 0, -ENOMEM, or -EBADMSG with the place (a byte
/// offset or a chunk) and the reason in `error`.
int sf2_parse(const uint8_t *bytes, size_t count, struct sf2 *sf2, char *error, size_t error_bytes);

/// Frees what `sf2_parse` made; not the file's bytes.
void sf2_finish(struct sf2 *sf2);

#endif
