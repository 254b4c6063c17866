/// An impulse response cut by a schedule, its blocks transformed: what a convolver multiplies with.
///
/// Never changed once made, and shared: every convolver that plays it holds a reference, and so
/// does whoever made it. Thread: create, hold and drop any but the audio thread; reading any.
#ifndef CONSORT_DSP_EFFECTS_RESPONSE_H
#define CONSORT_DSP_EFFECTS_RESPONSE_H

#include <stdatomic.h>
#include <stdint.h>

#include "dsp/effects/impulse.h"
#include "dsp/effects/mac.h"
#include "dsp/effects/schedule.h"

enum response_kind {
    RESPONSE_MONO,        ///< one path serves left to left and right to right
    RESPONSE_STEREO,      ///< left to left, right to right
    RESPONSE_TRUE_STEREO, ///< left to left, left to right, right to left, right to right
    RESPONSE_PATHS_MAX = 4,
};

struct response {
    struct schedule schedule;
    enum response_kind kind;
    uint32_t frames;
    float *head[RESPONSE_PATHS_MAX];                               ///< taps of the first block
    struct mac_row level[SCHEDULE_LEVELS_MAX][RESPONSE_PATHS_MAX]; ///< count 0: nothing there
    float *memory;
    _Atomic int holders;
};

/// Cuts and transforms; the impulse is no longer needed afterwards. The caller holds the result.
/// Returns NULL with errno: EINVAL for an impulse longer than the schedule allows, ENOMEM.
struct response *response_create(const struct impulse *impulse, const struct schedule *schedule);

/// Returns `response`, held once more. NULL is welcome.
struct response *response_hold(struct response *response);

/// Frees it when nobody holds it any more. NULL is welcome.
void response_drop(struct response *response);

/// The path from one of two inputs to one of two outputs, or -1 where there is none.
static inline int response_path(enum response_kind kind, int in, int out)
{
    if (kind == RESPONSE_TRUE_STEREO)
        return 2 * in + out;
    return in != out ? -1 : kind == RESPONSE_STEREO ? in : 0;
}

#endif
