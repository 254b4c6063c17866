#include "dsp/effects/modes_kernel.h"

#include <stddef.h>
#include <string.h>

// ---- plain C: what the vector kernels must agree with ----

struct gathered {
    float re, im;
};

/// What the modes of one place gather from a block, which is heard on the way.
RT static void run_place(const struct modes_group *group, const struct modes_string *string,
                         const float *x, float *y, int place, struct gathered gathered[2])
{
    int low = place, high = place + MODES_PLACES;
    float low_re = (float)group->re[low], low_im = (float)group->im[low];
    float high_re = (float)group->re[high], high_im = (float)group->im[high];
    for (int k = 0; k < MODES_BLOCK; k++) {
        const float *re = group->power_re[k], *im = group->power_im[k];
        float intake = x[k] * string->intake[k];
        float sound = low_re * re[low];
        sound = sound - low_im * im[low];
        sound = sound + high_re * re[high];
        sound = sound - high_im * im[high];
        y[k * MODES_PLACES] = y[k * MODES_PLACES] + sound * string->fade[k];
        gathered[0].re = gathered[0].re + re[low] * intake;
        gathered[0].im = gathered[0].im + im[low] * intake;
        gathered[1].re = gathered[1].re + re[high] * intake;
        gathered[1].im = gathered[1].im + im[high] * intake;
    }
}

RT static void turn_lane(struct modes_group *group, double fade, int lane, struct gathered in)
{
    double re = group->re[lane], im = group->im[lane];
    float add_re = in.re * group->gain_re[lane], add_im = in.re * group->gain_im[lane];
    add_re = add_re - in.im * group->gain_im[lane];
    add_im = add_im + in.im * group->gain_re[lane];
    double turn_re = group->turn_re[lane] * fade, turn_im = group->turn_im[lane] * fade;
    double next_re = (double)add_re + turn_re * re;
    next_re = next_re - turn_im * im;
    double next_im = (double)add_im + turn_re * im;
    next_im = next_im + turn_im * re;
    double size = next_re * next_re;
    size = size + next_im * next_im;
    group->re[lane] = size > MODES_LEAST * MODES_LEAST ? next_re : 0.0;
    group->im[lane] = size > MODES_LEAST * MODES_LEAST ? next_im : 0.0;
}

RT static void run_plain(struct modes_group *group, const struct modes_string *string,
                         const float *reversed, float *heard, uint32_t blocks, bool is_whole)
{
    for (uint32_t block = 0; block < blocks; block++)
        for (int place = 0; place < MODES_PLACES; place++) {
            struct gathered in[2] = {{0}};
            run_place(group, string, reversed + (size_t)block * MODES_BLOCK,
                      heard + (size_t)block * MODES_BLOCK * MODES_PLACES + place, place, in);
            for (int i = 0; is_whole && i < 2; i++)
                turn_lane(group, string->fade_block, place + i * MODES_PLACES, in[i]);
        }
}

// ---- vectors ----

// SSE2 and NEON: what every machine of the architecture has.
#define WIDTH 4
#define LOW 0, 1
#define HIGH 2, 3
#define LANES_KERNEL run_narrow
#define LANES_TARGET
#include "dsp/effects/modes_lanes.h"

#if defined(__x86_64__)
#define WIDTH 8
#define LOW 0, 1, 2, 3
#define HIGH 4, 5, 6, 7
#define LANES_KERNEL run_avx2
#define LANES_TARGET __attribute__((target("avx2,fma")))
#include "dsp/effects/modes_lanes.h"

#define WIDTH 16
#define LOW 0, 1, 2, 3, 4, 5, 6, 7
#define HIGH 8, 9, 10, 11, 12, 13, 14, 15
#define LANES_KERNEL run_avx512
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,fma")))
#include "dsp/effects/modes_lanes.h"

static modes_kernel *find_wide(enum modes_width width)
{
    __builtin_cpu_init();
    if (width == MODES_AVX512 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq"))
        return run_avx512;
    if (width == MODES_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return run_avx2;
    return NULL;
}
#else
static modes_kernel *find_wide(enum modes_width width)
{
    (void)width;
    return NULL;
}
#endif

// ---- what all widths share ----

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

#define FOUR(array) (*(four *)(array))
#define FOUR_OF(array) (*(const four *)(array))

/// One frame's lanes times their gains, folded to four.
RT static four fold(const float *lane, const float *pan)
{
    four low = FOUR_OF(lane) * FOUR_OF(pan) + FOUR_OF(lane + 8) * FOUR_OF(pan + 8);
    four high = FOUR_OF(lane + 4) * FOUR_OF(pan + 4) + FOUR_OF(lane + 12) * FOUR_OF(pan + 12);
    return low + high;
}

/// The sums of the lanes of four vectors, side by side.
RT static four sum_each(four a, four b, four c, four d)
{
    four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
           __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

RT void modes_kernel_listen(const float *heard, const float *pan, float *out)
{
    for (int frame = 0; frame < MODES_BLOCK; frame += 4) {
        const float *lane = heard + frame * MODES_PLACES;
        FOUR(out + frame) =
            sum_each(fold(lane, pan), fold(lane + MODES_PLACES, pan),
                     fold(lane + 2 * MODES_PLACES, pan), fold(lane + 3 * MODES_PLACES, pan));
    }
}

RT void modes_kernel_echo(const float *in, const float *echo, float *out)
{
    float past[2 * MODES_BLOCK] = {0};
    memcpy(past + MODES_BLOCK, in, MODES_BLOCK * sizeof *in);
    for (int frame = 0; frame < MODES_BLOCK; frame += 4) {
        four sum = FOUR(out + frame);
        for (int k = 0; k < frame + 3; k++)
            sum = sum + FOUR(past + MODES_BLOCK - 1 - k + frame) * echo[k];
        FOUR(out + frame) = sum;
    }
}

modes_kernel *modes_kernel_find(enum modes_width width)
{
    if (width == MODES_PLAIN)
        return run_plain;
    return width == MODES_NARROW ? run_narrow : find_wide(width);
}

modes_kernel *modes_kernel_best(void)
{
    modes_kernel *kernel = NULL;
    for (int width = MODES_AVX512; !kernel; width--)
        kernel = modes_kernel_find((enum modes_width)width);
    return kernel;
}
