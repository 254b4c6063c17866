/// A piece of music: a standard MIDI file, read whole, as events in the order of time.
///
/// Immutable once made, so that the audio thread may read it while others do. Owner: whoever
/// parsed it. Thread: all functions here any but the audio thread.
///
/// Read are formats 0 and 1, format 2 (its sequences one after another), metrical and SMPTE time,
/// and the RIFF RMID wrapper. What is broken is refused with its place, except for flaws that are
/// widely seen and harmless:
///   - a track without end-of-track ends where its chunk ends;
///   - bytes behind end-of-track, and whatever follows the last track and is no track: ignored;
///   - the header's number of tracks need not be right;
///   - running status goes on through meta events and system exclusive;
///   - a system exclusive message that is unfinished or has a wrong checksum: ignored, as a
///     synthesiser would.
#ifndef CONSORT_DSP_ENGINE_SMF_H
#define CONSORT_DSP_ENGINE_SMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/event.h"

enum {
    SMF_BYTES_MAX = 64 << 20,    ///< of a file
    SMF_EVENTS_MAX = 4000000,    ///< of a piece, tempo changes among them
    SMF_SECONDS_MAX = 24 * 3600, ///< of a piece
    SMF_TITLE_BYTES = 128,
};

struct smf_event {
    uint64_t time_ns;   ///< from the start of the piece
    struct event event; ///< frame, source and order are 0
};

struct smf {
    struct smf_event *events; ///< in the order of time; of one time in the order of the file
    size_t count;
    size_t notes;                ///< how many of them are note-ons
    uint64_t length_ns;          ///< where the last track ends, never before the last event
    char title[SMF_TITLE_BYTES]; ///< name of the first track in UTF-8 without controls, or ""
};

/// Where and why a file was refused.
struct smf_error {
    size_t offset;    ///< byte of the file
    bool has_offset;  ///< the fault lies within the file
    char reason[120]; ///< "the track ends within an event"
};

/// Parses a whole file in memory. Returns 0 and a piece of the caller's, or -EBADMSG (broken),
/// -EFBIG (a bound is passed) or -ENOMEM with `error` filled in.
int smf_parse(const uint8_t *bytes, size_t count, struct smf **piece, struct smf_error *error);

/// Reads and parses a regular file of at most SMF_BYTES_MAX. Returns as `smf_parse`, or the
/// negative errno of opening or reading it; `error` says all.
int smf_load(const char *path, struct smf **piece, struct smf_error *error);

/// "song.mid: byte 31: the track ends within an event". Returns the length, as snprintf.
int smf_error_format(const struct smf_error *error, const char *path, char *text, size_t bytes);

/// NULL is welcome.
void smf_destroy(struct smf *piece);

#endif
