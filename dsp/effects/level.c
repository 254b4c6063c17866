#include "dsp/effects/level.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/effects/level_inside.h"

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

// ---- life ----

/// Gives out pieces of one allocation; with no memory yet, it counts.
static float *take(float *memory, size_t *used, size_t floats)
{
    float *piece = memory ? memory + *used : NULL;
    *used += floats;
    return piece;
}

/// Distances that are no power of two: neighbours do not fight for the same places of the cache.
static size_t lay_out(struct level *level)
{
    const size_t block = level->block_frames, pad = 3 * FFT_TILE;
    size_t used = 0;
    for (int c = 0; c < 2; c++) {
        level->window[c] = take(level->memory, &used, 2 * block + pad);
        level->sum[c] = take(level->memory, &used, 2 * block + pad);
        level->spectra[c] = take(level->memory, &used, 2 * block * level->parts + pad);
        for (uint32_t i = 0; i < level->slot_count; i++) {
            level->slots[i].input[c] = take(level->memory, &used, block + pad);
            level->slots[i].result[c] = take(level->memory, &used, block + pad);
        }
    }
    return used;
}

static uint32_t power_of_two(uint32_t count)
{
    uint32_t power = 1;
    while (power < count)
        power *= 2;
    return power;
}

int level_init(struct level *level, const struct schedule *schedule, int index, uint32_t frames,
               struct level_fade fade)
{
    uint32_t block = schedule->level[index].block_frames;
    uint32_t offset = schedule_offset_frames(schedule, index);
    uint32_t parts = schedule_parts(schedule, index, frames);
    *level = (struct level){
        .index = index,
        .block_frames = block,
        .parts = parts ? parts : 1,
        .offset_frames = offset,
        .fade = fade,
        .block_shift = __builtin_ctz(block),
        // A slot is filled again when its result and, should the next be late, the echo of its
        // result have been heard.
        .slot_count = power_of_two((offset + block - 1) / block + 2),
        .mac = mac_best(),
        .is_heard = true,
        .silent_windows = UINT32_MAX, // the memory is zero
    };
    level->slots = calloc(level->slot_count, sizeof *level->slots);
    if (!level->slots)
        return -ENOMEM;
    level->memory = fft_alloc(lay_out(level));
    level->fft = fft_create(2 * block);
    if (!level->memory || !level->fft) {
        level_finish(level);
        return -ENOMEM;
    }
    lay_out(level);
    for (uint32_t i = 0; i < level->slot_count; i++)
        level->slots[i].block = UINT64_MAX;
    return 0;
}

void level_finish(struct level *level)
{
    fft_destroy(level->fft);
    free(level->memory);
    free(level->slots);
    *level = (struct level){0};
}

// ---- the audio thread: input ----

/// A slot is free when its last block has been computed. A worker that is so far behind that it is
/// not makes us lose this block's input: the worker will take it for silence.
RT static void begin_block(struct level *level, uint64_t block)
{
    struct level_slot *slot = level_slot(level, block);
    uint64_t processed = atomic_load_explicit(&level->processed, memory_order_acquire);
    level->is_filling = processed + level->slot_count > block;
    if (!level->is_filling)
        return;
    slot->block = block;
    atomic_store_explicit(&slot->published, 2 * block, memory_order_relaxed);
}

RT static void submit(struct level *level, uint64_t block)
{
    struct level_slot *slot = level_slot(level, block);
    if (level->is_filling) {
        slot->to = level->to;
        slot->from = block < level->settled_block ? level->from : NULL;
        slot->fade_at = block < level->settled_block
                            ? (block - level->switch_block) * level->block_frames
                            : level->fade.frames;
    }
    // In one order with the workers' look at it before they sleep.
    atomic_store(&level->submitted, block + 1);
}

