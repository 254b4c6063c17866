/// The title of a piece: hostile bytes in, clean UTF-8 out. Thread: any.
#ifndef CONSORT_DSP_ENGINE_SMF_TITLE_H
#define CONSORT_DSP_ENGINE_SMF_TITLE_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/smf.h"

/// Writes a name of a MIDI file as UTF-8, whole characters only, cut where `title` is full. Bytes
/// that are UTF-8 are kept; otherwise they are read as Latin-1, which the standard means by
/// "ASCII" in practice. Controls become nothing, and spaces around the name go.
void smf_title_set(char title[SMF_TITLE_BYTES], const uint8_t *bytes, size_t count);

#endif
