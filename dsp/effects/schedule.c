#include "dsp/effects/schedule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- rules ----

static bool is_block(uint32_t frames)
{
    return frames >= SCHEDULE_BLOCK_MIN && frames <= SCHEDULE_BLOCK_MAX &&
           (frames & (frames - 1)) == 0;
}

bool schedule_is_valid(const struct schedule *schedule, uint32_t frames)
{
    if (schedule->levels < 1 || schedule->levels > SCHEDULE_LEVELS_MAX || frames < 1 ||
        frames > SCHEDULE_FRAMES_MAX)
        return false;
    uint32_t block_before = 0;
    for (int i = 0; i < schedule->levels; i++) {
        const struct schedule_level *level = &schedule->level[i];
        bool is_last = i + 1 == schedule->levels;
        if (!is_block(level->block_frames) || level->block_frames <= block_before)
            return false;
        if (level->parts > SCHEDULE_PARTS_MAX || is_last != (level->parts == 0))
            return false;
        if (i > 0 && schedule_offset_frames(schedule, i) < 2 * level->block_frames)
            return false;
        block_before = level->block_frames;
    }
    return schedule_parts(schedule, schedule->levels - 1, frames) <= SCHEDULE_PARTS_MAX;
}

uint32_t schedule_offset_frames(const struct schedule *schedule, int level)
{
    uint32_t offset = schedule->level[0].block_frames;
    for (int i = 0; i < level; i++)
        offset += schedule->level[i].block_frames * schedule->level[i].parts;
    return offset;
}

uint32_t schedule_parts(const struct schedule *schedule, int level, uint32_t frames)
{
    const struct schedule_level *cut = &schedule->level[level];
    uint32_t offset = schedule_offset_frames(schedule, level);
    if (frames <= offset)
        return 0;
    uint32_t parts = (frames - offset + cut->block_frames - 1) / cut->block_frames;
    return cut->parts && cut->parts < parts ? cut->parts : parts;
}

// ---- choices ----

// Found by measuring on x86-64. What costs most is to read spectra from memory: few parts of long
// blocks read less. Next comes looking for work: a level that leaves time is looked at less often.
static const char *const choices[] = {
    "128x16,1024x16,8192",
    "64x32,1024x32,16384",
    "64x32,1024x16,8192",
    "128x32,2048x16,16384",
    "64x16,256x16,2048x16,16384",
    "64x32,1024",
    "64x16,512",
    "64",
    "128x64,4096x16,32768",
};

enum { CHOICES = sizeof choices / sizeof *choices };

struct schedule schedule_standard(uint32_t frames)
{
    struct schedule schedule = {0};
    schedule_candidates(frames, &schedule, 1);
    return schedule;
}

/// A schedule whose last level stays empty cuts like a shorter one and costs more memory; one whose
/// last level is long costs more time.
static bool is_useful(const struct schedule *schedule, uint32_t frames, uint32_t parts_max)
{
    if (!schedule_is_valid(schedule, frames))
        return false;
    uint32_t parts = schedule_parts(schedule, schedule->levels - 1, frames);
    return parts <= parts_max && (parts > 0 || schedule->levels == 1);
}

static int choose(uint32_t frames, uint32_t parts_max, struct schedule *candidates, int room)
{
    int count = 0;
    for (int i = 0; i < CHOICES && count < room; i++)
        if (schedule_parse(&candidates[count], choices[i]) == 0 &&
            is_useful(&candidates[count], frames, parts_max))
            count++;
    return count;
}

int schedule_candidates(uint32_t frames, struct schedule *candidates, int room)
{
    static const uint32_t parts_max[] = {32, 96, 256, SCHEDULE_PARTS_MAX};
    int count = 0;
    for (size_t i = 0; i < sizeof parts_max / sizeof *parts_max && count == 0; i++)
        count = choose(frames, parts_max[i], candidates, room);
    return count;
}

// ---- words ----

int schedule_print(const struct schedule *schedule, char *text, size_t bytes)
{
    char whole[SCHEDULE_TEXT_MAX];
    int length = 0;
    for (int i = 0; i < schedule->levels; i++) {
        const struct schedule_level *level = &schedule->level[i];
        size_t room = sizeof whole - (size_t)length;
        const char *comma = i ? "," : "";
        if (level->parts)
            length +=
                snprintf(whole + length, room, "%s%ux%u", comma, level->block_frames, level->parts);
        else
            length += snprintf(whole + length, room, "%s%u", comma, level->block_frames);
    }
    if (bytes)
        snprintf(text, bytes, "%.*s", length, whole);
    return length;
}

/// A plain decimal number, 1..99 999 999. Returns where it ends, NULL when there is none.
static const char *parse_number(const char *text, uint32_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 8)
        return NULL;
    *number = (uint32_t)strtoul(text, NULL, 10);
    return *number ? text + digits : NULL;
}

int schedule_parse(struct schedule *schedule, const char *text)
{
    *schedule = (struct schedule){0};
    for (;;) {
        if (schedule->levels == SCHEDULE_LEVELS_MAX)
            return -EINVAL;
        struct schedule_level *level = &schedule->level[schedule->levels++];
        text = parse_number(text, &level->block_frames);
        if (text && *text == 'x')
            text = parse_number(text + 1, &level->parts);
        if (!text)
            return -EINVAL;
        if (*text == '\0')
            return 0;
        if (*text++ != ',')
            return -EINVAL;
    }
}
