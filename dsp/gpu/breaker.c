#include "dsp/gpu/breaker.h"

enum {
    MISS = 64,
    WRONG = 4 * MISS,
    HEDGE_AT = 2 * MISS,
    STOP_AT = 8 * MISS,
    TRUST_AFTER = 16, ///< good blocks in a row
};

static const int64_t STEADY_NS = INT64_C(60000000000); // so long in GPU: the past is forgiven

static void enter(struct breaker *breaker, enum gpu_mode mode, int64_t now_ns)
{
    if (breaker->mode == mode)
        return;
    breaker->mode = mode;
    breaker->since_ns = now_ns;
}

void breaker_init(struct breaker *breaker, int64_t pause_least_ns, int64_t pause_most_ns)
{
    *breaker = (struct breaker){.mode = GPU_MODE_CPU_ONLY,
                                .until_ns = INT64_MIN,
                                .pause_ns = pause_least_ns,
                                .pause_least_ns = pause_least_ns,
                                .pause_most_ns = pause_most_ns};
}

bool breaker_may_try(const struct breaker *breaker, int64_t now_ns)
{
    return breaker->mode == GPU_MODE_CPU_ONLY && now_ns >= breaker->until_ns;
}

void breaker_pass(struct breaker *breaker, int64_t now_ns)
{
    breaker->strain = 0;
    breaker->good_run = 0;
    enter(breaker, GPU_MODE_HEDGED, now_ns);
}

void breaker_fail(struct breaker *breaker, int64_t now_ns)
{
    if (breaker->mode == GPU_MODE_GPU && now_ns - breaker->since_ns >= STEADY_NS)
        breaker->pause_ns = breaker->pause_least_ns;
    breaker->until_ns = now_ns + breaker->pause_ns;
    breaker->pause_ns = 2 * breaker->pause_ns < breaker->pause_most_ns ? 2 * breaker->pause_ns
                                                                       : breaker->pause_most_ns;
    enter(breaker, GPU_MODE_CPU_ONLY, now_ns);
}

bool breaker_count(struct breaker *breaker, uint64_t good, uint64_t missed, uint64_t wrong,
                   int64_t now_ns)
{
    if (breaker->mode == GPU_MODE_CPU_ONLY)
        return false;
    breaker->strain -= good < breaker->strain ? good : breaker->strain;
    breaker->strain += missed * MISS + wrong * WRONG;
    breaker->good_run = missed + wrong > 0 ? 0 : breaker->good_run + good;
    if (breaker->strain >= STOP_AT) {
        breaker_fail(breaker, now_ns);
        return true;
    }
    if (breaker->strain >= HEDGE_AT)
        enter(breaker, GPU_MODE_HEDGED, now_ns);
    else if (breaker->good_run >= TRUST_AFTER)
        enter(breaker, GPU_MODE_GPU, now_ns);
    return false;
}
