// What each effect of the chain costs for one stereo frame, at 48 kHz in periods of 64 frames.
//
// Medians of many periods, one thread. White noise; at rest means that the effect has nothing to
// do, in motion that a parameter is on its way all the time.
#include <stdlib.h>
#include <string.h>

#include "dsp/effects/chorus.h"
#include "dsp/effects/compressor.h"
#include "dsp/effects/delay.h"
#include "dsp/effects/equaliser.h"
#include "dsp/effects/limiter.h"
#include "tests/bench/bench.h"

enum { PERIOD = 64, PERIODS = 3000, WARM_UP = 1500, NOISE = 4096 };

static const double rate_hz = 48000.0;
static float noise[2][NOISE];

static struct equaliser equaliser;
static struct compressor compressor;
static struct chorus chorus;
static struct delay delay;
static struct limiter limiter;

// ---- what is measured ----

static void set_bands(uint32_t bands, double gain_db)
{
    static const double places_hz[] = {80, 200, 500, 1200, 2500, 5000, 9000, 14000};
    equaliser_init(&equaliser, rate_hz, bands);
    for (uint32_t i = 0; i < bands; i++)
        equaliser_set(&equaliser, i, true,
                      &(struct biquad_shape){BIQUAD_PEAK, places_hz[i], gain_db, 1.0});
}

static void no_bands(void) { set_bands(4, 0.0); }
static void four_bands(void) { set_bands(4, 6.0); }
static void eight_bands(void) { set_bands(8, 6.0); }

static void equalise(float *left, float *right) { equaliser_run(&equaliser, left, right, PERIOD); }

static void equalise_in_motion(float *left, float *right)
{
    static uint32_t step;
    double hz = step++ % 2 ? 500.0 : 5000.0;
    equaliser_set(&equaliser, 0, true, &(struct biquad_shape){BIQUAD_PEAK, hz, 6.0, 1.0});
    equaliser_run(&equaliser, left, right, PERIOD);
}

static void one_band(void) { set_bands(1, 6.0); }

static void set_ratio(double ratio)
{
    const struct compressor_shape shape = {-20.0, ratio, 6.0, 10.0, 150.0, 0.0};
    compressor_init(&compressor, rate_hz);
    for (uint32_t i = 0; i < CROSSOVER_BANDS; i++)
        compressor_set(&compressor, i, &shape);
    compressor_switch(&compressor, true);
}

static void no_ratio(void) { set_ratio(1.0); }
static void ratio(void) { set_ratio(4.0); }

static void compress(float *left, float *right)
{
    compressor_run(&compressor, left, right, PERIOD);
}

static void start_chorus(uint32_t voices)
{
    struct chorus_shape shape = chorus_standard;
    shape.voices = voices;
    if (chorus_init(&chorus, rate_hz))
        exit(1);
    chorus_set(&chorus, &shape);
    chorus_switch(&chorus, true);
}

static void two_voices(void) { start_chorus(2); }
static void three_voices(void) { start_chorus(3); }

static void sing(float *left, float *right)
{
    chorus_run(&chorus, (const float *const[2]){left, right}, (float *const[2]){left, right},
               PERIOD);
}

static void start_delay(void)
{
    if (delay_init(&delay, rate_hz))
        exit(1);
    delay_switch(&delay, true);
}

static void echo(float *left, float *right)
{
    delay_run(&delay, (const float *const[2]){left, right}, (float *const[2]){left, right}, PERIOD);
}

static void limit_at(float ceiling_db)
{
    limiter_init(&limiter, rate_hz);
    limiter_set(&limiter, true, ceiling_db, 120.0f);
}

static void limit_far(void) { limit_at(0.0f); }
static void limit_near(void) { limit_at(-14.0f); }
static void limit_hard(void) { limit_at(-24.0f); }

static void limit(float *left, float *right) { limiter_run(&limiter, left, right, PERIOD); }

// ---- the measurement ----

static double measure_ns(void (*start)(void), void (*run)(float *left, float *right))
{
    static double ns[PERIODS];
    float left[PERIOD], right[PERIOD];
    start();
    for (int i = -WARM_UP; i < PERIODS; i++) {
        size_t at = (size_t)(i + WARM_UP) * PERIOD % NOISE;
        memcpy(left, noise[0] + at, sizeof left);
        memcpy(right, noise[1] + at, sizeof right);
        int64_t begin = bench_now_ns();
        run(left, right);
        if (i >= 0)
            ns[i] = (double)(bench_now_ns() - begin) / PERIOD;
    }
    return bench_median(ns, PERIODS);
}

static void row(const char *name, void (*start)(void), void (*run)(float *left, float *right))
{
    bench_row(&(struct bench_row){.name = name,
                                  .ours = measure_ns(start, run),
                                  .rival = (double)NAN,
                                  .unit = "ns",
                                  .decimals = 1});
}

int main(void)
{
    rt_flush_denormals();
    for (int i = 0; i < NOISE; i++)
        for (int side = 0; side < 2; side++)
            noise[side][i] = 0.2f * (2.0f * (float)rand() / (float)RAND_MAX - 1.0f);
    bench_title("effects, a stereo frame");
    row("equaliser at rest, 4 bands at 0 dB", no_bands, equalise);
    row("equaliser, 4 bands", four_bands, equalise);
    row("equaliser, 8 bands", eight_bands, equalise);
    row("equaliser, 1 band in motion", one_band, equalise_in_motion);
    row("compressor at rest, ratio 1", no_ratio, compress);
    row("compressor, 4 bands", ratio, compress);
    row("chorus, 2 voices", two_voices, sing);
    chorus_finish(&chorus);
    row("chorus, 3 voices", three_voices, sing);
    chorus_finish(&chorus);
    row("delay", start_delay, echo);
    delay_finish(&delay);
    row("limiter, 14 dB below the ceiling", limit_far, limit);
    row("limiter, peaks at the ceiling", limit_near, limit);
    row("limiter, 10 dB of reduction", limit_hard, limit);
    bench_note("one thread, 48 kHz, periods of 64 frames, white noise of -14 dB peak, medians; "
               "1 % of a core is 208 ns");
    return 0;
}
