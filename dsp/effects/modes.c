#include "dsp/effects/modes.h"

#include <string.h>

#include "dsp/effects/modes_kernel.h"

enum { SPAN_BLOCKS = 8 }; ///< heard at one go; its places fit into the first cache

bool modes_use(struct modes *modes, enum modes_width width)
{
    modes_kernel *kernel = modes_kernel_find(width);
    if (kernel)
        modes->kernel = kernel;
    return kernel != NULL;
}

const char *modes_width_name(enum modes_width width)
{
    static const char *const name[MODES_WIDTHS] = {"plain C", "4 lanes", "AVX2", "AVX-512"};
    return name[width];
}

// ---- controls ----

RT void modes_set_glide(struct modes *modes, double seconds)
{
    double blocks = seconds * modes->rate_hz / MODES_BLOCK;
    modes->glide_blocks = blocks < 1.0 ? 1 : blocks > 1e6 ? 1000000 : (uint32_t)(blocks + 0.5);
}

RT static void head_for(struct modes_glide *glide, double target, uint32_t blocks)
{
    if (target == glide->target)
        return;
    glide->target = target;
    glide->step = (target - glide->now) / blocks;
    glide->left_blocks = blocks;
}

RT void modes_string_set(struct modes *modes, uint32_t string, double loss_per_s, double drive)
{
    head_for(&modes->string[string].loss, loss_per_s, modes->glide_blocks);
    head_for(&modes->string[string].drive, drive, modes->glide_blocks);
}

/// One block further. Returns whether the control moved.
RT static bool glide_on(struct modes_glide *glide)
{
    if (!glide->left_blocks)
        return false;
    glide->now = --glide->left_blocks ? glide->now + glide->step : glide->target;
    return true;
}

/// e^-x to the last bits of a double for |x| below 0.1, without the mathematics library.
RT static double decay(double x)
{
    double sum = 1.0;
    for (int n = 9; n > 0; n--)
        sum = 1.0 - sum * x / n;
    return sum;
}

RT static void refresh_string(struct modes_string *string, double rate_hz)
{
    double fade = decay(string->loss.now / rate_hz), power = 1.0;
    for (int k = 0; k < MODES_BLOCK; k++, power *= fade) {
        string->fade[k] = (float)power;
        string->intake[k] = (float)(power * string->drive.now);
    }
    string->fade_block = power;
}

RT static void refresh_slice(struct modes_slice *slice, const struct modes_string *string)
{
    memset(slice->echo, 0, sizeof slice->echo);
    for (uint32_t i = 0; i < slice->strings; i++)
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < MODES_BLOCK; k++)
                slice->echo[side][k] += string[i].echo[side][k] * string[i].intake[k];
}

/// Lets the controls take their step at the start of a block.
RT static void step_controls(const struct modes *modes, struct modes_slice *slice)
{
    struct modes_string *string = &modes->string[slice->first_string];
    bool has_moved = false;
    for (uint32_t i = 0; i < slice->strings; i++) {
        bool loss_moved = glide_on(&string[i].loss), drive_moved = glide_on(&string[i].drive);
        if (loss_moved || drive_moved) {
            refresh_string(&string[i], modes->rate_hz);
            has_moved = true;
        }
    }
    if (has_moved)
        refresh_slice(slice, string);
}

RT static bool is_moving(const struct modes *modes, const struct modes_slice *slice)
{
    const struct modes_string *string = &modes->string[slice->first_string];
    for (uint32_t i = 0; i < slice->strings; i++)
        if (string[i].loss.left_blocks || string[i].drive.left_blocks)
            return true;
    return false;
}

// ---- running ----

RT void modes_feed(struct modes *modes, const float *in, uint32_t frames)
{
    uint32_t end = modes->at + frames;
    uint32_t blocks = (end + MODES_BLOCK - 1) / MODES_BLOCK;
    bool is_quiet = true;
    memcpy(modes->in + modes->at, in, frames * sizeof *in);
    memset(modes->in + end, 0, (blocks * MODES_BLOCK - end) * sizeof *in);
    for (uint32_t i = 0; i < blocks * MODES_BLOCK; i++) {
        is_quiet = is_quiet && modes->in[i] == 0.0f;
        modes->reversed[i ^ (MODES_BLOCK - 1)] = modes->in[i];
    }
    modes->is_quiet = is_quiet;
    modes->frames = frames;
}

