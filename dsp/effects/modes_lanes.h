/// The inner loop of a bank of modes for vectors of WIDTH lanes: a template. Owner:
/// `modes_kernel.c`, which includes it once for each width. Thread: audio.
///
/// LANES_KERNEL is its name and LANES_TARGET its instruction set; LOW and HIGH list the lanes of
/// either half. Doubles take twice the room and go by halves: gcc 12 takes vectors that are longer
/// than a register through memory.

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define VEC JOIN(LANES_KERNEL, vec)
#define HALF JOIN(LANES_KERNEL, half)
#define WIDE JOIN(LANES_KERNEL, wide)
#define MASK JOIN(LANES_KERNEL, mask)
#define TURN_HALF JOIN(LANES_KERNEL, turn_half)
#define TURN JOIN(LANES_KERNEL, turn)

typedef float VEC __attribute__((vector_size(WIDTH * sizeof(float)), may_alias));
typedef float HALF __attribute__((vector_size(WIDTH / 2 * sizeof(float))));
typedef double WIDE __attribute__((vector_size(WIDTH / 2 * sizeof(double)), may_alias));
typedef int64_t MASK __attribute__((vector_size(WIDTH / 2 * sizeof(int64_t))));

#define AT(array, lane) (*(VEC *)((array) + (lane)))
#define WIDE_AT(array, lane) (*(WIDE *)((array) + (lane)))
#define NARROW(array, lane)                                                                        \
    __builtin_shufflevector(__builtin_convertvector(WIDE_AT(array, lane), HALF),                   \
                            __builtin_convertvector(WIDE_AT(array, (lane) + WIDTH / 2), HALF),     \
                            LOW, HIGH)

/// Turns half a vector of modes by a block and adds what they gathered in it.
LANES_TARGET RT static inline void TURN_HALF(struct modes_group *group, double fade, int lane,
                                             const HALF *add_re, const HALF *add_im)
{
    WIDE re = WIDE_AT(group->re, lane), im = WIDE_AT(group->im, lane);
    WIDE turn_re = WIDE_AT(group->turn_re, lane) * fade;
    WIDE turn_im = WIDE_AT(group->turn_im, lane) * fade;
    WIDE next_re = __builtin_convertvector(*add_re, WIDE) + turn_re * re;
    WIDE next_im = __builtin_convertvector(*add_im, WIDE) + turn_re * im;
    next_re = next_re - turn_im * im;
    next_im = next_im + turn_im * re;
    WIDE size = next_re * next_re;
    size = size + next_im * next_im;
    MASK alive = size > MODES_LEAST * MODES_LEAST;
    WIDE_AT(group->re, lane) = (WIDE)((MASK)next_re & alive);
    WIDE_AT(group->im, lane) = (WIDE)((MASK)next_im & alive);
}

LANES_TARGET RT static inline void TURN(struct modes_group *group, double fade, int lane,
                                        const VEC *in_re, const VEC *in_im)
{
    VEC gain_re = AT(group->gain_re, lane), gain_im = AT(group->gain_im, lane);
    VEC add_re = *in_re * gain_re, add_im = *in_re * gain_im;
    add_re = add_re - *in_im * gain_im;
    add_im = add_im + *in_im * gain_re;
    HALF re = __builtin_shufflevector(add_re, add_re, LOW);
    HALF im = __builtin_shufflevector(add_im, add_im, LOW);
    TURN_HALF(group, fade, lane, &re, &im);
    re = __builtin_shufflevector(add_re, add_re, HIGH);
    im = __builtin_shufflevector(add_im, add_im, HIGH);
    TURN_HALF(group, fade, lane + WIDTH / 2, &re, &im);
}

LANES_TARGET RT static void LANES_KERNEL(struct modes_group *group,
                                         const struct modes_string *string, const float *reversed,
                                         float *heard, uint32_t blocks, bool is_whole)
{
    for (uint32_t block = 0; block < blocks; block++) {
        const float *x = reversed + (size_t)block * MODES_BLOCK;
        _Alignas(64) float intake[MODES_BLOCK];
        for (int k = 0; k < MODES_BLOCK; k += WIDTH)
            AT(intake, k) = AT(x, k) * AT(string->intake, k);
        for (int low = 0; low < MODES_PLACES; low += WIDTH) {
            int high = low + MODES_PLACES;
            float *y = heard + (size_t)block * MODES_BLOCK * MODES_PLACES + low;
            VEC low_re = NARROW(group->re, low), low_im = NARROW(group->im, low);
            VEC high_re = NARROW(group->re, high), high_im = NARROW(group->im, high);
            VEC in_low_re = {0}, in_low_im = {0}, in_high_re = {0}, in_high_im = {0};
            for (int k = 0; k < MODES_BLOCK; k++, y += MODES_PLACES) {
                VEC re = AT(group->power_re[k], low), im = AT(group->power_im[k], low);
                VEC sound = low_re * re;
                sound = sound - low_im * im;
                in_low_re = in_low_re + re * intake[k];
                in_low_im = in_low_im + im * intake[k];
                re = AT(group->power_re[k], high);
                im = AT(group->power_im[k], high);
                sound = sound + high_re * re;
                sound = sound - high_im * im;
                in_high_re = in_high_re + re * intake[k];
                in_high_im = in_high_im + im * intake[k];
                AT(y, 0) = AT(y, 0) + sound * string->fade[k];
            }
            if (!is_whole)
                continue;
            TURN(group, string->fade_block, low, &in_low_re, &in_low_im);
            TURN(group, string->fade_block, high, &in_high_re, &in_high_im);
        }
    }
}

#undef NARROW
#undef WIDE_AT
#undef AT
#undef TURN
#undef TURN_HALF
#undef MASK
#undef WIDE
#undef HALF
#undef VEC
#undef JOIN
#undef JOIN_
#undef LANES_TARGET
#undef LANES_KERNEL
#undef HIGH
#undef LOW
#undef WIDTH
