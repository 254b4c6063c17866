/// The rival of the convolver: Fons Adriaensen's libzita-convolver, behind a small C face.
///
/// Thread: the main thread of a benchmark; the library starts threads of its own.
#ifndef CONSORT_TESTS_BENCH_ZITA_H
#define CONSORT_TESTS_BENCH_ZITA_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zita;

/// What the library lets one choose.
struct zita_choice {
    uint32_t longest_part; ///< 64..8192
    bool measures_plans;   ///< FFTW_MEASURE
    bool is_vectorised;
};

/// Two channels in and out; `path` are the responses of 2 (left, right) or 4 (left to left, left to
/// right, right to left, right to right) paths. Starts its threads at SCHED_FIFO below `priority`,
/// or as ordinary ones. NULL when the library refuses.
struct zita *zita_create(float *const *path, uint32_t paths, uint32_t frames, uint32_t period,
                         struct zita_choice choice, int priority);
void zita_destroy(struct zita *zita);

/// One period. `waits`: for every thread to be done, as offline.
void zita_run(struct zita *zita, const float *const in[2], float *const out[2], bool waits);

#ifdef __cplusplus
}
#endif

#endif
