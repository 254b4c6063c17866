#include "dsp/effects/response.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dsp/base/fft.h"

static uint32_t path_count(const struct response *response)
{
    return response->kind == RESPONSE_MONO ? 1 : response->kind == RESPONSE_STEREO ? 2 : 4;
}

static struct mac_row make_row(const struct response *response, int level, float *memory)
{
    return (struct mac_row){
        .tiles = memory,
        .count = schedule_parts(&response->schedule, level, response->frames),
    };
}

static size_t row_floats(const struct response *response, int level)
{
    return (size_t)2 * response->schedule.level[level].block_frames *
           schedule_parts(&response->schedule, level, response->frames);
}

/// One piece of memory: heads first, then level by level.
static int allocate(struct response *response)
{
    const struct schedule *schedule = &response->schedule;
    size_t head = schedule->level[0].block_frames, one_path = head;
    for (int i = 0; i < schedule->levels; i++)
        one_path += row_floats(response, i);
    response->memory = fft_alloc(one_path * path_count(response));
    if (!response->memory)
        return -ENOMEM;
    float *at = response->memory;
    for (uint32_t path = 0; path < path_count(response); path++, at += head)
        response->head[path] = at;
    for (int i = 0; i < schedule->levels; i++)
        for (uint32_t path = 0; path < path_count(response); path++) {
            response->level[i][path] = make_row(response, i, at);
            at += row_floats(response, i);
        }
    return 0;
}

/// Copies the part of a channel that begins at `offset`; what lies beyond its end is silence.
static void copy_part(float *to, const struct impulse *impulse, uint32_t channel, uint32_t offset,
                      uint32_t frames, float gain)
{
    for (uint32_t i = 0; i < frames; i++) {
        bool is_inside = offset + i < impulse->frames;
        to[i] = is_inside ? gain * impulse->channel[channel][offset + i] : 0.0f;
    }
}

/// Transforms one level, a pair of paths at a time. Each part is followed by a block of silence.
static int transform(struct response *response, const struct impulse *impulse, int level)
{
    const uint32_t block = response->schedule.level[level].block_frames;
    const uint32_t offset = schedule_offset_frames(&response->schedule, level);
    const struct mac_row *rows = response->level[level];
    const float gain = 0.5f / (float)block; // the inverse transform multiplies by its length
    struct fft *fft = fft_create(2 * block);
    float *part = fft_alloc(4 * (size_t)block), *other = part + 2 * (size_t)block;
    bool is_good = fft && part;
    for (uint32_t path = 0; is_good && path < path_count(response); path += 2)
        for (uint32_t k = 0; k < rows[0].count; k++) {
            bool is_pair = path + 1 < path_count(response);
            size_t at = (size_t)k * FFT_TILE_FLOATS;
            copy_part(part, impulse, path, offset + k * block, block, gain);
            if (is_pair)
                copy_part(other, impulse, path + 1, offset + k * block, block, gain);
            fft_forward(fft, part, other, (float *)rows[path].tiles + at,
                        is_pair ? (float *)rows[path + 1].tiles + at : NULL,
                        (size_t)rows[0].count * FFT_TILE_FLOATS);
        }
    fft_destroy(fft);
    free(part);
    return is_good ? 0 : -ENOMEM;
}

struct response *response_create(const struct impulse *impulse, const struct schedule *schedule)
{
    if (!schedule_is_valid(schedule, impulse->frames)) {
        errno = EINVAL;
        return NULL;
    }
    struct response *response = calloc(1, sizeof *response);
    if (!response)
        return NULL;
    response->schedule = *schedule;
    response->frames = impulse->frames;
    response->kind = impulse->channels == 1   ? RESPONSE_MONO
                     : impulse->channels == 2 ? RESPONSE_STEREO
                                              : RESPONSE_TRUE_STEREO;
    atomic_init(&response->holders, 1);
    int status = allocate(response);
    for (uint32_t path = 0; !status && path < path_count(response); path++)
        copy_part(response->head[path], impulse, path, 0, schedule->level[0].block_frames, 1.0f);
    for (int i = 0; i < schedule->levels && !status; i++)
        if (response->level[i][0].count)
            status = transform(response, impulse, i);
    if (status) {
        response_drop(response);
        errno = -status;
        return NULL;
    }
    return response;
}

struct response *response_hold(struct response *response)
{
    if (response)
        atomic_fetch_add(&response->holders, 1);
    return response;
}

void response_drop(struct response *response)
{
    if (!response || atomic_fetch_sub(&response->holders, 1) > 1)
        return;
    free(response->memory);
    free(response);
}
