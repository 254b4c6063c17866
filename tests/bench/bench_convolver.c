// What the convolver costs beside libzita-convolver, in periods of 64 frames: processor time of all
// threads, the audio thread's share, and the error.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/effects/calibration.h"
#include "dsp/effects/convolver.h"
#include "tests/bench/bench.h"
#include "tests/bench/zita.h"

enum {
    RATE_HZ = 48000,
    PERIOD = 64,
    PACE = 1, ///< times faster than it sounds
    ROUNDS = 3,
    ROUND_PERIODS = 3 * RATE_HZ / PERIOD,
    PRIORITY = 60, ///< of the calling thread; workers of both sides have less
    PROBES = 100,  ///< frames whose error is looked at
};

/// What is measured in one child: a response, both sides, and the sound that they hear.
static struct duel {
    uint32_t seconds, paths;
    struct impulse *impulse;
    struct tail *tail;
    struct convolver *ours;
    struct zita *rival;
    float *in[2], *out[2];
} duel;

typedef void side(const float *const in[2], float *const out[2]);

static void run_ours(const float *const in[2], float *const out[2])
{
    convolver_run(duel.ours, in, out, PERIOD);
}

static void run_rival(const float *const in[2], float *const out[2])
{
    zita_run(duel.rival, in, out, false);
}

/// The loop alone: what both sides pay for being woken.
static void run_nobody(const float *const in[2], float *const out[2])
{
    (void)in;
    (void)out;
}

/// Five microseconds that ask for nothing: what the machine itself does to such a thread.
static void run_bare(const float *const in[2], float *const out[2])
{
    (void)in;
    (void)out;
    for (int64_t end = bench_now_ns() + 5000; bench_now_ns() < end;)
        continue;
}

static float noise(void)
{
    static uint32_t seed = 1;
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-32f;
}

// ---- one stint of sound, paced ----

static double process_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void sleep_until(int64_t ns)
{
    struct timespec until = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
        continue;
}

/// Returns the processor time of all threads as a share of the sound's length. `us`, where it is
/// not NULL, gets what each call took on the clock.
static double stint(side *run, double *us)
{
    const int64_t step_ns = (int64_t)PERIOD * 1000000000 / RATE_HZ / PACE;
    double before = process_seconds();
    int64_t next_ns = bench_now_ns();
    for (int i = 0; i < ROUND_PERIODS; i++) {
        size_t at = (size_t)i * PERIOD;
        const float *const in[2] = {duel.in[0] + at, duel.in[1] + at};
        float *const out[2] = {duel.out[0] + at, duel.out[1] + at};
        int64_t start = bench_now_ns();
        run(in, out);
        if (us)
            us[i] = (double)(bench_now_ns() - start) * 1e-3;
        sleep_until(next_ns += step_ns);
    }
    return (process_seconds() - before) * RATE_HZ / ((double)ROUND_PERIODS * PERIOD);
}

// ---- the two sides ----

/// The rival at its best: every choice that it offers, timed with nothing to wait for.
static struct zita *best_rival(int priority)
{
    struct zita_choice best = {0};
    double least = INFINITY;
    for (int i = 0; i < 8; i++) {
        struct zita_choice choice = {i & 1 ? 8192 : 4096, i & 2, i & 4};
        duel.rival = zita_create(duel.impulse->channel, duel.paths, duel.impulse->frames, PERIOD,
                                 choice, priority);
        if (!duel.rival)
            continue;
        double before = process_seconds();
        for (int k = 0; k < ROUND_PERIODS; k++)
            zita_run(duel.rival, (const float *const *)duel.in, duel.out, true);
        double seconds = process_seconds() - before;
        zita_destroy(duel.rival);
        best = seconds < least ? choice : best;
        least = seconds < least ? seconds : least;
    }
    return zita_create(duel.impulse->channel, duel.paths, duel.impulse->frames, PERIOD, best,
                       priority);
}

static struct convolver *best_ours(int priority)
{
    struct schedule schedule;
    struct calibration_case test = {
        .frames = duel.impulse->frames,
        .kind = duel.paths == 4 ? RESPONSE_TRUE_STEREO : RESPONSE_STEREO,
        .period_frames = PERIOD,
    };
    duel.tail = tail_create(1, priority - 1);
    if (calibration_run(&schedule, &test))
        return NULL;
    struct response *response = response_create(duel.impulse, &schedule);
    struct convolver *convolver = convolver_create(&(struct convolver_settings){
        .schedule = schedule, .frames_max = test.frames, .rate_hz = RATE_HZ, .tail = duel.tail});
    if (convolver && response && !convolver_set(convolver, response))
        response_drop(response);
    return convolver;
}

static void meet(void)
{
    uint32_t frames = duel.seconds * RATE_HZ;
    duel.impulse = impulse_create_silent(frames, duel.paths, RATE_HZ);
    for (uint32_t c = 0; c < duel.paths; c++)
        for (uint32_t i = 0; i < frames; i++)
            duel.impulse->channel[c][i] = noise() * expf(-7.0f * (float)i / (float)frames);
    for (int c = 0; c < 2; c++) {
        duel.in[c] = malloc(ROUND_PERIODS * PERIOD * sizeof(float));
        duel.out[c] = malloc(ROUND_PERIODS * PERIOD * sizeof(float));
        for (int i = 0; i < ROUND_PERIODS * PERIOD; i++)
            duel.in[c][i] = noise();
    }
    int priority = bench_be_realtime(PRIORITY) ? PRIORITY : 0;
    duel.ours = best_ours(priority);
    duel.rival = best_rival(priority);
    if (!duel.ours || !duel.rival)
        exit(1);
}

// ---- cost ----

