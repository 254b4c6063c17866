#include "net/osc_feed.h"

#include <assert.h>
#include <string.h>

#include "net/osc_param.h"
#include "net/osc_reply.h"

#define DUMP_PACE_NS UINT64_C(2000000)   ///< between two bundles of a dump
#define SCAN_PACE_NS UINT64_C(4000000)   ///< between two searches for changes
#define CHOKED_PACE_NS UINT64_C(5000000) ///< before another try when there was no room

enum { BATCH_MAX = OSC_REPLY_MAX / 16 }; ///< messages that fit into one bundle, at the very most

/// A bundle being filled, and the parameters in it.
struct batch {
    struct osc_reply reply;
    unsigned count;
    uint16_t index[BATCH_MAX];
};

static void start(struct batch *batch)
{
    osc_reply_start(&batch->reply);
    batch->count = 0;
}

/// Adds the value of a parameter as it is now. Returns false when the bundle is full.
static bool add(struct batch *batch, struct osc_guest *guest, const struct osc_host *host,
                unsigned index, uint64_t now_ns)
{
    // The serial first: a change in between is then told once more, and never missed.
    const uint64_t serial = host->changed(host->context, index);
    struct param_value value = {0};
    struct osc_argument argument;
    char address[OSC_ADDRESS_MAX], scratch[PARAM_TEXT_MAX];

    host->get(host->context, index, &value);
    param_path(index, address, sizeof address);
    osc_param_answer(index, false, &value, scratch, &argument);
    if (!osc_reply_add(&batch->reply, 0, address, &argument, 1))
        return false;
    assert(batch->count < BATCH_MAX);
    batch->index[batch->count++] = (uint16_t)index;
    guest->seen[index] = serial;
    guest->sent_ns[index] = now_ns;
    return true;
}

/// Sends the bundle. When there is no room its parameters count as untold again.
static bool flush(struct batch *batch, struct osc_guest *guest, const struct osc_output *output)
{
    size_t bytes;
    const void *packet = osc_reply_bytes(&batch->reply, &bytes);

    if (batch->count == 0 || output->send(output->context, &guest->sender, packet, bytes))
        return true;
    for (unsigned i = 0; i < batch->count; i++) {
        guest->seen[batch->index[i]] = UINT64_MAX;
        guest->sent_ns[batch->index[i]] = 0;
    }
    return false;
}

static bool send_dump(struct osc_guest *guest, const struct osc_host *host,
                      const struct osc_output *output, uint64_t now_ns)
{
    unsigned next = guest->dump_next;
    struct batch batch;

    start(&batch);
    while (next < PARAM_COUNT && add(&batch, guest, host, next, now_ns))
        next++;
    if (!flush(&batch, guest, output))
        return false;
    guest->dump_next = next;
    return true;
}

/// Tells every change whose time has come. Returns the time of the next, or UINT64_MAX.
static uint64_t send_changes(struct osc_guest *guest, const struct osc_host *host,
                             const struct osc_output *output, uint64_t now_ns, uint64_t interval_ns)
{
    uint64_t next_ns = UINT64_MAX;
    struct batch batch;

    start(&batch);
    for (unsigned index = 0; index < guest->dump_next; index++) {
        const uint64_t due_ns = guest->sent_ns[index] + interval_ns;
        if (host->changed(host->context, index) == guest->seen[index])
            continue;
        if (due_ns > now_ns) {
            next_ns = due_ns < next_ns ? due_ns : next_ns;
            continue;
        }
        if (add(&batch, guest, host, index, now_ns))
            continue;
        if (!flush(&batch, guest, output))
            return now_ns + CHOKED_PACE_NS;
        start(&batch);
        add(&batch, guest, host, index, now_ns);
    }
    return flush(&batch, guest, output) ? next_ns : now_ns + CHOKED_PACE_NS;
}

void osc_feed_dump(struct osc_guest *guest)
{
    if (guest->dump_next == PARAM_COUNT)
        guest->dump_next = 0;
}

uint64_t osc_feed_turn(struct osc_guest *guest, const struct osc_host *host,
                       const struct osc_output *output, uint64_t now_ns, uint64_t interval_ns)
{
    if (now_ns < guest->feed_due_ns)
        return guest->feed_due_ns;
    if (guest->dump_next < PARAM_COUNT) {
        const bool is_sent = send_dump(guest, host, output, now_ns);
        guest->feed_due_ns = now_ns + (is_sent ? DUMP_PACE_NS : CHOKED_PACE_NS);
        return guest->feed_due_ns;
    }
    if (!guest->lease_ends_ns)
        return UINT64_MAX;
    guest->feed_due_ns = now_ns + SCAN_PACE_NS;
    return send_changes(guest, host, output, now_ns, interval_ns);
}
