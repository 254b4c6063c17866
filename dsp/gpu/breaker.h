/// How far the graphics processor is trusted: alone, with the CPU computing beside it, or not.
///
///   CPU_ONLY  it gets no blocks; a fresh process may be tried after a pause that doubles
///   HEDGED    it gets every block, and the CPU computes each one too: nothing depends on it
///   GPU       the CPU computes only what has not come back in time
///
/// A process that passes its self-test begins HEDGED. A miss weighs as much as 64 good blocks mend,
/// a wrong result as four misses; two misses lead from GPU to HEDGED, eight to CPU_ONLY, as does
/// death at once. Owner: the launcher. Thread: one.
#ifndef CONSORT_DSP_GPU_BREAKER_H
#define CONSORT_DSP_GPU_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum gpu_mode { GPU_MODE_CPU_ONLY, GPU_MODE_HEDGED, GPU_MODE_GPU };

struct breaker {
    enum gpu_mode mode;
    uint64_t strain;   ///< 64 a miss, less 1 a good block
    uint64_t good_run; ///< good blocks since the last bad one
    int64_t since_ns;  ///< the mode began
    int64_t until_ns;  ///< CPU_ONLY: no new attempt before
    int64_t pause_ns, pause_least_ns, pause_most_ns;
};

/// CPU_ONLY, and may try at once. Pauses begin at `pause_least_ns` and double to `pause_most_ns`.
void breaker_init(struct breaker *breaker, int64_t pause_least_ns, int64_t pause_most_ns);

/// Whether a fresh process may be started.
bool breaker_may_try(const struct breaker *breaker, int64_t now_ns);

/// A process has passed its self-test.
void breaker_pass(struct breaker *breaker, int64_t now_ns);

/// The process died, hung, or failed its self-test.
void breaker_fail(struct breaker *breaker, int64_t now_ns);

/// What became of blocks since the last call. Returns whether the process should be ended: the
/// mode has gone to CPU_ONLY because of them.
bool breaker_count(struct breaker *breaker, uint64_t good, uint64_t missed, uint64_t wrong,
                   int64_t now_ns);

#endif