static void measure_cost(double figures[BENCH_FIGURES])
{
    double ours[ROUNDS], rival[ROUNDS];
    static double us_ours[ROUNDS * ROUND_PERIODS], us_rival[ROUNDS * ROUND_PERIODS];
    meet();
    stint(run_ours, NULL); // caches and histories fill
    stint(run_rival, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        double nobody = stint(run_nobody, NULL);
        ours[i] = 100 * (stint(run_ours, us_ours + (size_t)i * ROUND_PERIODS) - nobody);
        rival[i] = 100 * (stint(run_rival, us_rival + (size_t)i * ROUND_PERIODS) - nobody);
    }
    figures[0] = bench_median(ours, ROUNDS);
    figures[1] = bench_median(rival, ROUNDS);
    figures[2] = bench_quantile(us_ours, ROUNDS * ROUND_PERIODS, 0.999);
    figures[3] = bench_quantile(us_rival, ROUNDS * ROUND_PERIODS, 0.999);
    if (convolver_late_blocks(duel.ours))
        fprintf(stderr, "  late: %u blocks of ours\n", convolver_late_blocks(duel.ours));
}

// ---- under load ----

static atomic_bool is_over;

static void *spin(void *context)
{
    (void)context;
    while (!atomic_load_explicit(&is_over, memory_order_relaxed))
        continue;
    return NULL;
}

/// The audio thread's share while ordinary threads want both cores.
static void measure_load(double figures[BENCH_FIGURES])
{
    enum { LOADS = 2 };
    static double us[3][ROUND_PERIODS];
    pthread_t load[LOADS];
    for (int i = 0; i < LOADS; i++)
        pthread_create(&load[i], NULL, spin, NULL);
    meet();
    stint(run_ours, NULL);
    stint(run_ours, us[0]);
    stint(run_rival, us[1]);
    stint(run_bare, us[2]);
    for (int i = 0; i < 3; i++)
        figures[i] = bench_quantile(us[i], ROUND_PERIODS, 0.999);
    figures[3] = convolver_late_blocks(duel.ours);
    atomic_store(&is_over, true);
    for (int i = 0; i < LOADS; i++)
        pthread_join(load[i], NULL);
}

// ---- error ----

static double direct(int out, uint32_t frame)
{
    double sum = 0;
    for (uint32_t path = 0; path < duel.paths; path++) {
        uint32_t in = duel.paths == 4 ? path / 2 : path, to = path % 2;
        for (uint32_t k = 0; to == (uint32_t)out && k <= frame && k < duel.impulse->frames; k++)
            sum += (double)duel.impulse->channel[path][k] * (double)duel.in[in][frame - k];
    }
    return sum;
}

static double error_db(void)
{
    double error = 0, energy = 0;
    for (int i = 1; i <= PROBES; i++) {
        uint32_t frame = (uint32_t)((uint64_t)i * (ROUND_PERIODS * PERIOD - 1) / PROBES);
        for (int o = 0; o < 2; o++) {
            double wanted = direct(o, frame), got = (double)duel.out[o][frame];
            error += (got - wanted) * (got - wanted);
            energy += wanted * wanted;
        }
    }
    return 10 * log10(error / energy);
}

static void measure_error(double figures[BENCH_FIGURES])
{
    meet();
    stint(run_ours, NULL);
    figures[0] = error_db();
    for (int i = 0; i < ROUND_PERIODS; i++) {
        size_t at = (size_t)i * PERIOD;
        const float *const in[2] = {duel.in[0] + at, duel.in[1] + at};
        float *const out[2] = {duel.out[0] + at, duel.out[1] + at};
        zita_run(duel.rival, in, out, true);
    }
    figures[1] = error_db();
}

// ---- rows ----

static void compare(const char *name, uint32_t seconds, uint32_t paths, double goal)
{
    double cost[BENCH_FIGURES], load[BENCH_FIGURES], error[BENCH_FIGURES];
    duel.seconds = seconds;
    duel.paths = paths;
    bench_title_against(name, "zita-convolver");
    bench_in_child(measure_cost, cost);
    bench_row(&(struct bench_row){.name = "processor time of all threads",
                                  .ours = cost[0],
                                  .rival = cost[1],
                                  .unit = "%",
                                  .decimals = 3,
                                  .kind = BENCH_RATIO_AT_MOST,
                                  .goal = goal});
    bench_row(&(struct bench_row){.name = "audio thread, p99.9",
                                  .ours = cost[2],
                                  .rival = cost[3],
                                  .unit = "us",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 15});
    bench_in_child(measure_load, load);
    bench_row(&(struct bench_row){.name = "the same, both cores loaded",
                                  .ours = load[0],
                                  .rival = load[1],
                                  .unit = "us",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 15});
    bench_row(&(struct bench_row){.name = "a bare loop of 5 us there",
                                  .ours = load[2],
                                  .rival = (double)NAN,
                                  .unit = "us",
                                  .decimals = 1});
    bench_row(&(struct bench_row){.name = "late blocks, both cores loaded",
                                  .ours = load[3],
                                  .rival = (double)NAN,
                                  .unit = "",
                                  .kind = BENCH_OURS_AT_MOST});
    bench_in_child(measure_error, error);
    bench_row(&(struct bench_row){.name = "error",
                                  .ours = error[0],
                                  .rival = error[1],
                                  .unit = "dB",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = -125});
}

int main(void)
{
    compare("convolution, 3 s stereo, 64 frames", 3, 2, 0.5);
    compare("convolution, 10 s true stereo, 64 frames", 10, 4, 0.65);
    bench_note(
        "Processor time is that of a loop twice as fast as the sound, less the empty loop's.");
    bench_note("Both sides are fitted to the machine first: schedules of ours, options of theirs.");
    return 0;
}
