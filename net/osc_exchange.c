#include "net/osc_exchange.h"

// Bytes of a reply that answers leave to errors, and errors to the last of them.
enum { ANSWER_SPARE = 384, ERROR_SPARE = 112 };

static const struct osc_rate packet_rate = OSC_RATE(2000, 500);
static const struct osc_rate error_rate = OSC_RATE(20, 40);
static const struct osc_rate hint_rate = OSC_RATE(50, 50);

void osc_exchange_begin(struct osc_exchange *exchange, struct osc_session *session,
                        const struct osc_sender *sender, struct osc_time now)
{
    exchange->session = session;
    exchange->sender = sender;
    exchange->now = now;
    exchange->is_refused = exchange->is_cut = false;
    osc_reply_start(&exchange->reply);
}

void osc_exchange_answer(struct osc_exchange *exchange, const char *address,
                         const struct osc_argument *arguments, unsigned count)
{
    if (!osc_reply_add(&exchange->reply, ANSWER_SPARE, address, arguments, count))
        exchange->is_cut = true;
}

static void add_error(struct osc_exchange *exchange, size_t spare, const char *address,
                      const char *reason)
{
    const struct osc_argument arguments[] = {osc_text(address), osc_text(reason)};

    exchange->is_refused = true;
    if (osc_bucket_take(osc_limit_bucket(&exchange->session->errors, exchange->sender), &error_rate,
                        exchange->now.monotonic_ns, 1))
        osc_reply_add(&exchange->reply, spare, "/error", arguments, 2);
}

void osc_exchange_refuse(struct osc_exchange *exchange, const char *address, const char *reason)
{
    add_error(exchange, ERROR_SPARE, address, reason);
}

bool osc_exchange_may_hint(struct osc_exchange *exchange)
{
    return osc_bucket_take(&exchange->session->hints, &hint_rate, exchange->now.monotonic_ns, 1);
}

bool osc_exchange_charge(struct osc_exchange *exchange, unsigned tokens)
{
    return osc_bucket_take(osc_limit_bucket(&exchange->session->packets, exchange->sender),
                           &packet_rate, exchange->now.monotonic_ns, tokens);
}

void osc_exchange_end(struct osc_exchange *exchange)
{
    struct osc_session *session = exchange->session;
    size_t bytes;

    if (exchange->is_cut)
        add_error(exchange, 0, "/", "answers do not fit into one datagram: ask for less, or /dump");
    const void *packet = osc_reply_bytes(&exchange->reply, &bytes);
    if (bytes)
        session->output.send(session->output.context, exchange->sender, packet, bytes);
    session->counts.errors += exchange->is_refused;
}
