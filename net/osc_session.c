#include "net/osc_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/osc_exchange.h"
#include "net/osc_param.h"
#include "net/osc_route.h"

#define SECOND_NS UINT64_C(1000000000)
#define AHEAD_MAX_NS (10 * (int64_t)SECOND_NS)
#define NTP_1970 UINT64_C(2208988800) ///< seconds from 1900 to 1970

/// Nanoseconds from now to a timetag, negative for the past. The difference is taken modulo 2^32
/// seconds and so survives the turn of the NTP era in 2036.
static int64_t ahead_ns(uint64_t timetag, struct osc_time now)
{
    const uint64_t seconds = now.realtime_ns / SECOND_NS + NTP_1970;
    const uint64_t fraction = ((now.realtime_ns % SECOND_NS) << 32) / SECOND_NS;
    const int64_t ahead = (int64_t)(timetag - (seconds << 32 | fraction));

    return (ahead >> 32) * (int64_t)SECOND_NS +
           (int64_t)(((uint64_t)(uint32_t)ahead * SECOND_NS) >> 32);
}

static void check_time(void *context, uint64_t timetag, const void *message, size_t bytes)
{
    struct osc_exchange *exchange = context;
    char reason[OSC_REASON_MAX];

    (void)message;
    (void)bytes;
    const int64_t ahead = ahead_ns(timetag, exchange->now);
    if (timetag == OSC_IMMEDIATELY || ahead <= AHEAD_MAX_NS || exchange->is_refused)
        return;
    snprintf(reason, sizeof reason, "its time is %.1f s ahead: must be at most 10 s",
             (double)ahead / (double)SECOND_NS);
    osc_exchange_refuse(exchange, "#bundle", reason);
}

static void route(void *context, uint64_t timetag, const void *message, size_t bytes)
{
    struct osc_exchange *exchange = context;
    const int64_t ahead = timetag == OSC_IMMEDIATELY ? 0 : ahead_ns(timetag, exchange->now);
    const uint64_t due_ns = ahead > 0 ? exchange->now.monotonic_ns + (uint64_t)ahead : 0;

    osc_route_message(exchange, due_ns, message, bytes);
}

void osc_session_receive(struct osc_session *session, struct osc_time now,
                         const struct osc_sender *sender, const void *packet, size_t bytes)
{
    struct osc_guest *guest = osc_guest_find(&session->stage.guests, sender);
    struct osc_exchange exchange;
    struct osc_fault fault;

    session->counts.packets++;
    session->now_ns = now.monotonic_ns;
    if (guest)
        guest->heard_ns = now.monotonic_ns;
    osc_exchange_begin(&exchange, session, sender, now);
    if (!osc_exchange_charge(&exchange, 1)) {
        session->counts.dropped++;
        return;
    }
    if (!osc_check_packet(packet, bytes, &fault)) {
        char reason[OSC_REASON_MAX];
        snprintf(reason, sizeof reason, "byte %zu: %s", fault.at, fault.reason);
        osc_exchange_refuse(&exchange, "#packet", reason);
    } else {
        osc_visit_packet(packet, bytes, check_time, &exchange);
        if (!exchange.is_refused)
            osc_visit_packet(packet, bytes, route, &exchange);
    }
    osc_exchange_end(&exchange);
}

// Time

/// Tells the sender of a setting that failed when its time had come.
static void refuse_late(void *context, const struct osc_due *due, int error)
{
    struct osc_session *session = context;
    struct osc_exchange exchange;
    char reason[OSC_REASON_MAX], address[OSC_ADDRESS_MAX];

    osc_exchange_begin(&exchange, session, &due->sender,
                       (struct osc_time){.monotonic_ns = session->now_ns});
    param_path(due->index, address, sizeof address);
    osc_param_explain(due->index, &due->value, error, reason);
    osc_exchange_refuse(&exchange, address, reason);
    osc_exchange_end(&exchange);
}

/// The least time between two changes of one address.
static uint64_t interval_ns(const struct osc_host *host)
{
    struct param_value rate = {0};

    host->get(host->context, PARAM_OSC_RATE, &rate);
    return (uint64_t)(1e9 / param_clamp(param_row(PARAM_OSC_RATE), rate.number));
}

uint64_t osc_session_turn(struct osc_session *session, struct osc_time now)
{
    const uint64_t now_ns = session->now_ns = now.monotonic_ns;
    const uint64_t interval = interval_ns(&session->host);
    uint64_t next_ns = osc_stage_turn(&session->stage, now_ns);

    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &session->stage.guests.guest[i];
        if (!guest->is_present || guest->is_leaving)
            continue;
        if (guest->lease_ends_ns && now_ns >= guest->lease_ends_ns)
            guest->lease_ends_ns = 0;
        uint64_t feed_ns = osc_feed_turn(guest, &session->host, &session->output, now_ns, interval);
        if (guest->lease_ends_ns && now_ns + interval < feed_ns)
            feed_ns = now_ns + interval; // the box need not wake us for each meter
        if (feed_ns < next_ns)
            next_ns = feed_ns;
        if (osc_guest_is_idle(guest))
            osc_stage_leave(&session->stage, guest);
    }
    return next_ns;
}

void osc_session_gone(struct osc_session *session, const struct osc_sender *sender)
{
    struct osc_guest *guest = osc_guest_find(&session->stage.guests, sender);

    if (guest)
        osc_stage_leave(&session->stage, guest);
}

// Life

struct osc_session *osc_session_create(const struct osc_settings *settings,
                                       const struct osc_host *host, const struct osc_output *output)
{
    struct osc_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->settings = *settings;
    session->host = *host;
    session->output = *output;
    session->stage.host = &session->host;
    session->stage.refused = refuse_late;
    session->stage.context = session;
    return session;
}

void osc_session_destroy(struct osc_session *session)
{
    if (!session)
        return;
    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &session->stage.guests.guest[i];
        if (guest->is_present && !guest->is_leaving)
            osc_stage_leave(&session->stage, guest);
    }
    free(session);
}

unsigned osc_session_subscribers(const struct osc_session *session)
{
    unsigned count = 0;

    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++)
        count += session->stage.guests.guest[i].is_present &&
                 session->stage.guests.guest[i].lease_ends_ns != 0;
    return count;
}

void osc_session_read_counts(const struct osc_session *session, struct osc_counts *counts)
{
    *counts = session->counts;
}
