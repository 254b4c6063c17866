#include "tests/net/desk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/osc_message.h"
#include "net/osc_reply.h"

const struct osc_sender desk_app = {.address = {[10] = 0xff, 0xff, 10, 0, 0, 7}, .port = 4711};

struct desk_hearing {
    struct desk *desk;
    const struct osc_sender *to;
};

static void desk_hear(void *context, uint64_t timetag, const void *data, size_t bytes)
{
    const struct desk_hearing *hearing = context;
    struct desk *desk = hearing->desk;
    struct osc_message message;

    assert(timetag == OSC_IMMEDIATELY);
    const int error = osc_message_init(&message, data, bytes);
    assert(error == 0);
    if (desk->count < DESK_HEARD_MAX) {
        struct heard *heard = &desk->heard[desk->count++];
        int used = snprintf(heard->text, DESK_TEXT_MAX, "%s", message.address);
        for (unsigned i = 0; i < message.count && used < DESK_TEXT_MAX; i++) {
            const struct osc_argument *one = &message.arguments[i];
            const size_t room = DESK_TEXT_MAX - (size_t)used;
            used += one->text
                        ? snprintf(heard->text + used, room, " %c:%s", one->type, one->text)
                        : snprintf(heard->text + used, room, " %c:%g", one->type, one->number);
        }
        heard->to = *hearing->to;
        heard->at_ns = desk->now_ns;
        heard->datagram = desk->datagrams;
    }
    osc_message_finish(&message);
}

static bool desk_send(void *context, const struct osc_sender *to, const void *packet, size_t bytes)
{
    struct desk *desk = context;
    struct desk_hearing hearing = {desk, to};
    struct osc_fault fault;

    if (desk->is_choked)
        return false;
    const bool is_sound = osc_check_packet(packet, bytes, &fault);
    assert(is_sound && bytes <= OSC_REPLY_MAX);
    desk->largest = bytes > desk->largest ? bytes : desk->largest;
    osc_visit_packet(packet, bytes, desk_hear, &hearing);
    desk->datagrams++;
    return true;
}

struct desk *desk_create(void)
{
    const struct osc_settings settings = {
        .access = OSC_ACCESS_OPEN, .port = 9000, .version = "1.2"};
    struct desk *desk = calloc(1, sizeof *desk);
    const struct osc_host host = fake_init(&desk->box);
    const struct osc_output output = {desk, desk_send};

    desk->now_ns = DESK_START_NS;
    desk->session = osc_session_create(&settings, &host, &output);
    return desk;
}

void desk_destroy(struct desk *desk)
{
    osc_session_destroy(desk->session);
    for (int i = 0; i < SOURCES_MAX; i++)
        assert(!desk->box.is_open[i] || desk->box.is_full);
    free(desk);
}

struct osc_time desk_time(const struct desk *desk)
{
    return (struct osc_time){desk->now_ns, DESK_REALTIME_NS + desk->now_ns};
}

void desk_turn(struct desk *desk)
{
    desk->next_ns = osc_session_turn(desk->session, desk_time(desk));
}

void desk_pass(struct desk *desk, uint64_t duration_ns)
{
    const uint64_t end_ns = desk->now_ns + duration_ns;
    unsigned turns = 0;

    desk_turn(desk);
    while (desk->next_ns <= end_ns) {
        desk->now_ns = desk->next_ns > desk->now_ns ? desk->next_ns : desk->now_ns + 1;
        desk_turn(desk);
        turns++;
        assert(turns < 200000); // a session must not spin
    }
    desk->now_ns = end_ns;
    desk_turn(desk);
}

void desk_receive(struct desk *desk, const struct osc_sender *from, const void *packet,
                  size_t bytes)
{
    osc_session_receive(desk->session, desk_time(desk), from, packet, bytes);
}

/// Builds a message from its types and values: "if", 1, 0.5.
static size_t desk_build(void *to, size_t room, const char *address, const char *types,
                         const void *const *texts, const double *numbers)
{
    struct osc_argument arguments[OSC_ARGUMENTS_MAX];
    unsigned count = 0;

    for (; types[count]; count++)
        arguments[count] = (struct osc_argument){types[count], numbers ? numbers[count] : 0,
                                                 texts ? texts[count] : NULL};
    return osc_message_build(to, room, address, arguments, count);
}

void desk_tell_from(struct desk *desk, const struct osc_sender *from, const char *address,
                    const char *types, double a, double b, double c)
{
    uint8_t packet[1024];
    const double numbers[3] = {a, b, c};
    const size_t bytes = desk_build(packet, sizeof packet, address, types, NULL, numbers);

    assert(bytes);
    desk_receive(desk, from, packet, bytes);
}

void desk_tell(struct desk *desk, const char *address, const char *types, double a, double b,
               double c)
{
    desk_tell_from(desk, &desk_app, address, types, a, b, c);
}

void desk_tell_text(struct desk *desk, const char *address, const char *text)
{
    uint8_t packet[2048];
    const void *const texts[1] = {text};
    const size_t bytes = desk_build(packet, sizeof packet, address, "s", texts, NULL);

    assert(bytes);
    desk_receive(desk, &desk_app, packet, bytes);
}

const char *desk_last(const struct desk *desk)
{
    return desk->count ? desk->heard[desk->count - 1].text : "";
}

void desk_forget(struct desk *desk)
{
    desk->count = desk->datagrams = 0;
    desk->box.played_count = 0;
}

size_t desk_bundle(const struct desk *desk, int64_t ahead_ns, uint8_t *to, const uint8_t *packet,
                   size_t bytes)
{
    const uint64_t at_ns = desk_time(desk).realtime_ns + (uint64_t)ahead_ns;
    uint64_t timetag = (at_ns / 1000000000 + 2208988800u) << 32 |
                       ((at_ns % 1000000000 << 32) + 999999999) / 1000000000;
    if (ahead_ns == 0)
        timetag = OSC_IMMEDIATELY;
    memcpy(to, "#bundle", 8);
    for (int i = 0; i < 8; i++)
        to[8 + i] = (uint8_t)(timetag >> (56 - 8 * i));
    for (int i = 0; i < 4; i++)
        to[16 + i] = (uint8_t)(bytes >> (24 - 8 * i));
    memcpy(to + 20, packet, bytes);
    return 20 + bytes;
}

void desk_tell_at(struct desk *desk, int64_t ahead_ns, const char *address, const char *types,
                  double a, double b, double c)
{
    uint8_t packet[1024], bundle[1100];
    const double numbers[3] = {a, b, c};
    const size_t bytes = desk_build(packet, sizeof packet, address, types, NULL, numbers);

    desk_receive(desk, &desk_app, bundle, desk_bundle(desk, ahead_ns, bundle, packet, bytes));
}
