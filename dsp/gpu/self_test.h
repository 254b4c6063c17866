/// The start-up check of the graphics processor: the whole way of a block, against double
/// precision.
///
/// Random spectra of all kinds of banks go up, are multiplied and summed, come down, and are
/// compared; then the way of a small block is timed. Owner: `consort-gpu`. Thread: the device's.
#ifndef CONSORT_DSP_GPU_SELF_TEST_H
#define CONSORT_DSP_GPU_SELF_TEST_H

#include "dsp/gpu/mac.h"

/// What must be reached: errors of the whole, against its root mean square.
#define SELF_TEST_ERROR_DB (-100.0f)

struct self_test {
    float error_db;            ///< the worst of all banks
    float round_trip_us;       ///< median
    float round_trip_worst_us; ///< of some tens
};

/// Returns 0 or a negative errno when a block did not come back at all (-ETIMEDOUT, -EIO, ...).
/// Calls `alive` (unless NULL) between two steps.
int self_test_run(struct gpu_mac *mac, void (*alive)(void *context), void *context,
                  struct self_test *result);

#endif
