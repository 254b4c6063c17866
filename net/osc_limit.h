/// How much one sender may ask for: token buckets, in a table of fixed size.
///
/// A bucket is one number: the time up to which its sender has spent what it may. Senders are
/// spread over the table by a hash and never looked up, so that a flood of forged addresses costs
/// no memory; two senders that fall together share a bucket. Owner: the session.
#ifndef CONSORT_NET_OSC_LIMIT_H
#define CONSORT_NET_OSC_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/osc_sender.h"

enum { OSC_BUCKETS = 256 };

struct osc_rate {
    uint64_t token_ns; ///< time in which one token comes back
    uint64_t burst_ns; ///< tokens that a full bucket holds, times `token_ns`
};

#define OSC_RATE(per_second, burst)                                                                \
    {                                                                                              \
        1000000000 / (per_second), (uint64_t)(burst) * (1000000000 / (per_second))                 \
    }

struct osc_limit {
    uint64_t spent_until_ns[OSC_BUCKETS];
};

/// Takes `tokens` from a bucket. Returns false, and takes none, when there are not enough.
static inline bool osc_bucket_take(uint64_t *spent, const struct osc_rate *rate, uint64_t now_ns,
                                   unsigned tokens)
{
    const uint64_t from = *spent > now_ns ? *spent : now_ns;
    const uint64_t to = from + tokens * rate->token_ns;

    if (to - now_ns > rate->burst_ns)
        return false;
    *spent = to;
    return true;
}

/// The bucket of a sender.
static inline uint64_t *osc_limit_bucket(struct osc_limit *limit, const struct osc_sender *sender)
{
    return &limit->spent_until_ns[osc_sender_hash(sender) % OSC_BUCKETS];
}

#endif
