/// What is played, written to a WAV file: a ring from the audio thread to a disk thread.
///
/// The file is brought up to date once a second, so that it can be read after a cut of power. When
/// the disk is too slow for longer than the ring holds (some seconds), silence stands in for what
/// was lost, so that the file keeps time, and the lost frames are counted. Owner: the daemon.
/// Thread: `recorder_feed` the audio thread; the rest the main thread.
#ifndef CONSORT_BOARD_RECORDER_H
#define CONSORT_BOARD_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct recorder;

struct recorder_state {
    bool is_open;    ///< a file is being written, or has yet to be finished
    uint64_t frames; ///< written to the file that is open, or was last
    uint64_t lost_frames;
    char error[160]; ///< why writing ended, "" if it did not end by itself
};

/// Starts the disk thread. Returns NULL with errno ENOMEM or EAGAIN.
struct recorder *recorder_create(void);

/// Finishes the file, ends the thread. `recorder_feed` must not run any more. NULL is welcome.
void recorder_destroy(struct recorder *recorder);

/// Records to `path` (24 bit) from now on; a file before it is finished. Returns 0, or negative
/// errno with the reason in `error`: then nothing has changed.
int recorder_start(struct recorder *recorder, const char *path, int rate_hz, char *error,
                   size_t bytes);

/// Ends the recording. The disk thread finishes the file: `is_open` tells when.
void recorder_stop(struct recorder *recorder);

void recorder_read_state(struct recorder *recorder, struct recorder_state *state);

/// Takes what is played; does nothing while nothing is recorded. RT safe.
RT void recorder_feed(struct recorder *recorder, float *const out[2], uint32_t frames);

#endif
