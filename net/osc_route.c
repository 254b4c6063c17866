#include "net/osc_route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/osc_pattern.h"
#include "net/osc_play.h"
#include "net/osc_space.h"

enum { PATTERN_TOKENS = 16 }; ///< a pattern costs its sender as much as so many packets

static const char no_place[] = "no place is free: 32 apps are connected";

/// A message under way.
struct request {
    struct osc_exchange *exchange;
    const struct osc_message *message;
    uint64_t due_ns;
};

static void refuse_unknown(struct osc_exchange *exchange, const char *address)
{
    char reason[OSC_REASON_MAX], nearest[OSC_ADDRESS_MAX];

    if (osc_pattern_is(address))
        snprintf(reason, sizeof reason,
                 osc_pattern_is_valid(address) ? "the pattern matches no address"
                                               : "the pattern has open or nested brackets");
    else if (osc_exchange_may_hint(exchange) && osc_space_nearest(address, nearest))
        snprintf(reason, sizeof reason, "no such address; the nearest is %s", nearest);
    else
        snprintf(reason, sizeof reason, "no such address; /dump lists all");
    osc_exchange_refuse(exchange, address, reason);
}

// Parameters

static void get_parameter(struct request *request, unsigned index, const struct osc_target *target)
{
    const struct osc_host *host = &request->exchange->session->host;
    struct param_value value = {0};
    struct osc_argument argument;
    char address[OSC_ADDRESS_MAX], scratch[PARAM_TEXT_MAX];

    host->get(host->context, index, &value);
    const int length = param_path(index, address, sizeof address);
    if (target->is_normalized)
        snprintf(address + length, sizeof address - (size_t)length, "/normalized");
    if (osc_param_answer(index, target->is_normalized, &value, scratch, &argument))
        osc_exchange_answer(request->exchange, address, &argument, 1);
    else if (!target->is_pattern)
        osc_exchange_refuse(request->exchange, address, "a text has no normalized value");
}

/// Sets a parameter now, or when its time comes. Returns 0 or a negative errno.
static int put_parameter(struct request *request, unsigned index, const struct param_value *value)
{
    struct osc_exchange *exchange = request->exchange;
    struct osc_session *session = exchange->session;

    if (!request->due_ns)
        return session->host.set(session->host.context, index, value, EVENT_NOW);
    const struct osc_due due = {.due_ns = request->due_ns,
                                .asked_ns = request->due_ns,
                                .sender = *exchange->sender,
                                .is_setting = true,
                                .index = (uint16_t)index,
                                .value = *value};
    return osc_stage_push(&session->stage, &due, exchange->now.monotonic_ns);
}

static void set_parameter(struct request *request, unsigned index, const struct osc_target *target)
{
    char reason[OSC_REASON_MAX], address[OSC_ADDRESS_MAX];
    struct param_value value;

    int error = osc_param_read(index, target->is_normalized, request->message, &value, reason);
    if (error == 0) {
        error = put_parameter(request, index, &value);
        if (error != 0)
            osc_param_explain(index, &value, error, reason);
    }
    if (error != 0) {
        param_path(index, address, sizeof address);
        osc_exchange_refuse(request->exchange,
                            target->is_pattern ? address : request->message->address, reason);
    }
}

static void route_parameter(struct request *request)
{
    struct osc_exchange *exchange = request->exchange;
    struct osc_target target;

    osc_space_target(request->message->address, &target);
    if (target.is_pattern && !osc_exchange_charge(exchange, PATTERN_TOKENS)) {
        osc_exchange_refuse(exchange, request->message->address,
                            "too many patterns at once: try again");
        return;
    }
    unsigned index = osc_space_next(&target, 0);
    if (index == PARAM_COUNT)
        refuse_unknown(exchange, request->message->address);
    for (; index < PARAM_COUNT; index = osc_space_next(&target, index + 1)) {
        if (request->message->count == 0)
            get_parameter(request, index, &target);
        else
            set_parameter(request, index, &target);
    }
}

// Playing

static void play(struct request *request, struct event *event, uint32_t duration_ms)
{
    struct osc_exchange *exchange = request->exchange;
    struct osc_stage *stage = &exchange->session->stage;
    const char *address = request->message->address;
    const uint64_t now_ns = exchange->now.monotonic_ns;

    struct osc_guest *guest = osc_stage_seat(stage, exchange->sender, now_ns);
    if (!guest) {
        osc_exchange_refuse(exchange, address, no_place);
        return;
    }
    const int error = osc_stage_open_source(stage, guest);
    if (error == -ENOSPC) {
        osc_exchange_refuse(exchange, address, "no source is free: all are played by others");
        return;
    }
    event->source = (uint16_t)guest->source;
    const struct osc_due due = {.due_ns = request->due_ns,
                                .asked_ns = request->due_ns ? request->due_ns : now_ns,
                                .sender = *exchange->sender,
                                .duration_ms = duration_ms,
                                .event = *event};
    if (error != 0 || osc_stage_push(stage, &due, now_ns) != 0)
        osc_exchange_refuse(exchange, address, "the box is busy: try again");
}

