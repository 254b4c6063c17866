// A level's blocks from input to result: the claimant's half.
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/effects/level_inside.h"

// ---- the claimant ----

RT bool level_claim(struct level *level)
{
    bool expected = false;
    return atomic_compare_exchange_strong_explicit(&level->is_claimed, &expected, true,
                                                   memory_order_acquire, memory_order_relaxed);
}

RT void level_release(struct level *level)
{
    atomic_store_explicit(&level->is_claimed, false, memory_order_release);
}

RT bool level_has_work(const struct level *level)
{
    return atomic_load_explicit(&level->processed, memory_order_acquire) <
           atomic_load(&level->submitted);
}

RT static bool is_all_zero(const float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] != 0)
            return false;
    return true;
}

/// In place of input that was lost: what came last, played backwards and fading; then silence.
RT static void fill_gap(struct level *level, float *to)
{
    const uint32_t block = level->block_frames, fade = level_late_fade(level);
    memset(to, 0, block * sizeof(float));
    for (uint32_t i = 0; i < fade && !level->is_in_gap; i++)
        to[i] = to[-1 - (ptrdiff_t)i] * (1.0f - (float)i / (float)fade);
}

RT static void fill(struct level *level, float *to, const float *input)
{
    const uint32_t fade = level_late_fade(level);
    memcpy(to, input, level->block_frames * sizeof(float));
    for (uint32_t i = 0; i < fade && level->is_in_gap; i++)
        to[i] *= (float)i / (float)fade;
}

/// Moves the window on by a block; NULL where its input was lost.
RT static void shift_window(struct level *level, float *const input[2])
{
    const size_t block = level->block_frames;
    bool is_silent = true;
    for (int c = 0; c < 2; c++) {
        memcpy(level->window[c], level->window[c] + block, block * sizeof(float));
        if (input)
            fill(level, level->window[c] + block, input[c]);
        else
            fill_gap(level, level->window[c] + block);
        is_silent &= is_all_zero(level->window[c], 2 * block);
    }
    level->is_in_gap = !input;
    level->silent_windows = is_silent ? level->silent_windows + 1 : 0;
}

/// The window's spectra, to `place` in the ring. When all of it is silent, it is zero already.
RT static void transform_window(struct level *level, uint32_t place)
{
    const size_t stride = (size_t)level->parts * FFT_TILE_FLOATS;
    const size_t at = (size_t)place * FFT_TILE_FLOATS;
    if (level->silent_windows == 0)
        fft_forward(level->fft, level->window[0], level->window[1], level->spectra[0] + at,
                    level->spectra[1] + at, stride);
    else if (level->silent_windows <= level->parts)
        for (int c = 0; c < 2; c++)
            for (size_t tile = 0; tile < level->block_frames / FFT_TILE; tile++)
                memset(level->spectra[c] + at + tile * stride, 0, FFT_TILE_FLOATS * sizeof(float));
}

RT static bool has_sound(const struct level *level, const struct response *response)
{
    return response && level->silent_windows < response->level[level->index][0].count;
}

/// The convolution of the last windows with a response, a block for each output.
RT static void convolve(struct level *level, const struct response *response, uint32_t place,
                        const float *out[2])
{
    for (int o = 0; o < 2; o++) {
        memset(level->sum[o], 0, 2 * level->block_frames * sizeof(float));
        for (int i = 0; i < 2; i++) {
            int path = response_path(response->kind, i, o);
            if (path >= 0)
                level->mac->spectra(
                    level->sum[o], (struct mac_row){level->spectra[i], level->parts}, place,
                    response->level[level->index][path], level->block_frames / FFT_TILE);
        }
    }
    fft_inverse(level->fft, level->sum[0], level->sum[1], &out[0], &out[1]);
    // The first half is what a circular convolution folds over.
    out[0] += level->block_frames;
    out[1] += level->block_frames;
}

RT static void add_faded(const struct level *level, const struct level_slot *slot,
                         const float *const in[2], bool is_falling)
{
    const uint64_t end = level->fade.frames;
    for (uint32_t i = 0; i < level->block_frames; i++) {
        uint64_t at = slot->fade_at + i < end ? slot->fade_at + i : end;
        float gain = level->fade.gain[is_falling ? end - at : at];
        slot->result[0][i] += gain * in[0][i];
        slot->result[1][i] += gain * in[1][i];
    }
}

RT static void compute(struct level *level, struct level_slot *slot, uint32_t place)
{
    const size_t bytes = level->block_frames * sizeof(float);
    const float *sound[2];
    bool is_fading = slot->fade_at < level->fade.frames;
    bool has_from = has_sound(level, slot->from), has_to = has_sound(level, slot->to);
    slot->is_silent = !has_from && !has_to;
    if (is_fading && !slot->is_silent)
        for (int c = 0; c < 2; c++)
            memset(slot->result[c], 0, bytes);
    if (has_from) {
        convolve(level, slot->from, place, sound);
        add_faded(level, slot, sound, true);
    }
    if (has_to) {
        convolve(level, slot->to, place, sound);
        if (is_fading)
            add_faded(level, slot, sound, false);
        else
            for (int c = 0; c < 2; c++)
                memcpy(slot->result[c], sound[c], bytes);
    }
}

RT bool level_work(struct level *level)
{
    uint64_t block = atomic_load_explicit(&level->processed, memory_order_relaxed);
    if (block >= atomic_load_explicit(&level->submitted, memory_order_acquire))
        return false;
    struct level_slot *slot = level_slot(level, block);
    // The newest window comes first in the ring, so the ring is written backwards.
    uint32_t place = level->parts - 1 - (uint32_t)(block % level->parts);
    bool is_lost = slot->block != block;
    shift_window(level, is_lost ? NULL : slot->input);
    transform_window(level, place);
    // What is late already is not computed, but its spectra serve the blocks after it.
    if (!is_lost && block >= atomic_load_explicit(&level->passed, memory_order_relaxed)) {
        uint64_t open = 2 * block;
        compute(level, slot, place);
        atomic_compare_exchange_strong_explicit(&slot->published, &open, 2 * block + 1,
                                                memory_order_release, memory_order_relaxed);
    }
    atomic_store_explicit(&level->processed, block + 1, memory_order_release);
    return true;
}
