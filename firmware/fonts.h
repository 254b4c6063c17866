/// The loader: fetches SoundFonts on a thread of its own and hands them to the engine, whose old
/// notes ring out in the font before. A font that fails to load leaves the old one playing.
///
/// Reports by the parameters PARAM_SYNTH_LOADED, _PROGRESS and _MESSAGE. Owner: the daemon.
/// Thread: main, but for `fonts_preset_name` (any but the audio thread).
#ifndef CONSORT_FIRMWARE_FONTS_H
#define CONSORT_FIRMWARE_FONTS_H

#include <stdbool.h>
#include <stddef.h>

#include "dsp/engine/engine.h"
#include "firmware/control.h"

struct fonts;

/// Starts the loader. Returns NULL with errno.
struct fonts *fonts_create(struct control *control);

/// No engine may use its fonts any more. NULL is welcome.
void fonts_destroy(struct fonts *fonts);

/// Asks for a font: a path, a name, "auto". The newest wish wins. If the first of all fails, the
/// best font installed stands in for it.
void fonts_want(struct fonts *fonts, const char *wanted);

/// Takes another engine, which gets the font that plays. NULL takes the engine away and keeps what
/// it has, until it is destroyed and the next one comes. Waits for a hand-over under way.
void fonts_use_engine(struct fonts *fonts, struct engine *engine);

/// Whether the engine has the font that was asked for last, or one that stands in for it.
bool fonts_is_settled(struct fonts *fonts);

/// The name of the preset that a bank and program select; "" without a font.
void fonts_preset_name(struct fonts *fonts, unsigned bank, unsigned program, bool is_drums,
                       char *name, size_t bytes);

#endif
