#include "dsp/effects/modes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/effects/modes_kernel.h"

enum { FRAMES_MAX = 8192 };

/// Where the places are, -1 left to 1 right: neighbours in pitch far from each other.
static const double where[MODES_PLACES] = {-0.1, 0.5,  -0.6, 0.2,  -0.3, 0.7, -0.5, 0.0,
                                           0.3,  -0.7, 0.6,  -0.2, 0.4,  0.1, -0.4, 0.1};

/// How far the whole keyboard is spread beyond that, to either side.
static const double slice_spread = 0.25;

static bool is_mode(const struct mode *mode, double rate_hz)
{
    return mode->frequency_hz > 0.0 && mode->frequency_hz < rate_hz / 2.0 &&
           mode->loss_per_s > 0.0 && isfinite(mode->loss_per_s) && isfinite(mode->gain) &&
           isfinite(mode->phase_rad);
}

static bool are_modes(const struct mode *mode, uint32_t count, uint32_t strings, double rate_hz)
{
    for (uint32_t i = 0; i < count; i++)
        if (!is_mode(&mode[i], rate_hz) || mode[i].string >= strings ||
            (i && mode[i].string < mode[i - 1].string))
            return false;
    return true;
}

static void *room(size_t count, size_t bytes)
{
    size_t all = (count * bytes + 63) / 64 * 64;
    void *memory = aligned_alloc(64, all);
    if (memory)
        memset(memory, 0, all);
    return memory;
}

static void set_lane(struct modes_group *group, int lane, const struct mode *mode, double rate_hz)
{
    double loss = mode->loss_per_s / rate_hz, turn = 2.0 * M_PI * mode->frequency_hz / rate_hz;
    for (int k = 0; k < MODES_BLOCK; k++) {
        group->power_re[k][lane] = (float)(exp(-loss * k) * cos(turn * k));
        group->power_im[k][lane] = (float)(exp(-loss * k) * sin(turn * k));
    }
    group->gain_re[lane] = (float)(mode->gain * cos(mode->phase_rad));
    group->gain_im[lane] = (float)(mode->gain * sin(mode->phase_rad));
    group->turn_re[lane] = exp(-loss * MODES_BLOCK) * cos(turn * MODES_BLOCK);
    group->turn_im[lane] = exp(-loss * MODES_BLOCK) * sin(turn * MODES_BLOCK);
}

/// Spreads the modes over groups; each string begins a group of its own. Without memory for them
/// it counts.
static void lay_out(struct modes *modes, const struct mode *mode, uint32_t count)
{
    uint32_t groups = 0, lane = 0;
    for (uint32_t i = 0; i < count; i++, lane++) {
        bool is_new_string = !i || mode[i].string != mode[i - 1].string;
        if (is_new_string || lane == MODES_LANES) {
            lane = 0;
            groups++;
        }
        if (!modes->group)
            continue;
        struct modes_string *string = &modes->string[mode[i].string];
        string->first_group = is_new_string ? groups - 1 : string->first_group;
        string->groups = groups - string->first_group;
        set_lane(&modes->group[groups - 1], (int)lane, &mode[i], modes->rate_hz);
    }
    modes->groups = groups;
}

/// Gives each slice its strings.
static void cut(struct modes *modes)
{
    uint32_t groups = MODES_SLICE_GROUPS;
    for (uint32_t i = 0; i < modes->strings; i++) {
        if (groups >= MODES_SLICE_GROUPS) {
            modes->slice[modes->slices++].first_string = i;
            groups = 0;
        }
        modes->slice[modes->slices - 1].strings++;
        groups += modes->string[i].groups;
    }
}

static void place(struct modes_slice *slice, double centre)
{
    for (int i = 0; i < MODES_PLACES; i++) {
        double angle = (1.0 + where[i] + centre) * M_PI / 4.0;
        slice->pan[0][i] = (float)cos(angle);
        slice->pan[1][i] = (float)sin(angle);
    }
}

/// What one sample makes of the frames after it within its block.
static void find_echo(struct modes *modes, struct modes_string *string,
                      const struct modes_slice *slice)
{
    for (int side = 0; side < 2; side++)
        for (int k = 0; k < MODES_BLOCK; k++) {
            double sum = 0.0;
            for (uint32_t i = 0; i < string->groups; i++) {
                const struct modes_group *group = &modes->group[string->first_group + i];
                for (int lane = 0; lane < MODES_LANES; lane++)
                    sum += slice->pan[side][lane % MODES_PLACES] *
                           ((double)group->power_re[k][lane] * group->gain_re[lane] -
                            (double)group->power_im[k][lane] * group->gain_im[lane]);
            }
            string->echo[side][k] = (float)sum;
        }
}

static int allocate(struct modes *modes)
{
    size_t frames = modes->max_frames + 2 * MODES_BLOCK;
    modes->group = room(modes->groups, sizeof *modes->group);
    modes->string = room(modes->strings, sizeof *modes->string);
    modes->slice = room(modes->strings, sizeof *modes->slice);
    modes->in = room(frames, sizeof(float));
    modes->reversed = room(frames, sizeof(float));
    if (!modes->group || !modes->string || !modes->slice || !modes->in || !modes->reversed)
        return -ENOMEM;
    return 0;
}

static int allocate_slices(struct modes *modes)
{
    size_t frames = modes->max_frames + 2 * MODES_BLOCK;
    for (uint32_t i = 0; i < modes->slices; i++)
        for (int side = 0; side < 2; side++) {
            modes->slice[i].out[side] = room(frames, sizeof(float));
            if (!modes->slice[i].out[side])
                return -ENOMEM;
        }
    return 0;
}

static void prepare(struct modes *modes)
{
    for (uint32_t i = 0; i < modes->slices; i++) {
        struct modes_slice *slice = &modes->slice[i];
        double share = modes->slices > 1 ? (double)i / (modes->slices - 1) : 0.5;
        place(slice, slice_spread * (2.0 * share - 1.0));
        for (uint32_t j = 0; j < slice->strings; j++) {
            struct modes_string *string = &modes->string[slice->first_string + j];
            string->drive.target = 1.0;
            find_echo(modes, string, slice);
        }
    }
}

int modes_init(struct modes *modes, double rate_hz, uint32_t max_frames, uint32_t strings,
               const struct mode *mode, uint32_t count)
{
    *modes = (struct modes){.rate_hz = rate_hz, .max_frames = max_frames, .strings = strings};
    if (!(rate_hz >= 1000.0 && rate_hz <= 1e6) || !max_frames || max_frames > FRAMES_MAX ||
        !strings || strings > MODES_STRINGS_MAX || !count || count > MODES_MAX ||
        !are_modes(mode, count, strings, rate_hz))
        return -EINVAL;
    modes->count = count;
    modes->kernel = modes_kernel_best();
    modes_set_glide(modes, 0.02);
    lay_out(modes, mode, count);
    int error = allocate(modes);
    if (!error) {
        lay_out(modes, mode, count);
        cut(modes);
        error = allocate_slices(modes);
    }
    if (error) {
        modes_finish(modes);
        return error;
    }
    prepare(modes);
    modes_clear(modes);
    return 0;
}

void modes_finish(struct modes *modes)
{
    for (uint32_t i = 0; i < modes->slices; i++) {
        free(modes->slice[i].out[1]);
        free(modes->slice[i].out[0]);
    }
    free(modes->reversed);
    free(modes->in);
    free(modes->slice);
    free(modes->string);
    free(modes->group);
    *modes = (struct modes){0};
}
