#include "tests/box/phone.h"

#include <lo/lo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/box/live.h"

enum { ADDRESSES_MAX = 1024, ANSWER_MS = 2000, AGAIN_MS = 300 };

struct phone {
    lo_server server;
    lo_address box;
    unsigned count;
    struct {
        char address[64];
        struct phone_value value;
    } heard[ADDRESSES_MAX];
};

static struct phone_value *find_or_add(struct phone *phone, const char *address)
{
    unsigned i = 0;
    while (i < phone->count && strcmp(phone->heard[i].address, address) != 0)
        i++;
    assert_true(i < ADDRESSES_MAX);
    if (i == phone->count) {
        snprintf(phone->heard[i].address, sizeof phone->heard[i].address, "%s", address);
        phone->heard[phone->count++].value = (struct phone_value){0};
    }
    return &phone->heard[i].value;
}

static int hear(const char *address, const char *types, lo_arg **arguments, int count,
                lo_message message, void *data)
{
    struct phone_value *value = find_or_add(data, address);
    (void)message;
    value->count++;
    for (int i = 0; i < count; i++) {
        // liblo aligns them to four bytes, its type asks for eight.
        const void *at = arguments[i];
        int32_t whole;
        float number;
        memcpy(&whole, at, sizeof whole);
        memcpy(&number, at, sizeof number);
        if (types[i] == 's')
            snprintf(value->text, sizeof value->text, "%s", (const char *)at);
        else if (types[i] == 'i')
            value->number = whole;
        else if (types[i] == 'f')
            value->number = (double)number;
    }
    return 0;
}

struct phone *phone_create(uint16_t box_port, uint16_t own_port)
{
    char own[8], box[8];
    struct phone *phone = calloc(1, sizeof *phone);
    assert_non_null(phone);
    snprintf(own, sizeof own, "%u", own_port);
    snprintf(box, sizeof box, "%u", box_port);
    phone->server = lo_server_new(own_port ? own : NULL, NULL);
    phone->box = lo_address_new("127.0.0.1", box);
    assert_non_null(phone->server);
    assert_non_null(phone->box);
    lo_server_add_method(phone->server, NULL, NULL, hear, phone);
    return phone;
}

void phone_destroy(struct phone *phone)
{
    if (!phone)
        return;
    lo_server_free(phone->server);
    lo_address_free(phone->box);
    free(phone);
}

uint16_t phone_port(const struct phone *phone)
{
    return (uint16_t)lo_server_get_port(phone->server);
}

// ---- speaking ----

static void deliver(struct phone *phone, const char *address, lo_message message)
{
    assert_true(lo_send_message_from(phone->box, phone->server, address, message) > 0);
    lo_message_free(message);
}

void phone_send(struct phone *phone, const char *address)
{
    deliver(phone, address, lo_message_new());
}

void phone_send_number(struct phone *phone, const char *address, double number)
{
    lo_message message = lo_message_new();
    lo_message_add_float(message, (float)number);
    deliver(phone, address, message);
}

void phone_send_text(struct phone *phone, const char *address, const char *text)
{
    lo_message message = lo_message_new();
    lo_message_add_string(message, text);
    deliver(phone, address, message);
}

static void send_pair(struct phone *phone, int part, const char *what, int a, int b)
{
    char address[32];
    lo_message message = lo_message_new();
    snprintf(address, sizeof address, "/ch/%d/%s", part, what);
    lo_message_add_int32(message, a);
    lo_message_add_int32(message, b);
    deliver(phone, address, message);
}

void phone_note(struct phone *phone, int part, int key, int velocity)
{
    send_pair(phone, part, "note", key, velocity);
}

void phone_control(struct phone *phone, int part, int controller, int value)
{
    send_pair(phone, part, "cc", controller, value);
}

// ---- listening ----

void phone_listen(struct phone *phone, int ms)
{
    int64_t end_ms = live_now_ms() + ms, left_ms = ms;
    do
        lo_server_recv_noblock(phone->server, left_ms > 0 ? (int)left_ms : 0);
    while ((left_ms = end_ms - live_now_ms()) > 0);
}

const struct phone_value *phone_heard(const struct phone *phone, const char *address)
{
    for (unsigned i = 0; i < phone->count; i++)
        if (strcmp(phone->heard[i].address, address) == 0)
            return &phone->heard[i].value;
    return NULL;
}

void phone_forget(struct phone *phone) { phone->count = 0; }

unsigned phone_heard_addresses(const struct phone *phone) { return phone->count; }

static const struct phone_value *ask(struct phone *phone, const char *address)
{
    struct phone_value *value = find_or_add(phone, address);
    int64_t end_ms = live_now_ms() + ANSWER_MS, again_ms = 0;
    for (unsigned before = value->count; value->count == before;) {
        if (live_now_ms() > end_ms)
            fail_msg("no answer to %s", address);
        if (live_now_ms() >= again_ms) { // datagrams may be lost
            phone_send(phone, address);
            again_ms = live_now_ms() + AGAIN_MS;
        }
        lo_server_recv_noblock(phone->server, 20);
    }
    return value;
}

double phone_number(struct phone *phone, const char *address)
{
    return ask(phone, address)->number;
}

const char *phone_text(struct phone *phone, const char *address)
{
    return ask(phone, address)->text;
}

bool phone_wait(struct phone *phone, const char *address, double low, double high, int patience_ms)
{
    int64_t end_ms = live_now_ms() + patience_ms;
    for (;;) {
        double number = phone_number(phone, address);
        if (number >= low && number <= high)
            return true;
        if (live_now_ms() > end_ms)
            return false;
        phone_listen(phone, 20);
    }
}

void phone_expect(struct phone *phone, const char *address, double low, double high,
                  int patience_ms)
{
    if (!phone_wait(phone, address, low, high, patience_ms))
        fail_msg("%s is %g, not %g to %g", address, phone_number(phone, address), low, high);
}
