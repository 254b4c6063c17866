#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "dsp/engine/smf_reader.h"
#include "dsp/engine/smf_title.h"

// Passes on what the builder returned, with words.
static int built(struct smf_reader *reader, size_t offset, int error)
{
    if (error == -EFBIG)
        smf_reader_refuse(reader, offset, "more than %d events", SMF_EVENTS_MAX);
    else if (error)
        smf_reader_refuse(reader, offset, "out of memory");
    return error;
}

// A number of seven bits a byte, at most four bytes.
static int read_number(struct smf_reader *reader, const char *what, uint32_t *value)
{
    const size_t start = reader->at;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->at == reader->end)
            return smf_reader_refuse(reader, start, "the track ends within %s", what);
        uint8_t byte = reader->bytes[reader->at++];
        *value = *value << 7 | (byte & 0x7F);
        if (byte < 0x80)
            return 0;
    }
    return smf_reader_refuse(reader, start, "%s is longer than four bytes", what);
}

// The length of a meta event or system exclusive packet, which must lie within the track.
static int read_length(struct smf_reader *reader, uint32_t *length)
{
    const size_t start = reader->at;
    int error = read_number(reader, "a length", length);
    if (!error && *length > reader->end - reader->at)
        error = smf_reader_refuse(reader, start,
                                  "an event of %" PRIu32 " bytes, but %zu are left in the track",
                                  *length, reader->end - reader->at);
    return error;
}

// Adds what a message means. One without a meaning, broken ones among them, adds nothing.
static int add_message(struct smf_reader *reader, size_t offset, const uint8_t *bytes, size_t count)
{
    struct event events[MIDI_EVENTS_MAX];
    int made = midi_translate(bytes, count, events);
    for (int i = 0; i < made; i++) {
        int error = smf_builder_add(&reader->builder, reader->now_ticks, offset, &events[i]);
        if (error)
            return built(reader, offset, error);
    }
    return 0;
}

// `at` stands behind the status byte, or on the first data byte under running status.
static int read_channel_message(struct smf_reader *reader, size_t offset)
{
    uint8_t message[3] = {reader->status};
    const size_t count = midi_channel_message_bytes(reader->status);
    for (size_t i = 1; i < count; i++) {
        if (reader->at == reader->end)
            return smf_reader_refuse(reader, offset, "the track ends within an event");
        message[i] = reader->bytes[reader->at];
        if (message[i] >= 0x80)
            return smf_reader_refuse(reader, reader->at, "%02X where a data byte belongs",
                                     message[i]);
        reader->at++;
    }
    return add_message(reader, offset, message, count);
}

static void keep_sysex(struct smf_reader *reader, const uint8_t *bytes, size_t count)
{
    if (reader->sysex_count <= sizeof reader->sysex &&
        count <= sizeof reader->sysex - reader->sysex_count) {
        memcpy(reader->sysex + reader->sysex_count, bytes, count);
        reader->sysex_count += count;
    } else {
        reader->sysex_count = sizeof reader->sysex + 1; // too long to mean anything to us
    }
}

// F0: a message or its first packet. F7: a further packet of it, or, where none is open, any
// bytes at all: one message, if anything we know.
static int read_sysex(struct smf_reader *reader, size_t offset, uint8_t status)
{
    uint32_t length;
    int error = read_length(reader, &length);
    if (error)
        return error;
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += length;
    if (status == 0xF7 && reader->sysex_count == 0)
        return add_message(reader, offset, bytes, length);
    if (status == 0xF0) {
        reader->sysex_count = 0;
        keep_sysex(reader, &status, 1);
    }
    keep_sysex(reader, bytes, length);
    if (length == 0 || bytes[length - 1] != 0xF7)
        return 0;
    size_t count = reader->sysex_count;
    reader->sysex_count = 0;
    return count <= sizeof reader->sysex ? add_message(reader, offset, reader->sysex, count) : 0;
}

static int read_tempo(struct smf_reader *reader, size_t offset, const uint8_t *bytes, size_t count)
{
    uint32_t us_per_quarter = count == 3 ? smf_big_endian(bytes, 3) : 0;
    if (us_per_quarter == 0)
        return smf_reader_refuse(reader, offset, "a tempo of %s",
                                 count == 3 ? "zero" : "other than 3 bytes");
    return built(
        reader, offset,
        smf_builder_add_tempo(&reader->builder, reader->now_ticks, offset, us_per_quarter));
}

static int read_meta(struct smf_reader *reader, size_t offset, bool *is_end)
{
    if (reader->at == reader->end)
        return smf_reader_refuse(reader, offset, "the track ends within an event");
    const uint8_t type = reader->bytes[reader->at++];
    uint32_t length;
    int error = read_length(reader, &length);
    if (error)
        return error;
    const uint8_t *bytes = reader->bytes + reader->at;
    reader->at += length;
    *is_end = type == 0x2F;
    if (type == 0x51)
        return read_tempo(reader, offset, bytes, length);
    if (type == 0x03 && reader->tracks == 0 && !reader->title[0])
        smf_title_set(reader->title, bytes, length);
    return 0;
}

static int read_event(struct smf_reader *reader, bool *is_end)
{
    const size_t offset = reader->at;
    uint32_t ticks;
    int error = read_number(reader, "a delta time", &ticks);
    if (error)
        return error;
    reader->now_ticks += ticks;
    if (reader->at == reader->end)
        return smf_reader_refuse(reader, offset, "the track ends within an event");
    const uint8_t byte = reader->bytes[reader->at];
    if (byte >= 0x80)
        reader->at++;
    if (byte == 0xFF)
        return read_meta(reader, offset, is_end);
    if (byte == 0xF0 || byte == 0xF7)
        return read_sysex(reader, offset, byte);
    if (byte > 0xF0)
        return smf_reader_refuse(reader, offset, "%02X is no event of a MIDI file", byte);
    if (byte >= 0x80)
        reader->status = byte;
    if (reader->status == 0)
        return smf_reader_refuse(reader, offset, "a data byte before any status byte");
    return read_channel_message(reader, offset);
}

// The sequences of format 2 follow one another, each from the standard tempo on.
static int start_track(struct smf_reader *reader)
{
    reader->status = 0;
    reader->sysex_count = 0;
    if (reader->format != 2) {
        reader->now_ticks = 0;
        return 0;
    }
    return built(reader, reader->at,
                 smf_builder_add_tempo(&reader->builder, reader->now_ticks, reader->at, 500000));
}

int smf_reader_read_track(struct smf_reader *reader)
{
    int error = start_track(reader);
    bool is_end = false;
    while (!error && !is_end && reader->at < reader->end)
        error = read_event(reader, &is_end);
    if (error)
        return error;
    reader->tracks++;
    return built(reader, reader->at,
                 smf_builder_add_end(&reader->builder, reader->now_ticks, reader->at));
}
