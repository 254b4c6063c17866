#include "tests/engine/smf_writer.h"

#include <assert.h>
#include <string.h>

void smf_writer_raw(struct smf_writer *writer, const void *bytes, size_t count)
{
    assert(writer->count + count <= SMF_WRITER_BYTES);
    if (count)
        memcpy(writer->bytes + writer->count, bytes, count);
    writer->count += count;
}

static void put_byte(struct smf_writer *writer, uint8_t byte) { smf_writer_raw(writer, &byte, 1); }

static void put_big_endian(uint8_t *bytes, uint32_t value, size_t count)
{
    for (size_t i = count; i-- > 0; value >>= 8)
        bytes[i] = (uint8_t)value;
}

static void put_number(struct smf_writer *writer, uint32_t value)
{
    assert(value < 1u << 28);
    for (int shift = 21; shift > 0; shift -= 7)
        if (value >> shift)
            put_byte(writer, (uint8_t)(0x80 | value >> shift));
    put_byte(writer, value & 0x7F);
}

static void put_delta(struct smf_writer *writer, uint32_t tick)
{
    assert(tick >= writer->tick);
    put_number(writer, tick - writer->tick);
    writer->tick = tick;
}

void smf_writer_begin(struct smf_writer *writer, unsigned format, unsigned tracks,
                      unsigned division)
{
    uint8_t header[14] = {'M', 'T', 'h', 'd', 0, 0, 0, 6};
    put_big_endian(header + 8, format, 2);
    put_big_endian(header + 10, tracks, 2);
    put_big_endian(header + 12, division, 2);
    writer->count = 0;
    smf_writer_raw(writer, header, sizeof header);
}

void smf_writer_begin_track(struct smf_writer *writer)
{
    smf_writer_raw(writer, "MTrk\0\0\0\0", 8);
    writer->track = writer->count;
    writer->tick = 0;
    writer->status = 0;
}

void smf_writer_end_track(struct smf_writer *writer, uint32_t tick)
{
    smf_writer_meta(writer, tick, 0x2F, NULL, 0);
    put_big_endian(writer->bytes + writer->track - 4, (uint32_t)(writer->count - writer->track), 4);
}

void smf_writer_message(struct smf_writer *writer, uint32_t tick, uint8_t status, uint8_t first,
                        uint8_t second)
{
    put_delta(writer, tick);
    if (!writer->uses_running_status || status != writer->status)
        put_byte(writer, status);
    writer->status = status;
    put_byte(writer, first);
    if ((status & 0xE0) != 0xC0)
        put_byte(writer, second);
}

void smf_writer_note(struct smf_writer *writer, uint32_t tick, uint8_t channel, uint8_t key,
                     uint8_t velocity)
{
    smf_writer_message(writer, tick, 0x90 | channel, key, velocity);
}

void smf_writer_control(struct smf_writer *writer, uint32_t tick, uint8_t channel, uint8_t number,
                        uint8_t value)
{
    smf_writer_message(writer, tick, 0xB0 | channel, number, value);
}

void smf_writer_sysex(struct smf_writer *writer, uint32_t tick, const uint8_t *bytes, size_t count)
{
    put_delta(writer, tick);
    put_byte(writer, 0xF0);
    put_number(writer, (uint32_t)count - 1);
    smf_writer_raw(writer, bytes + 1, count - 1);
    writer->status = 0;
}

void smf_writer_meta(struct smf_writer *writer, uint32_t tick, uint8_t type, const void *bytes,
                     size_t count)
{
    put_delta(writer, tick);
    put_byte(writer, 0xFF);
    put_byte(writer, type);
    put_number(writer, (uint32_t)count);
    smf_writer_raw(writer, bytes, count);
    writer->status = 0;
}

void smf_writer_tempo(struct smf_writer *writer, uint32_t tick, uint32_t us_per_quarter)
{
    uint8_t bytes[3];
    put_big_endian(bytes, us_per_quarter, 3);
    smf_writer_meta(writer, tick, 0x51, bytes, 3);
}
