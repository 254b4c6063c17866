#include "net/osc_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/osc_pattern.h"
#include "net/osc_reply.h"
#include "net/osc_socket.h"

enum {
    ANSWER_MS = 1000,  ///< after which there is no answer
    REPEAT_MS = 300,   ///< between two askings
    LEASE_S = 10,      ///< of a subscription
    RENEW_MS = 4000,   ///< between two renewals
    SILENCE_MS = 15000 ///< after which a box that is watched is gone
};

struct osc_client {
    int socket;
    uint8_t packet[OSC_PACKET_MAX];
};

/// An answer that is awaited, and whom to tell.
struct listener {
    const char *address; ///< what the answer is about; NULL for anything
    osc_client_hear *hear;
    void *context;
    bool is_answered, is_refused;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_error(const struct osc_message *message)
{
    return strcmp(message->address, "/error") == 0;
}

/// What a message is about: of an error, its first argument.
static const char *subject(const struct osc_message *message)
{
    if (!is_error(message))
        return message->address;
    return message->count && message->arguments[0].text ? message->arguments[0].text : "";
}

static bool concerns(const char *asked, const struct osc_message *message)
{
    const char *about = subject(message);
    return !asked || strcmp(asked, about) == 0 ||
           (osc_pattern_is(asked) && osc_pattern_match(asked, about));
}

static void scan(void *context, uint64_t timetag, const void *data, size_t bytes)
{
    struct listener *listener = context;
    struct osc_message message;

    (void)timetag;
    if (osc_message_init(&message, data, bytes) != 0)
        return;
    if (concerns(listener->address, &message)) {
        listener->is_answered = true;
        listener->is_refused |= is_error(&message);
    }
    osc_message_finish(&message);
}

static void tell(void *context, uint64_t timetag, const void *data, size_t bytes)
{
    struct listener *listener = context;
    struct osc_message message;

    (void)timetag;
    if (!listener->hear || osc_message_init(&message, data, bytes) != 0)
        return;
    listener->hear(listener->context, &message);
    osc_message_finish(&message);
}

/// Waits for a packet until `until_ms`. A packet with an answer is told in whole. Returns 0 when
/// one came or the time is over, or a negative errno.
static int listen_until(struct osc_client *client, struct listener *listener, int64_t until_ms)
{
    struct pollfd polled = {.fd = client->socket, .events = POLLIN};
    const int64_t left_ms = until_ms - now_ms();
    struct osc_fault fault;

    if (left_ms <= 0 || poll(&polled, 1, (int)left_ms) <= 0)
        return 0;
    const ssize_t bytes = osc_socket_read(client->socket, client->packet, sizeof client->packet);
    if (bytes < 0)
        return (int)bytes;
    if (!osc_check_packet(client->packet, (size_t)bytes, &fault))
        return 0;
    osc_visit_packet(client->packet, (size_t)bytes, scan, listener);
    if (listener->is_answered)
        osc_visit_packet(client->packet, (size_t)bytes, tell, listener);
    return 0;
}

static int send_reply(struct osc_client *client, const struct osc_reply *packet)
{
    size_t bytes;
    const void *start = osc_reply_bytes(packet, &bytes);
    const ssize_t sent = osc_socket_write(client->socket, start, bytes);

    return sent < 0 ? (int)sent : 0;
}

/// Sends a packet until it is answered.
static int ask(struct osc_client *client, const struct osc_reply *packet, struct listener *listener)
{
    const int64_t end_ms = now_ms() + ANSWER_MS;
    int64_t again_ms = 0;

    while (!listener->is_answered) {
        const int64_t now = now_ms();
        int error = 0;
        if (now >= end_ms)
            return -ETIMEDOUT;
        if (now >= again_ms) {
            error = send_reply(client, packet);
            again_ms = now + REPEAT_MS;
        }
        if (error == 0)
            error = listen_until(client, listener, again_ms < end_ms ? again_ms : end_ms);
        if (error != 0 && error != -EAGAIN && error != -EINTR)
            return error;
    }
    return listener->is_refused ? -EREMOTEIO : 0;
}

int osc_client_get(struct osc_client *client, const char *address, osc_client_hear *hear,
                   void *context)
{
    struct listener listener = {.address = address, .hear = hear, .context = context};
    struct osc_reply packet;

    osc_reply_start(&packet);
    if (!osc_reply_add(&packet, 0, address, NULL, 0))
        return -EINVAL;
    return ask(client, &packet, &listener);
}

int osc_client_set(struct osc_client *client, const char *address, const struct osc_argument *value,
                   osc_client_hear *hear, void *context)
{
    struct listener listener = {.address = address, .hear = hear, .context = context};
    struct osc_reply packet;

    osc_reply_start(&packet);
    if (!osc_reply_add(&packet, 0, address, value, 1) ||
        !osc_reply_add(&packet, 0, address, NULL, 0))
        return -EINVAL;
    return ask(client, &packet, &listener);
}

int osc_client_panic(struct osc_client *client)
{
    struct listener listener = {.address = "/pong"};
    struct osc_reply packet;

    osc_reply_start(&packet);
    osc_reply_add(&packet, 0, "/panic", NULL, 0);
    osc_reply_add(&packet, 0, "/ping", NULL, 0);
    return ask(client, &packet, &listener);
}

/// Renews the subscription until it is to stop or the box is gone.
static int keep_watching(struct osc_client *client, const struct osc_reply *renewal,
                         struct listener *listener, const volatile sig_atomic_t *stop)
{
    int64_t heard_ms = now_ms(), renew_ms = heard_ms + RENEW_MS;

    while (!*stop) {
        const int64_t now = now_ms();
        if (now - heard_ms > SILENCE_MS)
            return -ETIMEDOUT;
        if (now >= renew_ms) {
            send_reply(client, renewal); // what fails here shows as silence
            renew_ms = now + RENEW_MS;
        }
        listener->is_answered = false;
        // Not long, lest a signal that came just before the wait be seen late.
        listen_until(client, listener, renew_ms < now + REPEAT_MS ? renew_ms : now + REPEAT_MS);
        if (listener->is_answered)
            heard_ms = now_ms();
    }
    return 0;
}

int osc_client_watch(struct osc_client *client, osc_client_hear *hear, void *context,
                     const volatile sig_atomic_t *stop)
{
    const struct osc_argument lease = osc_int(LEASE_S);
    struct listener listener = {.hear = hear, .context = context};
    struct osc_reply renewal, farewell;

    // The ping makes sure that a box in which nothing changes is heard too.
    osc_reply_start(&renewal);
    osc_reply_add(&renewal, 0, "/subscribe", &lease, 1);
    osc_reply_add(&renewal, 0, "/ping", NULL, 0);
    int error = ask(client, &renewal, &listener);
    if (error != 0)
        return error;
    error = keep_watching(client, &renewal, &listener, stop);
    osc_reply_start(&farewell);
    osc_reply_add(&farewell, 0, "/unsubscribe", NULL, 0);
    send_reply(client, &farewell);
    return error;
}

struct osc_client *osc_client_create(const char *host, uint16_t port)
{
    struct osc_client *client = calloc(1, sizeof *client);

    if (!client)
        return NULL;
    client->socket = osc_socket_connect(host, port);
    if (client->socket >= 0)
        return client;
    errno = -client->socket;
    free(client);
    return NULL;
}

void osc_client_destroy(struct osc_client *client)
{
    if (!client)
        return;
    close(client->socket);
    free(client);
}
