// Fuzz target: any bytes as OSC, through a session with a fake box, over UDP and in streams.
//
// An input is a row of packets: a byte that tells how (sender, time that passes, whether the box is
// full), two bytes of length, the packet. The fake box asserts that only valid values and events
// reach it; the desk, that every answer is a sound packet of one datagram.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/osc_frame.h"
#include "tests/net/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void feed_stream(const uint8_t *bytes, size_t count)
{
    static struct osc_frame frame;
    int result = 0;

    memset(&frame, 0, offsetof(struct osc_frame, packet));
    for (size_t i = 0; i < count && result >= 0; i++) {
        result = osc_frame_push(&frame, bytes[i]);
        assert(frame.used <= OSC_PACKET_MAX);
    }
}

/// What the first byte asks for besides the packet.
static void steer(struct desk *desk, uint8_t how, struct osc_sender *sender)
{
    static const uint64_t pause_ns[8] = {0, MS,        10 * MS,   40 * MS,
                                         0, 1000 * MS, 6000 * MS, 31000 * MS};

    sender->port = how & 3;
    sender->stream = (how & 3) == 3;
    desk->box.is_full = (how >> 2 & 3) == 3;
    desk->is_choked = (how >> 2 & 3) == 2;
    desk->now_ns += pause_ns[how >> 4 & 7];
    desk_turn(desk);
    if (how & 0x80 && sender->stream)
        osc_session_gone(desk->session, sender);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct desk *desk = desk_create();

    feed_stream(bytes, count);
    while (count > 3) {
        struct osc_sender sender = desk_app;
        const size_t wanted = (size_t)bytes[1] << 8 | bytes[2];
        const size_t length = wanted < count - 3 ? wanted : count - 3;
        steer(desk, bytes[0], &sender);
        desk_receive(desk, &sender, bytes + 3, length);
        desk_turn(desk);
        desk->count = 0;
        bytes += 3 + length;
        count -= 3 + length;
    }
    desk->box.is_full = desk->is_choked = false;
    desk->now_ns += 100000 * MS;
    desk_turn(desk);
    desk_turn(desk);
    desk_destroy(desk);
    return 0;
}
