#include "dsp/effects/calibration.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/effects/convolver.h"

enum {
    ROUNDS = 3,
    PERIOD_MAX = 8192,
    CANDIDATES_MAX = 16,
    ROUND_FRAMES_MIN = 65536,
};

static double thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/// Any sound but silence will do: what is computed does not depend on it.
static void fill(float *samples, uint32_t frames)
{
    uint32_t seed = 1;
    for (uint32_t i = 0; i < frames; i++) {
        seed = seed * 1664525u + 1013904223u;
        samples[i] = (float)(int32_t)seed * 0x1p-32f;
    }
}

static struct response *make_response(const struct schedule *schedule,
                                      const struct calibration_case *test)
{
    uint32_t channels = test->kind == RESPONSE_MONO ? 1 : test->kind == RESPONSE_STEREO ? 2 : 4;
    uint32_t rate_hz = test->frames > IMPULSE_SECONDS_MAX * 48000 ? 192000 : 48000;
    struct impulse *impulse = impulse_create_silent(test->frames, channels, rate_hz);
    if (!impulse)
        return NULL;
    for (uint32_t c = 0; c < channels; c++)
        fill(impulse->channel[c], test->frames);
    struct response *response = response_create(impulse, schedule);
    impulse_destroy(impulse);
    return response;
}

/// One round lasts for whole blocks of the last level, so that each round does the same.
static uint32_t round_periods(const struct schedule *schedule, uint32_t period)
{
    uint32_t block = schedule->level[schedule->levels - 1].block_frames;
    uint32_t blocks = (ROUND_FRAMES_MIN + block - 1) / block;
    return (blocks * block + period - 1) / period;
}

static double time_rounds(struct convolver *convolver, uint32_t periods, uint32_t period)
{
    static const int warm_up = 1;
    float *sound = malloc(4 * PERIOD_MAX * sizeof *sound);
    double least = INFINITY;
    if (!sound)
        return -ENOMEM;
    fill(sound, 2 * PERIOD_MAX);
    const float *const in[2] = {sound, sound + PERIOD_MAX};
    float *const out[2] = {sound + 2 * PERIOD_MAX, sound + 3 * PERIOD_MAX};
    for (int round = 0; round < ROUNDS + warm_up; round++) {
        double start = thread_ns();
        for (uint32_t i = 0; i < periods; i++)
            convolver_run(convolver, in, out, period);
        double ns = (thread_ns() - start) / ((double)periods * period);
        if (round >= warm_up && ns < least)
            least = ns;
    }
    free(sound);
    return least;
}

double calibration_cost_ns(const struct schedule *schedule, const struct calibration_case *test)
{
    if (test->period_frames < 1 || test->period_frames > PERIOD_MAX ||
        !schedule_is_valid(schedule, test->frames))
        return -EINVAL;
    struct response *response = make_response(schedule, test);
    struct convolver *convolver = convolver_create(&(struct convolver_settings){
        .schedule = *schedule, .frames_max = test->frames, .rate_hz = 48000});
    double ns = -ENOMEM;
    if (response && convolver && !convolver_set(convolver, response))
        ns = time_rounds(convolver, round_periods(schedule, test->period_frames),
                         test->period_frames);
    convolver_destroy(convolver);
    response_drop(response);
    return ns;
}

int calibration_run(struct schedule *best, const struct calibration_case *test)
{
    struct schedule candidates[CANDIDATES_MAX];
    int count = schedule_candidates(test->frames, candidates, CANDIDATES_MAX);
    double least = INFINITY;
    *best = schedule_standard(test->frames);
    for (int i = 0; i < count; i++) {
        double ns = calibration_cost_ns(&candidates[i], test);
        if (ns < 0) {
            *best = candidates[0];
            return (int)ns;
        }
        if (ns < least) {
            least = ns;
            *best = candidates[i];
        }
    }
    return count ? 0 : -EINVAL;
}