RT static void run_group(const struct modes *modes, const struct modes_string *string,
                         struct modes_group *group, float *heard, uint32_t block, uint32_t blocks,
                         bool is_whole)
{
    bool is_driven = string->drive.now != 0.0 && !modes->is_quiet;
    if (group->is_resting && !is_driven)
        return;
    modes->kernel(group, string, modes->reversed + (size_t)block * MODES_BLOCK, heard, blocks,
                  is_whole);
    bool is_resting = !is_driven;
    for (int lane = 0; is_resting && lane < MODES_LANES; lane++)
        is_resting = group->re[lane] == 0.0 && group->im[lane] == 0.0;
    group->is_resting = is_resting;
}

RT static void run_span(const struct modes *modes, struct modes_slice *slice, uint32_t block,
                        uint32_t blocks, bool is_whole)
{
    _Alignas(64) float heard[SPAN_BLOCKS * MODES_BLOCK * MODES_PLACES];
    memset(heard, 0, blocks * MODES_BLOCK * MODES_PLACES * sizeof *heard);
    for (uint32_t i = 0; i < slice->strings; i++) {
        const struct modes_string *string = &modes->string[slice->first_string + i];
        for (uint32_t j = 0; j < string->groups; j++)
            run_group(modes, string, &modes->group[string->first_group + j], heard, block, blocks,
                      is_whole);
    }
    for (uint32_t i = 0; i < blocks; i++)
        for (int side = 0; side < 2; side++) {
            size_t at = (size_t)(block + i) * MODES_BLOCK;
            modes_kernel_listen(heard + (size_t)i * MODES_BLOCK * MODES_PLACES, slice->pan[side],
                                slice->out[side] + at);
            modes_kernel_echo(modes->in + at, slice->echo[side], slice->out[side] + at);
        }
}

RT static void run_slice(const struct modes *modes, struct modes_slice *slice)
{
    uint32_t end = modes->at + modes->frames, block = 0;
    while (block * MODES_BLOCK < end) {
        if (block || !modes->at)
            step_controls(modes, slice);
        uint32_t whole = (end - block * MODES_BLOCK) / MODES_BLOCK;
        uint32_t span = whole < SPAN_BLOCKS ? whole : SPAN_BLOCKS;
        if (!whole || is_moving(modes, slice))
            span = 1;
        run_span(modes, slice, block, span, whole > 0);
        block += span;
    }
}

RT void modes_run(struct modes *modes, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; i++)
        run_slice(modes, &modes->slice[i]);
}

RT void modes_sum(struct modes *modes, float *const out[2])
{
    uint32_t end = modes->at + modes->frames, tail = end % MODES_BLOCK;
    for (int side = 0; side < 2; side++) {
        memset(out[side], 0, modes->frames * sizeof *out[side]);
        for (uint32_t i = 0; i < modes->slices; i++)
            for (uint32_t frame = 0; frame < modes->frames; frame++)
                out[side][frame] += modes->slice[i].out[side][modes->at + frame];
    }
    memmove(modes->in, modes->in + (end - tail), tail * sizeof *modes->in);
    modes->at = tail;
}

RT bool modes_are_resting(const struct modes *modes)
{
    for (uint32_t i = 0; i < modes->groups; i++)
        if (!modes->group[i].is_resting)
            return false;
    return true;
}

RT void modes_clear(struct modes *modes)
{
    for (uint32_t i = 0; i < modes->groups; i++) {
        memset(modes->group[i].re, 0, sizeof modes->group[i].re);
        memset(modes->group[i].im, 0, sizeof modes->group[i].im);
        modes->group[i].is_resting = true;
    }
    for (uint32_t i = 0; i < modes->slices; i++) {
        struct modes_slice *slice = &modes->slice[i];
        for (uint32_t j = 0; j < slice->strings; j++) {
            struct modes_string *string = &modes->string[slice->first_string + j];
            string->loss.now = string->loss.target;
            string->drive.now = string->drive.target;
            string->loss.left_blocks = string->drive.left_blocks = 0;
            refresh_string(string, modes->rate_hz);
        }
        refresh_slice(slice, &modes->string[slice->first_string]);
    }
    memset(modes->in, 0, MODES_BLOCK * sizeof *modes->in);
}
