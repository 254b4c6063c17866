/// A SoundFont, loaded: the presets and what each key of them plays.
///
/// Immutable once loaded, so shards, engines and threads share one. Uncompressed sample data is the
/// file itself, mapped and locked into memory, not a copy: a font of 148 MB loads in the time it
/// takes to read its tables. Owner: whoever loads it. Thread: any but the audio thread, unless
/// said otherwise.
#ifndef CONSORT_DSP_SYNTH_FONT_H
#define CONSORT_DSP_SYNTH_FONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct font;

enum { FONT_BANK_DRUMS = 128 }; ///< the bank of a SoundFont that holds drum kits

/// Loads an SF2 or SF3 file. `progress` (or NULL) hears 0..100 now and then, on this thread.
/// Returns NULL with a whole sentence (file, place, reason) in `error`.
struct font *font_load(const char *path, void (*progress)(void *context, double percent),
                       void *context, char *error, size_t error_bytes);

/// No shard may use it any more. NULL is welcome.
void font_destroy(struct font *font);

/// Resolves "auto" (or "") to the best General MIDI font installed, and a bare name
/// ("FluidR3_GM", with or without extension) to a file in the usual folders; a path stays as it
/// is. Returns 0, or -ENOENT.
int font_find(const char *wanted, char *path, size_t bytes);

const char *font_path(const struct font *font);
unsigned font_preset_count(const struct font *font);

/// The number of the preset that a bank and program select, by these rules: the exact one; for
/// drums the same kit of bank 128, then its kit 0; else the program in bank 0; else the first.
/// RT safe.
RT unsigned font_find_preset(const struct font *font, unsigned bank, unsigned program,
                             bool is_drums);

/// Bank, program and name of a preset below `font_preset_count`. RT safe.
RT unsigned font_preset_bank(const struct font *font, unsigned preset);
RT unsigned font_preset_program(const struct font *font, unsigned preset);
RT const char *font_preset_name(const struct font *font, unsigned preset);

/// Whether the key has an exclusive class: it silences its fellows, as a closed hi-hat does the
/// open one, and so must share their shard. RT safe.
RT bool font_is_exclusive(const struct font *font, unsigned preset, unsigned key);

#endif
