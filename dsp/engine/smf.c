#include "dsp/engine/smf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dsp/engine/smf_reader.h"

int smf_reader_refuse(struct smf_reader *reader, size_t offset, const char *reason, ...)
{
    va_list values;
    va_start(values, reason);
    vsnprintf(reader->error->reason, sizeof reader->error->reason, reason, values);
    va_end(values);
    reader->error->offset = offset;
    reader->error->has_offset = true;
    return -EBADMSG;
}

static uint32_t little_endian_32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool has_id(const struct smf_reader *reader, size_t at, const char *id)
{
    return reader->count >= at + 4 && memcmp(reader->bytes + at, id, 4) == 0;
}

// A track is read; any other chunk of a well-formed name is skipped, as the standard asks.
static int read_chunk(struct smf_reader *reader)
{
    const size_t start = reader->at;
    const bool is_track = has_id(reader, start, "MTrk");
    for (size_t i = start; i < start + 4 && i < reader->count; i++)
        if (reader->bytes[i] < 0x20 || reader->bytes[i] > 0x7E)
            return smf_reader_refuse(reader, start, "no chunk where track %u should be",
                                     reader->tracks + 1);
    if (reader->count - start < 8)
        return smf_reader_refuse(reader, start, "the file ends within the header of a chunk");
    const uint32_t length = smf_big_endian(reader->bytes + start + 4, 4);
    if (length > reader->count - start - 8)
        return smf_reader_refuse(reader, start,
                                 "a chunk of %" PRIu32 " bytes, but %zu are left in the file",
                                 length, reader->count - start - 8);
    reader->at = start + 8;
    reader->end = reader->at + length;
    int error = is_track ? smf_reader_read_track(reader) : 0;
    reader->at = reader->end;
    return error;
}

static int read_chunks(struct smf_reader *reader)
{
    while (reader->at < reader->count) {
        if (reader->tracks >= reader->tracks_declared && !has_id(reader, reader->at, "MTrk"))
            break; // whatever follows the last track
        int error = read_chunk(reader);
        if (error)
            return error;
    }
    if (reader->tracks == 0)
        return smf_reader_refuse(reader, reader->at, "no track");
    return 0;
}

static int read_division(struct smf_reader *reader, uint32_t division)
{
    const size_t offset = reader->at - 2;
    if (division < 0x8000) {
        if (division == 0)
            return smf_reader_refuse(reader, offset, "zero ticks per quarter note");
        reader->tick = smf_tick_metrical(division);
        return 0;
    }
    const uint32_t frames_per_second = 0x100 - (division >> 8), ticks = division & 0xFF;
    const bool is_known = frames_per_second == 24 || frames_per_second == 25 ||
                          frames_per_second == 29 || frames_per_second == 30;
    if (!is_known || ticks == 0)
        return smf_reader_refuse(
            reader, offset, "a time base of %" PRIu32 " ticks at %" PRIu32 " SMPTE frames a second",
            ticks, frames_per_second);
    reader->tick = smf_tick_smpte(frames_per_second, ticks);
    return 0;
}

static int read_header(struct smf_reader *reader)
{
    const size_t start = reader->at;
    if (!has_id(reader, start, "MThd"))
        return smf_reader_refuse(reader, start,
                                 "no standard MIDI file: it does not begin with \"MThd\"");
    if (reader->count - start < 14)
        return smf_reader_refuse(reader, start, "the file ends within its header");
    const uint8_t *bytes = reader->bytes + start;
    const uint32_t length = smf_big_endian(bytes + 4, 4);
    if (length < 6 || length > reader->count - start - 8)
        return smf_reader_refuse(reader, start + 4, "a header of %" PRIu32 " bytes", length);
    reader->format = smf_big_endian(bytes + 8, 2);
    reader->tracks_declared = smf_big_endian(bytes + 10, 2);
    if (reader->format > 2)
        return smf_reader_refuse(reader, start + 8, "format %u; only 0, 1 and 2 are known",
                                 reader->format);
    reader->at = start + 14;
    int error = read_division(reader, smf_big_endian(bytes + 12, 2));
    reader->at = start + 8 + length;
    return error;
}

// RIFF "RMID": the file is in its "data" chunk. Chunks of RIFF have even places.
static int unwrap_riff(struct smf_reader *reader)
{
    if (!has_id(reader, 0, "RIFF"))
        return 0;
    if (!has_id(reader, 8, "RMID"))
        return smf_reader_refuse(reader, 0, "a RIFF file, but not of MIDI");
    for (reader->at = 12; reader->count - reader->at >= 8;) {
        const size_t start = reader->at;
        const uint32_t length = little_endian_32(reader->bytes + start + 4);
        if (length > reader->count - start - 8)
            return smf_reader_refuse(reader, start,
                                     "a chunk of %" PRIu32 " bytes, but %zu are left", length,
                                     reader->count - start - 8);
        reader->at = start + 8;
        if (has_id(reader, start, "data")) {
            reader->count = reader->at + length;
            return 0;
        }
        reader->at += length;
        reader->at += reader->at < reader->count ? length % 2 : 0;
    }
    return smf_reader_refuse(reader, reader->at, "a RIFF file without \"data\"");
}

static int finish(struct smf_reader *reader, struct smf **piece)
{
    size_t offset = 0;
    int error = smf_builder_finish(&reader->builder, reader->tick, reader->title, piece, &offset);
    if (error == -EFBIG)
        smf_reader_refuse(reader, offset, "the piece is longer than %d hours",
                          SMF_SECONDS_MAX / 3600);
    else if (error)
        smf_reader_refuse(reader, 0, "out of memory");
    return error;
}

int smf_parse(const uint8_t *bytes, size_t count, struct smf **piece, struct smf_error *error)
{
    struct smf_reader reader = {.bytes = bytes, .count = count, .error = error};
    if (count > SMF_BYTES_MAX) {
        smf_reader_refuse(&reader, SMF_BYTES_MAX, "more than %d MiB", SMF_BYTES_MAX >> 20);
        return -EFBIG;
    }
    smf_builder_init(&reader.builder);
    int status = unwrap_riff(&reader);
    if (!status)
        status = read_header(&reader);
    if (!status)
        status = read_chunks(&reader);
    if (!status)
        return finish(&reader, piece);
    smf_builder_discard(&reader.builder);
    return status;
}
