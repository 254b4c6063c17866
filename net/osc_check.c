#include "net/osc_check.h"

#include <string.h>

enum { BUNDLE_HEADER_BYTES = 16, SIZE_BYTES = 4 };

/// A place in the packet, from which a piece of known end is read.
struct reader {
    const uint8_t *packet;
    size_t at, end;
    struct osc_fault *fault;
};

static bool refuse(struct reader *reader, const char *reason)
{
    *reader->fault = (struct osc_fault){reader->at, reason};
    return false;
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint64_t read_u64(const uint8_t *bytes)
{
    return (uint64_t)read_u32(bytes) << 32 | read_u32(bytes + 4);
}

static bool is_bundle(const uint8_t *piece, size_t bytes)
{
    return bytes >= BUNDLE_HEADER_BYTES && memcmp(piece, "#bundle", 8) == 0;
}

static bool skip(struct reader *reader, size_t bytes)
{
    if (reader->end - reader->at < bytes)
        return refuse(reader, "an argument ends beyond its message");
    reader->at += bytes;
    return true;
}

/// A string with its zero, padded with zeros to a multiple of four bytes.
static bool skip_string(struct reader *reader)
{
    const uint8_t *text = reader->packet + reader->at;
    const size_t room = reader->end - reader->at;
    const size_t length = strnlen((const char *)text, room);

    if (length == room)
        return refuse(reader, "a string has no end");
    const size_t padded = (length | 3) + 1;
    if (padded > room)
        return refuse(reader, "a string is not padded");
    for (size_t i = length; i < padded; i++)
        if (text[i] != 0)
            return refuse(reader, "a string is not padded with zeros");
    reader->at += padded;
    return true;
}

static bool skip_blob(struct reader *reader)
{
    const size_t start = reader->at;
    if (!skip(reader, SIZE_BYTES))
        return false;
    const uint64_t bytes = read_u32(reader->packet + start);
    if (bytes > INT32_MAX)
        return refuse(reader, "a blob has a negative size");
    if (!skip(reader, (bytes + 3) & ~UINT64_C(3)))
        return false;
    for (size_t at = start + SIZE_BYTES + bytes; at < reader->at; at++)
        if (reader->packet[at] != 0)
            return refuse(reader, "a blob is not padded with zeros");
    return true;
}

static bool skip_argument(struct reader *reader, char type)
{
    switch (type) {
    case 'i':
    case 'f':
    case 'c':
    case 'm':
        return skip(reader, 4);
    case 'h':
    case 'd':
    case 't':
        return skip(reader, 8);
    case 's':
    case 'S':
        return skip_string(reader);
    case 'b':
        return skip_blob(reader);
    case 'T':
    case 'F':
    case 'N':
    case 'I':
        return true;
    default:
        return refuse(reader, "an argument type is not known");
    }
}

static bool check_address(struct reader *reader)
{
    const uint8_t *address = reader->packet + reader->at;
    const size_t room = reader->end - reader->at;
    const size_t length = strnlen((const char *)address, room);

    if (room == 0 || address[0] != '/')
        return refuse(reader, "an address must begin with a slash");
    if (length >= OSC_ADDRESS_MAX)
        return refuse(reader, "an address is longer than 255 bytes");
    for (size_t i = 0; i < length; i++)
        if (address[i] <= ' ' || address[i] > '~')
            return refuse(reader, "an address must be printable text without spaces");
    return skip_string(reader);
}

static bool check_message(struct reader *reader)
{
    if (!check_address(reader))
        return false;
    if (reader->at == reader->end)
        return true; // senders of old leave out the types when there is no argument

    const char *types = (const char *)reader->packet + reader->at;
    if (types[0] != ',')
        return refuse(reader, "the argument types must begin with a comma");
    if (!skip_string(reader))
        return false;
    if (strlen(types + 1) > OSC_ARGUMENTS_MAX)
        return refuse(reader, "a message has more than 32 arguments");
    for (const char *type = types + 1; *type; type++)
        if (!skip_argument(reader, *type))
            return false;
    return reader->at == reader->end || refuse(reader, "a message has bytes left over");
}

static bool check_piece(struct reader *reader, int depth);

static bool check_bundle(struct reader *reader, int depth)
{
    const size_t end = reader->end;

    if (depth > OSC_DEPTH_MAX)
        return refuse(reader, "bundles are nested more than 4 deep");
    reader->at += BUNDLE_HEADER_BYTES;
    while (reader->at < end) {
        if (end - reader->at < SIZE_BYTES)
            return refuse(reader, "a bundle ends within a size");
        const uint32_t bytes = read_u32(reader->packet + reader->at);
        if (bytes % 4 || bytes > end - reader->at - SIZE_BYTES)
            return refuse(reader, "a size in a bundle is wrong");
        reader->at += SIZE_BYTES;
        reader->end = reader->at + bytes;
        if (!check_piece(reader, depth))
            return false;
        reader->end = end;
    }
    return true;
}

static bool check_piece(struct reader *reader, int depth)
{
    if (is_bundle(reader->packet + reader->at, reader->end - reader->at))
        return check_bundle(reader, depth + 1);
    return check_message(reader);
}

bool osc_check_packet(const void *packet, size_t bytes, struct osc_fault *fault)
{
    struct reader reader = {.packet = packet, .end = bytes, .fault = fault};

    if (bytes == 0 || bytes % 4)
        return refuse(&reader, "the size of a packet must be a multiple of four");
    if (bytes > OSC_PACKET_MAX)
        return refuse(&reader, "a packet is longer than 65536 bytes");
    return check_piece(&reader, 0);
}

static void visit_piece(const uint8_t *piece, size_t bytes, uint64_t timetag, osc_visit *visit,
                        void *context)
{
    if (!is_bundle(piece, bytes)) {
        visit(context, timetag, piece, bytes);
        return;
    }
    timetag = read_u64(piece + 8);
    for (size_t at = BUNDLE_HEADER_BYTES; at < bytes;) {
        const uint32_t size = read_u32(piece + at);
        visit_piece(piece + at + SIZE_BYTES, size, timetag, visit, context);
        at += SIZE_BYTES + size;
    }
}

void osc_visit_packet(const void *packet, size_t bytes, osc_visit *visit, void *context)
{
    visit_piece(packet, bytes, OSC_IMMEDIATELY, visit, context);
}