RT bool level_write(struct level *level, const float *const in[2], uint32_t frames)
{
    uint64_t block = level->frame >> level->block_shift;
    uint32_t at = (uint32_t)level->frame & (level->block_frames - 1);
    if (at == 0)
        begin_block(level, block);
    if (level->is_filling)
        for (int c = 0; c < 2; c++)
            memcpy(level_slot(level, block)->input[c] + at, in[c], frames * sizeof(float));
    level->frame += frames;
    if (at + frames < level->block_frames)
        return false;
    submit(level, block);
    return true;
}

RT void level_switch(struct level *level, const struct response *to)
{
    bool is_first = level->frame == 0;
    level->from = is_first ? NULL : level->to;
    level->to = to;
    level->switch_block = level->frame >> level->block_shift;
    uint64_t blocks = (level->fade.frames + level->block_frames - 1) / level->block_frames;
    level->settled_block = level->switch_block + (is_first ? 0 : blocks);
}

RT bool level_is_settled(const struct level *level)
{
    return atomic_load_explicit(&level->processed, memory_order_acquire) >= level->settled_block;
}

// ---- the audio thread: output ----

RT static bool is_published(const struct level *level, uint64_t block)
{
    const struct level_slot *slot = level_slot(level, block);
    return atomic_load_explicit(&slot->published, memory_order_acquire) == 2 * block + 1;
}

RT static void begin_result(struct level *level, uint64_t block)
{
    level->was_heard = level->is_heard;
    level->is_heard = is_published(level, block);
    atomic_store_explicit(&level->passed, block + 1, memory_order_relaxed);
    if (!level->is_heard)
        atomic_store_explicit(&level->late,
                              atomic_load_explicit(&level->late, memory_order_relaxed) + 1,
                              memory_order_relaxed);
}

/// In place of a result that is late: what was heard last, played backwards and fading.
RT static void add_echo(struct level *level, uint64_t block, uint32_t at, float *const out[2],
                        uint32_t frames)
{
    if (block == 0 || level_slot(level, block - 1)->is_silent)
        return;
    const struct level_slot *slot = level_slot(level, block - 1);
    const uint32_t fade = level_late_fade(level);
    for (int c = 0; c < 2; c++)
        for (uint32_t i = 0; i < frames && at + i < fade; i++)
            out[c][i] += slot->result[c][level->block_frames - 1 - at - i] *
                         (1.0f - (float)(at + i) / (float)fade);
}

RT static void add_result(const struct level_slot *slot, uint32_t at, float *const out[2],
                          uint32_t frames)
{
    for (int c = 0; c < 2; c++) {
        const float *result = slot->result[c] + at;
        float *to = out[c];
        uint32_t i = 0;
        for (; i + 4 <= frames; i += 4)
            *(quad *)(to + i) += *(const quad *)(result + i);
        for (; i < frames; i++)
            to[i] += result[i];
    }
}

/// The first result after one that was late.
RT static void add_rising(struct level *level, const struct level_slot *slot, uint32_t at,
                          float *const out[2], uint32_t frames)
{
    const float step = 1.0f / (float)level_late_fade(level);
    for (int c = 0; c < 2; c++)
        for (uint32_t i = 0; i < frames; i++)
            out[c][i] += slot->result[c][at + i] * fminf(1.0f, (float)(at + i) * step);
}

RT void level_add(struct level *level, float *const out[2], uint32_t frames)
{
    if (level->frame < level->offset_frames)
        return;
    uint64_t past = level->frame - level->offset_frames, block = past >> level->block_shift;
    uint32_t at = (uint32_t)past & (level->block_frames - 1);
    const struct level_slot *slot = level_slot(level, block);
    if (at == 0)
        begin_result(level, block);
    if (!level->is_heard && level->was_heard)
        add_echo(level, block, at, out, frames);
    else if (!level->is_heard || slot->is_silent)
        return;
    else if (!level->was_heard)
        add_rising(level, slot, at, out, frames);
    else
        add_result(slot, at, out, frames);
}
