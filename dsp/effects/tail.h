/// The workers that compute what convolvers need later: the tails of all their responses.
///
/// Several convolvers share one tail crew. The audio thread submits blocks to levels; a worker
/// takes the waiting level with the shortest blocks first, for it has the least time. While there
/// is work now and then, one worker at a time keeps watch: it naps for a fraction of the least time
/// that any level allows, and looks. To wake a sleeping worker can cost the audio thread more than
/// its own share of the convolution, so it does that only after a pause, when nobody watches.
///
/// Owner: whoever creates it; it must outlive the convolvers. Thread: as each function says.
#ifndef CONSORT_DSP_EFFECTS_TAIL_H
#define CONSORT_DSP_EFFECTS_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/level.h"

struct tail;

/// Starts `workers` threads (0..15) at SCHED_FIFO `priority`, which should be below the audio
/// thread's, or as ordinary threads when that is 0 or not permitted. Returns NULL with errno.
struct tail *tail_create(int workers, int priority);

/// Joins the threads. No level may be left. NULL is welcome.
void tail_destroy(struct tail *tail);

/// Has the crew look after a level, which gives it `slack_ns` from a full block to the moment its
/// result is heard. Returns 0 or -ENOMEM. Thread: any but the audio thread.
int tail_join(struct tail *tail, struct level *level, int64_t slack_ns);

/// Returns when no worker is at the level any more, which nobody submits to. The same threads.
void tail_leave(struct tail *tail, struct level *level);

/// After one or more blocks were submitted: wakes a worker if nobody watches. Thread: audio. RT
/// safe.
RT void tail_wake(struct tail *tail);

/// Computes one waiting block on the calling thread; false when none waits. Thread: any but the
/// audio thread.
bool tail_work(struct tail *tail);

#endif
