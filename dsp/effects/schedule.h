/// How an impulse response is cut for convolution: a head of single samples, then levels of blocks
/// that grow with their distance from the head.
///
/// The head, as long as a block of the first level, is convolved sample by sample; so no sound
/// waits for a block to fill. Each level begins where the one before it ends. A level after the
/// first begins at least two of its blocks into the response: from the moment a block is full, a
/// block's length or more is left to compute what it contributes. Plain data, to be stored and
/// given back. Thread: any.
#ifndef CONSORT_DSP_EFFECTS_SCHEDULE_H
#define CONSORT_DSP_EFFECTS_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCHEDULE_LEVELS_MAX = 5,
    SCHEDULE_BLOCK_MIN = 32, ///< frames, a power of two as every block is
    SCHEDULE_BLOCK_MAX = 65536,
    SCHEDULE_PARTS_MAX = 8192,         ///< blocks of the response in one level
    SCHEDULE_TEXT_MAX = 128,           ///< bytes of a schedule in words, its zero included
    SCHEDULE_FRAMES_MAX = 60 * 192000, ///< of a response
};

struct schedule_level {
    uint32_t block_frames;
    uint32_t parts; ///< blocks; 0 in the last level: as many as the response needs
};

struct schedule {
    int levels; ///< 1..SCHEDULE_LEVELS_MAX
    struct schedule_level level[SCHEDULE_LEVELS_MAX];
};

/// A good choice without measuring, for responses of up to `frames`.
struct schedule schedule_standard(uint32_t frames);

/// Whether a schedule keeps the rules above for responses of up to `frames`.
bool schedule_is_valid(const struct schedule *schedule, uint32_t frames);

/// Where in the response a level begins.
uint32_t schedule_offset_frames(const struct schedule *schedule, int level);

/// Blocks of a level that a response of `frames` fills, the last of them maybe in part.
uint32_t schedule_parts(const struct schedule *schedule, int level, uint32_t frames);

/// "64x32,1024x16,8192": blocks by their count, the last count left open. Returns the length.
int schedule_print(const struct schedule *schedule, char *text, size_t bytes);

/// Reads the same. Returns 0 or -EINVAL; does not ask whether the schedule is valid.
int schedule_parse(struct schedule *schedule, const char *text);

/// Schedules worth measuring (`calibration.h`) for responses of up to `frames`, the standard one
/// first. Returns how many there are, at most `room`.
int schedule_candidates(uint32_t frames, struct schedule *candidates, int room);

#endif
