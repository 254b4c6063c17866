/// Writes SoundFonts, for tests: samples, then instruments, then presets, into memory of its own.
///
/// A preset or an instrument is begun, then each of its zones, then what the zone holds; a zone
/// ends with its link (`font_writer_gen` with generator 41 or 53). Asserts that memory suffices.
/// Nothing is checked: a test may write what no font should say.
#ifndef CONSORT_TESTS_SYNTH_FONT_WRITER_H
#define CONSORT_TESTS_SYNTH_FONT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/synth/font.h"

struct font_bytes {
    uint8_t *at;
    size_t count, room;
};

/// The tables of a SoundFont, in their order in the file.
enum font_table { PHDR, PBAG, PMOD, PGEN, INST, IBAG, IMOD, IGEN, SHDR, FONT_TABLES };

struct font_writer {
    struct font_bytes tables[FONT_TABLES];
    struct font_bytes smpl, file;
    enum font_table level; ///< PHDR or INST: whose zones are being written
};

/// Generators used by tests.
enum {
    WRITER_GEN_ATTENUATION = 48,
    WRITER_GEN_PAN = 17,
    WRITER_GEN_DECAY = 36,
    WRITER_GEN_SUSTAIN = 37,
    WRITER_GEN_RELEASE = 38,
    WRITER_GEN_INSTRUMENT = 41,
    WRITER_GEN_KEYS = 43,
    WRITER_GEN_VELOCITIES = 44,
    WRITER_GEN_SAMPLE = 53,
    WRITER_GEN_SAMPLE_MODES = 54,
    WRITER_GEN_SCALE_TUNING = 56,
    WRITER_GEN_EXCLUSIVE = 57,
};

/// The writer must be all zero.
void font_writer_finish(struct font_writer *writer);

/// Adds a sample that loops over [loop_start, loop_end), frames of its own. Returns its number.
int font_writer_sample(struct font_writer *writer, const char *name, const int16_t *frames,
                       uint32_t count, uint32_t loop_start, uint32_t loop_end, uint32_t rate_hz,
                       uint8_t root_key);
void font_writer_instrument(struct font_writer *writer, const char *name);
void font_writer_preset(struct font_writer *writer, const char *name, uint16_t bank,
                        uint16_t program);
void font_writer_zone(struct font_writer *writer);
void font_writer_gen(struct font_writer *writer, uint16_t id, int amount);

/// The amount of a range of keys or velocities.
int font_writer_range(int low, int high);
void font_writer_mod(struct font_writer *writer, uint16_t source, uint16_t destination, int amount,
                     uint16_t amount_source, uint16_t transform);

/// Ends the tables and puts the file together in `writer->file`.
void font_writer_end(struct font_writer *writer);

/// Puts the file together anew, from tables that were changed since.
void font_writer_seal(struct font_writer *writer);

/// Loads bytes as a font, through a file in memory. Returns as `font_load`.
struct font *font_writer_load_bytes(const uint8_t *bytes, size_t count, char *error,
                                    size_t error_bytes);

/// The same for what `font_writer_end` made.
struct font *font_writer_load(const struct font_writer *writer);

#endif
