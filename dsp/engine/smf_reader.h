/// The inside of the MIDI file reader: `smf.c` reads wrapper, header and chunks, `smf_track.c` the
/// events of a track. Nobody else includes this.
#ifndef CONSORT_DSP_ENGINE_SMF_READER_H
#define CONSORT_DSP_ENGINE_SMF_READER_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/midi.h"
#include "dsp/engine/smf.h"
#include "dsp/engine/smf_builder.h"

/// Reads a file in memory from front to back. `at` never passes `end`, the end of the chunk that is
/// being read, and that never passes `count`.
struct smf_reader {
    const uint8_t *bytes;
    size_t count;
    size_t at, end;
    struct smf_error *error;
    struct smf_builder builder;
    struct smf_tick tick;
    unsigned format, tracks_declared, tracks;
    uint64_t now_ticks;
    uint8_t status;                // running status, 0 for none
    uint8_t sysex[MIDI_BYTES_MAX]; // a system exclusive message, perhaps of several packets
    size_t sysex_count;            // its length so far, perhaps more than fits
    char title[SMF_TITLE_BYTES];
};

/// Fills in the error. Returns -EBADMSG.
__attribute__((format(printf, 3, 4))) int smf_reader_refuse(struct smf_reader *reader,
                                                            size_t offset, const char *reason, ...);

/// Reads a track from `at` to its end-of-track or to `end`. Returns as `smf_parse`.
int smf_reader_read_track(struct smf_reader *reader);

/// A number of `count` bytes, the highest first.
static inline uint32_t smf_big_endian(const uint8_t *bytes, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

#endif