/// Plays a method on the parts that the address means. Returns false when it means none.
static bool route_method(struct request *request)
{
    char parts[OSC_ADDRESS_MAX], reason[OSC_REASON_MAX];
    const int method = osc_space_method(request->message->address, parts);
    bool is_found = false;

    for (unsigned part = 1; method >= 0 && part <= PARTS; part++) {
        struct event event;
        uint32_t duration_ms;
        if (!osc_space_is_part(parts, part))
            continue;
        is_found = true;
        if (osc_play_read(method, part, request->message, &event, &duration_ms, reason) != 0) {
            osc_exchange_refuse(request->exchange, request->message->address, reason);
            break;
        }
        play(request, &event, duration_ms);
    }
    return is_found;
}

// Commands

static struct osc_guest *seat(struct request *request)
{
    struct osc_exchange *exchange = request->exchange;
    struct osc_guest *guest =
        osc_stage_seat(&exchange->session->stage, exchange->sender, exchange->now.monotonic_ns);
    if (!guest)
        osc_exchange_refuse(exchange, request->message->address, no_place);
    return guest;
}

static double number_of(const struct osc_host *host, unsigned index)
{
    struct param_value value = {0};

    host->get(host->context, index, &value);
    return param_clamp(param_row(index), value.number);
}

/// The lease asked for, or that of the config; 0 when it is refused.
static double lease_s(struct request *request)
{
    const struct param *row = param_row(PARAM_OSC_LEASE);
    const struct osc_argument *argument = &request->message->arguments[0];
    char reason[OSC_REASON_MAX];

    if (request->message->count == 0)
        return number_of(&request->exchange->session->host, PARAM_OSC_LEASE);
    if (request->message->count == 1 && osc_argument_is_number(argument) &&
        argument->number >= row->minimum && argument->number <= row->maximum)
        return argument->number;
    snprintf(reason, sizeof reason, "takes one argument at most: seconds, %.0f to %.0f",
             row->minimum, row->maximum);
    osc_exchange_refuse(request->exchange, request->message->address, reason);
    return 0;
}

static void subscribe(struct request *request)
{
    const double seconds = lease_s(request);
    struct osc_guest *guest = seconds > 0 ? seat(request) : NULL;

    if (!guest)
        return;
    if (!guest->lease_ends_ns)
        osc_feed_dump(guest);
    guest->lease_ends_ns = request->exchange->now.monotonic_ns + (uint64_t)(seconds * 1e9);
}

static void unsubscribe(struct request *request)
{
    struct osc_exchange *exchange = request->exchange;
    struct osc_guest *guest = osc_guest_find(&exchange->session->stage.guests, exchange->sender);

    if (guest)
        guest->lease_ends_ns = 0;
}

static void dump(struct request *request)
{
    struct osc_guest *guest = seat(request);

    if (guest)
        osc_feed_dump(guest);
}

static void panic(struct request *request)
{
    struct osc_exchange *exchange = request->exchange;

    osc_stage_panic(&exchange->session->stage, exchange->sender, exchange->now.monotonic_ns);
}

static void pong(struct request *request)
{
    osc_exchange_answer(request->exchange, "/pong", NULL, 0);
}

static void inform(struct request *request)
{
    const struct osc_settings *settings = &request->exchange->session->settings;
    const struct osc_argument arguments[] = {osc_text("consort"), osc_text(settings->version),
                                             osc_int(settings->port)};

    // With arguments it is another box's answer, and not to be answered.
    if (request->message->count == 0)
        osc_exchange_answer(request->exchange, "/info", arguments, 3);
}

static void (*const obey[OSC_COMMANDS])(struct request *) = {
    [OSC_COMMAND_PANIC] = panic,         [OSC_COMMAND_DUMP] = dump,
    [OSC_COMMAND_SUBSCRIBE] = subscribe, [OSC_COMMAND_UNSUBSCRIBE] = unsubscribe,
    [OSC_COMMAND_PING] = pong,           [OSC_COMMAND_INFO] = inform,
};

/// Other boxes' answers, which are never answered: two boxes would keep each other busy for ever.
static bool is_answer(const char *address)
{
    return strcmp(address, "/error") == 0 || strcmp(address, "/pong") == 0;
}

void osc_route_message(struct osc_exchange *exchange, uint64_t due_ns, const void *data,
                       size_t bytes)
{
    struct osc_message message;
    struct request request = {exchange, &message, due_ns};

    if (osc_message_init(&message, data, bytes) != 0) {
        osc_exchange_refuse(exchange, data, "the message cannot be read");
        return;
    }
    const int command = osc_space_command(message.address);
    if (command >= 0)
        obey[command](&request);
    else if (!is_answer(message.address) && !route_method(&request))
        route_parameter(&request);
    osc_message_finish(&message);
}
