#include "net/osc_reply.h"

#include <string.h>

enum { HEADER_BYTES = 16, SIZE_BYTES = 4 };

void osc_reply_start(struct osc_reply *reply)
{
    static const uint8_t header[HEADER_BYTES] = "#bundle\0\0\0\0\0\0\0\0\1";

    memcpy(reply->bundle, header, sizeof header);
    reply->used = HEADER_BYTES;
    reply->count = 0;
}

bool osc_reply_add(struct osc_reply *reply, size_t spare, const char *address,
                   const struct osc_argument *arguments, unsigned count)
{
    uint8_t *size = reply->bundle + reply->used;
    const size_t room = sizeof reply->bundle - reply->used;

    if (room <= SIZE_BYTES + spare)
        return false;
    const size_t bytes =
        osc_message_build(size + SIZE_BYTES, room - SIZE_BYTES - spare, address, arguments, count);
    if (bytes == 0)
        return false;
    size[0] = size[1] = 0;
    size[2] = (uint8_t)(bytes >> 8);
    size[3] = (uint8_t)bytes;
    reply->used += SIZE_BYTES + bytes;
    reply->count++;
    return true;
}

const void *osc_reply_bytes(const struct osc_reply *reply, size_t *bytes)
{
    const size_t start = reply->count == 1 ? HEADER_BYTES + SIZE_BYTES : 0;

    *bytes = reply->count ? reply->used - start : 0;
    return reply->bundle + start;
}
