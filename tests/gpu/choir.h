/// A bank of random impulse responses with its inputs, and what must come out: the test's own
/// truth.
///
/// Owner: the test. Thread: one, or those that only read.
#ifndef CONSORT_TESTS_GPU_CHOIR_H
#define CONSORT_TESTS_GPU_CHOIR_H

#include "dsp/gpu/client.h"
#include "dsp/gpu/mac_reference.h"

struct choir {
    struct gpu_mac_shape shape;
    struct gpu_mac_spectra spectra;
    float *impulse, *history;
    float *expected; ///< of the last block, one output behind the other
    uint64_t random;
};

void choir_init(struct choir *choir, const struct gpu_mac_shape *shape, uint64_t seed);
void choir_finish(struct choir *choir);

/// Makes the inputs of block `sequence` and computes what must come out. Blocks come in order.
void choir_sing(struct choir *choir, uint64_t sequence);

/// The inputs of a block that is not too old, one behind the other, in memory of the choir's; until
/// the next call.
const float *choir_inputs(struct choir *choir, uint64_t sequence);
struct gpu_block choir_block(const struct choir *choir, uint64_t sequence);

/// How far `outputs` (one behind the other) is from what was expected, in dB below it.
double choir_error_db(const struct choir *choir, const float *outputs);

/// For gpu_client_open.
struct gpu_source choir_source(struct choir *choir);

#endif
