/// The sample clock for every thread: which engine frame belongs to which CLOCK_MONOTONIC time.
///
/// The time of a frame is when the period that holds it begins to be rendered, plus its place in
/// the period; it leaves the loudspeaker the output latency later. Owner: the daemon. Thread:
/// `clock_publish` and `clock_stop` the audio thread (or, while it does not run, whoever stopped
/// it); the rest any thread but the audio thread.
#ifndef CONSORT_BOARD_CLOCK_H
#define CONSORT_BOARD_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/dll.h"
#include "dsp/base/rt.h"
#include "dsp/base/snapshot.h"

struct clock {
    struct snapshot mapping; ///< of struct dll
};

/// Returns 0 or -ENOMEM. The clock does not run yet.
int clock_init(struct clock *clock);
void clock_finish(struct clock *clock);

/// Takes over the mapping of this period. RT safe.
RT void clock_publish(struct clock *clock, const struct dll *dll);

/// There is no mapping any more: audio has stopped. RT safe.
RT void clock_stop(struct clock *clock);

/// Nanoseconds of CLOCK_MONOTONIC, the time base of all of these. RT safe.
RT int64_t clock_now_ns(void);

/// Whether audio ran within the last half second before `now_ns`.
bool clock_is_running(const struct clock *clock, int64_t now_ns);

/// The frame at a time and the time of a frame; 0 while the clock has no mapping. A time a period
/// ahead of now is a frame not rendered yet.
uint64_t clock_frame_at(const struct clock *clock, int64_t time_ns);
int64_t clock_time_at(const struct clock *clock, uint64_t frame);

/// Frames per period and the measured sample rate; 0 while the clock has no mapping.
uint32_t clock_period_frames(const struct clock *clock);
double clock_rate_hz(const struct clock *clock);

#endif
