/// The parameter table: what can be set or watched, by flat index, OSC path or config key.
///
/// Constant data, made from `params.def`. Thread: any. A row with PARAM_PER_PART has 16 flat
/// indices in a run, one for each part: the index of part n (0..15) is `PARAM_CH_VOLUME + n`.
#ifndef CONSORT_CONFIG_PARAM_H
#define CONSORT_CONFIG_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum param_type { PARAM_FLOAT, PARAM_INT, PARAM_BOOL, PARAM_ENUM, PARAM_TEXT };

enum param_flag {
    PARAM_FLAG_CONFIG = 1,
    PARAM_FLAG_ENGINE = 2,
    PARAM_FLAG_RESTART = 4,
    PARAM_FLAG_STATE = 8,
    PARAM_FLAG_PER_PART = 16,
    PARAM_FLAG_FROM_PART = 32,
    PARAM_FLAG_CONTROLLER = 64,
};

/// Flat indices: PARAM_AUDIO_SERVER, ..., PARAM_CH_VOLUME (of part 1), ..., PARAM_COUNT.
enum param_index {
#define CONFIG PARAM_FLAG_CONFIG
#define ENGINE PARAM_FLAG_ENGINE
#define RESTART PARAM_FLAG_RESTART
#define STATE PARAM_FLAG_STATE
#define PER_PART PARAM_FLAG_PER_PART
#define FROM_PART PARAM_FLAG_FROM_PART
#define CONTROLLER PARAM_FLAG_CONTROLLER
#define PARAM(id, path, type, unit, minimum, maximum, standard, choices, flags, label, sentence)   \
    PARAM_##id, PARAM_##id##_LAST_ = PARAM_##id + (((flags)&PER_PART) ? 15 : 0),
#include "config/params.def"
#undef PARAM
#undef CONFIG
#undef ENGINE
#undef RESTART
#undef STATE
#undef PER_PART
#undef FROM_PART
#undef CONTROLLER
    PARAM_COUNT
};

enum { PARAM_TEXT_MAX = 256 }; ///< bytes of a text value, its zero included

/// One row of the table.
struct param {
    const char *path;                  ///< "/ch/N/volume"
    const char *unit;                  ///< "dB", "Hz", "ms", ..., "" for plain numbers
    const char *choices;               ///< ENUM: "auto|start|join"
    const char *label;                 ///< for displays
    const char *sentence;              ///< what it does
    const char *text;                  ///< default of a TEXT parameter
    double minimum, maximum, standard; ///< native units; `standard` is the default
    uint16_t index;                    ///< flat index of the row, of part 1 for PER_PART rows
    uint8_t type;                      ///< enum param_type
    uint8_t flags;                     ///< enum param_flag, or-ed
};

/// A value: `number` for all types but TEXT (BOOL 0 or 1, ENUM the place of the choice).
struct param_value {
    double number;
    char text[PARAM_TEXT_MAX];
};

/// The rows in the order of the file.
extern const struct param param_rows[];
extern const size_t param_row_count;

/// The row of a flat index below PARAM_COUNT.
const struct param *param_row(unsigned index);

/// Part 1..16 of a flat index, 0 for rows that are not PER_PART.
unsigned param_part(unsigned index);

/// The OSC address of a flat index ("/ch/3/volume") in `path`. Returns its length, as snprintf.
int param_path(unsigned index, char *path, size_t bytes);

/// The config key of a flat index ("ch3.volume", "master.limiter.on"). Returns its length.
int param_key(unsigned index, char *key, size_t bytes);

/// The flat index of an OSC address or of a config key, or -ENOENT.
int param_find_path(const char *path);
int param_find_key(const char *key);

/// The path nearest in spelling (edit distance, ties by table order), and the key among those that
/// may stand in the config file, for messages.
unsigned param_nearest_path(const char *path);
unsigned param_nearest_key(const char *key);

/// The default of a flat index.
void param_default(unsigned index, struct param_value *value);

/// Place of a choice in an ENUM row, or -ENOENT; name of a choice, or NULL; how many there are.
int param_choice_find(const struct param *row, const char *name);
int param_choice_name(const struct param *row, int choice, char *name, size_t bytes);
int param_choice_count(const struct param *row);

/// Whether a number may be the value: finite, in range, whole where the type asks for it.
bool param_is_valid(const struct param *row, double number);

/// The nearest valid number; NaN gives the default.
double param_clamp(const struct param *row, double number);

/// Native to 0..1 and back, linear over the range; the result is valid.
double param_normalize(const struct param *row, double number);
double param_denormalize(const struct param *row, double normalized);

/// "-0.5 dB", "auto", "on", "\"file\"". Returns the length, as snprintf.
int param_format(const struct param *row, const struct param_value *value, char *text,
                 size_t bytes);

/// The allowed range in words: "16 to 4096 frames", "auto, start or join", "on or off",
/// "text of at most 255 bytes".
int param_format_range(const struct param *row, char *text, size_t bytes);

#endif
