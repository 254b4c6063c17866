/// A crew of worker threads that helps the audio thread through the jobs of a period.
///
/// Jobs are claimed one by one from an atomic counter, by the workers and by the audio thread
/// itself, so a worker that wakes late costs speed, never a period. Owner: the engine. Thread:
/// `crew_run` the audio thread alone; create and destroy any other.
#ifndef CONSORT_DSP_BASE_CREW_H
#define CONSORT_DSP_BASE_CREW_H

#include <stdint.h>

#include "dsp/base/rt.h"

struct crew;

/// Starts `workers` threads (0..15) at SCHED_FIFO `priority`, or as ordinary threads when that is
/// 0 or not permitted. Each calls `warm_up(context)` once before it takes work, so that libraries
/// allocate what they keep for a thread. Returns NULL with errno.
struct crew *crew_create(int workers, int priority, void (*warm_up)(void *context), void *context);

/// Joins the threads. NULL is welcome.
void crew_destroy(struct crew *crew);

/// Calls `job(context, i)` once for each i in 0..count-1 (at most 65535), in any order on any
/// thread of the crew or this one, and returns when all are done. RT safe if the job is; may wake
/// waiting workers.
RT void crew_run(struct crew *crew, void (*job)(void *context, uint32_t index), void *context,
                 uint32_t count);

#endif
