/// Writes standard MIDI files, for tests: one track at a time, into memory of its own.
///
/// A plain struct. Events are given with their absolute tick, in order. Asserts that all fits.
#ifndef CONSORT_TESTS_ENGINE_SMF_WRITER_H
#define CONSORT_TESTS_ENGINE_SMF_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMF_WRITER_BYTES = 1 << 20 };

struct smf_writer {
    uint8_t bytes[SMF_WRITER_BYTES];
    size_t count;
    size_t track; ///< where the data of the open track begin
    uint32_t tick;
    uint8_t status;           ///< running status, 0 for none
    bool uses_running_status; ///< leave out a status that repeats
};

void smf_writer_begin(struct smf_writer *writer, unsigned format, unsigned tracks,
                      unsigned division);
void smf_writer_begin_track(struct smf_writer *writer);
void smf_writer_end_track(struct smf_writer *writer, uint32_t tick);

/// One message of two or three bytes.
void smf_writer_message(struct smf_writer *writer, uint32_t tick, uint8_t status, uint8_t first,
                        uint8_t second);
void smf_writer_note(struct smf_writer *writer, uint32_t tick, uint8_t channel, uint8_t key,
                     uint8_t velocity);
void smf_writer_control(struct smf_writer *writer, uint32_t tick, uint8_t channel, uint8_t number,
                        uint8_t value);

/// A whole system exclusive message, F0 and F7 among its bytes.
void smf_writer_sysex(struct smf_writer *writer, uint32_t tick, const uint8_t *bytes, size_t count);

void smf_writer_meta(struct smf_writer *writer, uint32_t tick, uint8_t type, const void *bytes,
                     size_t count);
void smf_writer_tempo(struct smf_writer *writer, uint32_t tick, uint32_t us_per_quarter);

/// Bytes as they are, for broken files.
void smf_writer_raw(struct smf_writer *writer, const void *bytes, size_t count);

#endif
