/// Convolution of stereo sound with impulse responses up to a minute long, with no added latency.
///
/// Gives the wet sound alone; the dry is the caller's. The first block of the response is convolved
/// sample by sample, the next level in the audio thread, all others by the workers of a `tail`
/// (`level.h`, `schedule.h`). Any length of period will do, and none changes the sound: as long as
/// no result is late, the output is the same, bit for bit, for all lengths of periods and with
/// workers or without.
///
/// Owner: whoever creates it. Thread: `convolver_run` the audio thread alone; create, destroy, set
/// and collect one other; the counts any.
#ifndef CONSORT_DSP_EFFECTS_CONVOLVER_H
#define CONSORT_DSP_EFFECTS_CONVOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/response.h"
#include "dsp/effects/schedule.h"
#include "dsp/effects/tail.h"

struct convolver;

struct convolver_settings {
    struct schedule schedule;
    uint32_t frames_max;  ///< of a response, 1..SCHEDULE_FRAMES_MAX
    uint32_t fade_frames; ///< from one response to the next, 0..CONVOLVER_FADE_MAX
    uint32_t rate_hz;     ///< 8000..384000; tells the tail how much time it has
    struct tail *tail;    ///< NULL: everything is computed inside `convolver_run` (offline)
};

enum { CONVOLVER_FADE_MAX = 192000 };

/// Returns NULL with errno: EINVAL for settings out of range, ENOMEM.
struct convolver *convolver_create(const struct convolver_settings *settings);

/// No thread may be in `convolver_run`. NULL is welcome.
void convolver_destroy(struct convolver *convolver);

/// Plays another response, which the convolver holds until it is done with it; NULL is silence.
/// Before the first frame it is there at once. Later it cross-fades at equal power, with the tail
/// it would have had, had it always been there: each level as soon as it can, the head at once. A
/// response set while another still fades in waits; of several that wait, the last is taken.
/// Returns 0, or -EINVAL for one cut by another schedule or too long.
int convolver_set(struct convolver *convolver, struct response *response);

/// Lets go of a response that is no longer heard. Call it now and then, or the next change waits.
/// Returns whether a change is still going on.
bool convolver_collect(struct convolver *convolver);

/// The wet sound of the next `frames`, any number; overwrites `out`, which may be `in`. RT safe;
/// may wake a waiting worker.
RT void convolver_run(struct convolver *convolver, const float *const in[2], float *const out[2],
                      uint32_t frames);

/// Blocks so far whose result was not there in time and was left out.
uint32_t convolver_late_blocks(const struct convolver *convolver);

#endif
