// What sympathetic resonance costs: how many modes one core carries in real time at 48 kHz in
// periods of 128 frames, for each instruction set, and the share of a core of the default bank.
//
// Beside it is the usual way to run a mode, a rotation each sample in single precision, written
// with vectors and four chains at a time: mono, without dampers, and at -63 to -81 dB
// against double precision where a bank of ours is at -137 dB.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/rt.h"
#include "dsp/effects/resonance.h"
#include "tests/bench/bench.h"

enum { RATE_HZ = 48000, PERIOD = 128, ROUNDS = 301, PERIODS = 2, RIVAL_MODES = 4096 };

static float in[2][PERIOD], wet[2][PERIOD];

static void fill_noise(void)
{
    for (int i = 0; i < PERIOD; i++)
        in[0][i] = in[1][i] = (float)rand() / (float)RAND_MAX - 0.5f;
}

// ---- the rival ----

struct rotations {
    _Alignas(64) float cosine[RIVAL_MODES];
    float sine[RIVAL_MODES], re[RIVAL_MODES], im[RIVAL_MODES], gain[RIVAL_MODES];
};

static struct rotations rotations;

#define ROTATE(name, width, target_)                                                               \
    typedef float name##_vec __attribute__((vector_size((width) * sizeof(float)), may_alias));     \
    target_ static void name(const float *x, float *out)                                           \
    {                                                                                              \
        static _Alignas(64) float heard[PERIOD * (width)];                                         \
        memset(heard, 0, sizeof heard);                                                            \
        for (int at = 0; at < RIVAL_MODES; at += 4 * (width)) {                                    \
            name##_vec c[4], s[4], re[4], im[4], g[4];                                             \
            for (int j = 0; j < 4; j++) {                                                          \
                c[j] = *(name##_vec *)&rotations.cosine[at + j * (width)];                         \
                s[j] = *(name##_vec *)&rotations.sine[at + j * (width)];                           \
                re[j] = *(name##_vec *)&rotations.re[at + j * (width)];                            \
                im[j] = *(name##_vec *)&rotations.im[at + j * (width)];                            \
                g[j] = *(name##_vec *)&rotations.gain[at + j * (width)];                           \
            }                                                                                      \
            for (int i = 0; i < PERIOD; i++) {                                                     \
                name##_vec sum = *(name##_vec *)&heard[i * (width)];                               \
                for (int j = 0; j < 4; j++) {                                                      \
                    name##_vec next = c[j] * re[j] - s[j] * im[j] + x[i];                          \
                    im[j] = s[j] * re[j] + c[j] * im[j];                                           \
                    re[j] = next;                                                                  \
                    sum = sum + g[j] * im[j];                                                      \
                }                                                                                  \
                *(name##_vec *)&heard[i * (width)] = sum;                                          \
            }                                                                                      \
            for (int j = 0; j < 4; j++) {                                                          \
                *(name##_vec *)&rotations.re[at + j * (width)] = re[j];                            \
                *(name##_vec *)&rotations.im[at + j * (width)] = im[j];                            \
            }                                                                                      \
        }                                                                                          \
        for (int i = 0; i < PERIOD; i++) {                                                         \
            out[i] = 0.0f;                                                                         \
            for (int lane = 0; lane < (width); lane++)                                             \
                out[i] += heard[i * (width) + lane];                                               \
        }                                                                                          \
    }

ROTATE(rotate_narrow, 4, )
#if defined(__x86_64__)
ROTATE(rotate_avx2, 8, __attribute__((target("avx2,fma"))))
ROTATE(rotate_avx512, 16, __attribute__((target("avx512f,fma"))))
#else
#define rotate_avx2 NULL
#define rotate_avx512 NULL
#endif

typedef void rotate(const float *x, float *out);

static rotate *const rotate_of[MODES_WIDTHS] = {NULL, rotate_narrow, rotate_avx2, rotate_avx512};

static void fill_rotations(void)
{
    for (int i = 0; i < RIVAL_MODES; i++) {
        double turn = 2.0 * M_PI * (30.0 + 2.0 * i) / RATE_HZ, radius = exp(-2.0 / RATE_HZ);
        rotations.cosine[i] = (float)(radius * cos(turn));
        rotations.sine[i] = (float)(radius * sin(turn));
        rotations.gain[i] = 1e-4f;
    }
}

// ---- timing ----

static double rotate_ns(rotate *run)
{
    int64_t start = bench_now_ns();
    for (int i = 0; i < PERIODS; i++)
        run(in[0], wet[0]);
    return (double)(bench_now_ns() - start) / PERIODS;
}

static double period_ns(struct resonance *resonance, bool is_pedalling)
{
    int64_t start = bench_now_ns();
    for (int i = 0; i < PERIODS; i++) {
        if (is_pedalling)
            resonance_pedal(resonance, i % 2 ? 40 : 80);
        resonance_run(resonance, (const float *const[2]){in[0], in[1]},
                      (float *const[2]){wet[0], wet[1]}, PERIOD);
    }
    return (double)(bench_now_ns() - start) / PERIODS;
}

static void start(struct resonance *resonance, uint32_t budget)
{
    if (resonance_init(resonance, RATE_HZ, PERIOD, budget) != 0)
        exit(EXIT_FAILURE);
    resonance_set(resonance, 0.0f, 1.0f, 0.0f);
    resonance_pedal(resonance, 127);
}

static double places(const struct resonance *resonance)
{
    return (double)resonance->modes.groups * MODES_LANES;
}

static double modes_per_core(double ns, double modes)
{
    return modes * PERIOD * 1e9 / RATE_HZ / ns;
}

// ---- rows ----

static void row(const char *what, enum modes_width width, double modes)
{
    char name[64];
    snprintf(name, sizeof name, "%s, %s", what, modes_width_name(width));
    bench_row(&(struct bench_row){.name = name, .ours = modes, .rival = NAN, .unit = "modes"});
}

static void modes_rows(struct resonance *resonance, enum modes_width width)
{
    double ours[ROUNDS], rival[ROUNDS];
    bool has_rival = rotate_of[width] != NULL;
    if (!modes_use(&resonance->modes, width))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = modes_per_core(period_ns(resonance, false), places(resonance));
        rival[i] = has_rival ? modes_per_core(rotate_ns(rotate_of[width]), RIVAL_MODES) : NAN;
    }
    double median = bench_median(ours, ROUNDS);
    row("modes per core", width, median);
    if (has_rival)
        row("  by rotation each sample", width, bench_median(rival, ROUNDS));
    bench_row(&(struct bench_row){.name = "  time of a mode",
                                  .ours = 1e9 / RATE_HZ / median,
                                  .rival = NAN,
                                  .unit = "ns/smp",
                                  .decimals = 4});
}

static void share_row(const char *name, struct resonance *resonance, bool is_pedalling)
{
    double share[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        share[i] = 100.0 * period_ns(resonance, is_pedalling) * RATE_HZ / PERIOD / 1e9;
    bench_row(&(struct bench_row){.name = name,
                                  .ours = bench_median(share, ROUNDS),
                                  .rival = NAN,
                                  .unit = "% core",
                                  .decimals = 2});
}

static void share_rows(void)
{
    struct resonance resonance;
    start(&resonance, RESONANCE_MODES);
    share_row("full bank, pedal down", &resonance, false);
    share_row("full bank, all dampers moving", &resonance, true);
    resonance_pedal(&resonance, 0);
    for (int i = 0; i < 100; i++)
        period_ns(&resonance, false);
    share_row("full bank, dampers at rest", &resonance, false);
    resonance_set(&resonance, -60.0f, 0.25f, 0.0f);
    resonance_clear(&resonance);
    for (int i = 0; i < 10; i++)
        period_ns(&resonance, false);
    resonance_clear(&resonance);
    share_row("full bank, off", &resonance, false);
    resonance_finish(&resonance);
}

int main(void)
{
    bench_title("resonance, 48 kHz, periods of 128 frames, one core");
    struct resonance resonance;
    rt_flush_denormals();
    fill_noise();
    fill_rotations();
    start(&resonance, RESONANCE_MODES);
    for (int width = 0; width < MODES_WIDTHS; width++)
        modes_rows(&resonance, (enum modes_width)width);
    resonance_finish(&resonance);
    share_rows();
    bench_note(
        "Goals: 80 % of a prototype by rotation: 52 800 modes at 4 lanes, 184 000 with AVX-512.");
    return 0;
}
