/// The sample clock: a delay-locked loop that filters the jitter out of the times at which the
/// audio callback ran, and so maps frames to nanoseconds and back.
///
/// A plain struct; copy it to read it elsewhere (`board/clock.h` does). Owner: the audio backend.
/// Thread: the audio thread; the two mappings any thread, on a copy.
///
/// Loop and steady gains after Fons Adriaensen, "Using a DLL to filter time" (Linux Audio
/// Conference 2005). Until the loop has seen enough, its gains are those of a least-squares line
/// through all updates so far, so it locks in a fraction of a second at any bandwidth.
#ifndef CONSORT_DSP_BASE_DLL_H
#define CONSORT_DSP_BASE_DLL_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct dll {
    uint64_t frame;         ///< first frame of the latest period
    int64_t time_ns;        ///< its filtered time, whole nanoseconds
    double fraction_ns;     ///< and what lies below them, 0..1
    double period_ns;       ///< filtered length of a period
    double nominal_ns;      ///< length of a period by the nominal rate
    double gain_time;       ///< steady gain on the time, "b" in the paper
    double gain_period;     ///< steady gain on the period, "c" in the paper
    uint32_t period_frames; ///< frames between updates
    uint32_t updates;       ///< since the last reset
};

/// Sets up a loop for updates every `period_frames` frames at `rate_hz`. `bandwidth_hz` is what
/// the loop follows once settled, typically 0.05..1. The loop knows nothing before its first
/// update.
void dll_init(struct dll *dll, uint32_t period_frames, double rate_hz, double bandwidth_hz);

/// Forgets all that was learnt, as at `dll_init`: after an xrun, when frames and time have parted.
RT void dll_reset(struct dll *dll);

/// The callback whose first frame is `frame` ran at `time_ns`. A frame that does not follow on the
/// last one, or a time more than half a second off, resets the loop first. RT safe.
RT void dll_update(struct dll *dll, uint64_t frame, int64_t time_ns);

/// Whether there has been an update, and so a mapping.
RT bool dll_is_running(const struct dll *dll);

/// The frame that begins at or last before `time_ns`, and the time at which a frame begins.
/// 0 while the loop is not running, and for frames before the first.
RT uint64_t dll_frame_at(const struct dll *dll, int64_t time_ns);
RT int64_t dll_time_at(const struct dll *dll, uint64_t frame);

/// The true sample rate as far as known: nominal before the second update.
RT double dll_rate_hz(const struct dll *dll);

#endif
