/// Plays a bank through the client as a convolver's worker will: feeds what is missing, submits,
/// waits to the deadline, and computes on the CPU what did not come back.
///
/// Owner: the test. Thread: one.
#ifndef CONSORT_TESTS_GPU_PLAYER_H
#define CONSORT_TESTS_GPU_PLAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/gpu/choir.h"

struct gpu_player {
    struct gpu_client *client;
    struct choir choir;
    int bank;
    uint64_t sequence;
    float *outputs; ///< of the last block, one behind the other
    // So far:
    unsigned by_gpu, by_cpu, late;
    double error_db; ///< the worst of the GPU's accepted blocks
    int last_code;   ///< what the last block ended with
};

/// Opens a bank of its own.
void gpu_player_init(struct gpu_player *player, struct gpu_client *client,
                     const struct gpu_mac_shape *shape, uint64_t seed);
void gpu_player_finish(struct gpu_player *player);

/// One block; `deadline_ms` from now its result must be there. Returns whether the GPU made it.
bool gpu_player_play(struct gpu_player *player, int deadline_ms);

#endif
