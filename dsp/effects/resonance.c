#include "dsp/effects/resonance.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double ramp_seconds = 0.02, split_hz = 1200.0;
static const float brightest_db = 12.0f, off_db = -60.0f, loudest_db = 12.0f;
static const int pedal_rests = 24, pedal_clears = 96;

// ---- life ----

static int build_bank(struct resonance *resonance, uint32_t max_frames, uint32_t budget)
{
    struct mode *mode = calloc(budget, sizeof *mode);
    if (!mode)
        return -ENOMEM;
    uint32_t count = piano_modes(resonance->rate_hz, budget, mode);
    for (uint32_t i = 0; i < count; i++) {
        double *least = &resonance->least_loss[mode[i].string];
        *least = *least == 0.0 || mode[i].loss_per_s < *least ? mode[i].loss_per_s : *least;
    }
    int error =
        modes_init(&resonance->modes, resonance->rate_hz, max_frames, PIANO_STRINGS, mode, count);
    free(mode);
    return error;
}

RT static void set_dampers(struct resonance *resonance);

int resonance_init(struct resonance *resonance, double rate_hz, uint32_t max_frames,
                   uint32_t budget)
{
    *resonance = (struct resonance){.rate_hz = rate_hz, .decay = 1.0};
    if (!(rate_hz >= 8000.0 && rate_hz <= 192000.0) || !max_frames ||
        budget < RESONANCE_MODES_LEAST || budget > RESONANCE_MODES_MOST)
        return -EINVAL;
    int error = build_bank(resonance, max_frames, budget);
    resonance->drive = error ? NULL : calloc(max_frames, sizeof(float));
    if (!resonance->drive) {
        resonance_finish(resonance);
        return error ? error : -ENOMEM;
    }
    resonance->split = (float)(1.0 - exp(-2.0 * M_PI * split_hz / rate_hz));
    resonance->ramp_frames = (uint32_t)(ramp_seconds * rate_hz + 0.5);
    resonance->high.now = resonance->high.target = 1.0f;
    for (int key = 0; key < PIANO_KEYS; key++)
        resonance->damper[key] = piano_damper_per_s(PIANO_LOW + key);
    set_dampers(resonance);
    modes_clear(&resonance->modes);
    return 0;
}

void resonance_finish(struct resonance *resonance)
{
    free(resonance->drive);
    modes_finish(&resonance->modes);
    *resonance = (struct resonance){0};
}

// ---- controls ----

/// Where a damper stands: 0 on the string, 1 clear of it.
RT static double lift_of(const struct resonance *resonance, int string)
{
    bool is_free = string == PIANO_BOARD || string + PIANO_LOW >= PIANO_UNDAMPED;
    return is_free || resonance->is_held[string] ? 1.0 : resonance->lift;
}

/// A damper that is half lifted takes an eighth of what it takes at rest.
RT static void set_damper(struct resonance *resonance, int string)
{
    double lift = lift_of(resonance, string), press = 1.0 - lift;
    double damper = lift < 1.0 ? resonance->damper[string] : 0.0;
    double decay = string == PIANO_BOARD ? 1.0 : resonance->decay;
    double loss = (1.0 / decay - 1.0) * resonance->least_loss[string];
    modes_string_set(&resonance->modes, (uint32_t)string, loss + damper * press * press * press,
                     lift);
}

RT static void set_dampers(struct resonance *resonance)
{
    for (int string = 0; string < PIANO_STRINGS; string++)
        set_damper(resonance, string);
}

RT void resonance_hold(struct resonance *resonance, int key, bool is_held)
{
    if (key < PIANO_LOW || key > PIANO_HIGH)
        return;
    resonance->is_held[key - PIANO_LOW] = is_held;
    set_damper(resonance, key - PIANO_LOW);
}

RT void resonance_pedal(struct resonance *resonance, int value)
{
    double lift = (double)(value - pedal_rests) / (pedal_clears - pedal_rests);
    resonance->lift = lift < 0.0 ? 0.0 : lift > 1.0 ? 1.0 : lift;
    set_dampers(resonance);
}

RT static float bounded(float value, float least, float most)
{
    return value > most ? most : value > least ? value : least; // what is no number is the least
}

RT static void ramp_to(struct resonance_ramp *ramp, float target, uint32_t frames)
{
    if (target == ramp->target)
        return;
    ramp->target = target;
    ramp->step = (target - ramp->now) / (float)frames;
    ramp->left_frames = frames;
}

RT static float ramp_next(struct resonance_ramp *ramp)
{
    if (ramp->left_frames)
        ramp->now = --ramp->left_frames ? ramp->now + ramp->step : ramp->target;
    return ramp->now;
}

RT void resonance_set(struct resonance *resonance, float amount_db, float decay, float brightness)
{
    amount_db = bounded(amount_db, off_db, loudest_db);
    float amount = amount_db > off_db ? powf(10.0f, amount_db / 20.0f) : 0.0f;
    float high = powf(10.0f, bounded(brightness, -1.0f, 1.0f) * brightest_db / 20.0f);
    ramp_to(&resonance->amount, amount, resonance->ramp_frames);
    ramp_to(&resonance->high, high, resonance->ramp_frames);
    resonance->decay = (double)bounded(decay, 0.25f, 2.0f);
    set_dampers(resonance);
}

RT void resonance_clear(struct resonance *resonance)
{
    modes_clear(&resonance->modes);
    resonance->low = 0.0f;
}

// ---- running ----

/// What is no number, or beyond all measure, would ring for ever.
RT static float sane(float sample) { return fabsf(sample) < 1e6f ? sample : 0.0f; }

RT void resonance_begin(struct resonance *resonance, const float *const in[2], uint32_t frames)
{
    const struct resonance_ramp *amount = &resonance->amount;
    float low = resonance->low;
    for (uint32_t i = 0; i < frames; i++) {
        // The amount itself moves when the period ends; a ramp from nothing is heard at once.
        bool is_off = amount->target == 0.0f && i >= amount->left_frames;
        float mean = is_off ? 0.0f : 0.5f * (sane(in[0][i]) + sane(in[1][i]));
        low += resonance->split * (mean - low);
        low = fabsf(low) < 1e-12f ? 0.0f : low;
        resonance->drive[i] = low + (mean - low) * ramp_next(&resonance->high);
    }
    resonance->low = low;
    resonance->frames = frames;
    modes_feed(&resonance->modes, resonance->drive, frames);
}

RT uint32_t resonance_slices(const struct resonance *resonance) { return resonance->modes.slices; }

RT void resonance_run_slices(struct resonance *resonance, uint32_t first, uint32_t last)
{
    modes_run(&resonance->modes, first, last);
}

RT void resonance_end(struct resonance *resonance, float *const wet[2])
{
    modes_sum(&resonance->modes, wet);
    for (uint32_t i = 0; i < resonance->frames; i++) {
        float amount = ramp_next(&resonance->amount);
        wet[0][i] *= amount;
        wet[1][i] *= amount;
    }
}

RT void resonance_run(struct resonance *resonance, const float *const in[2], float *const wet[2],
                      uint32_t frames)
{
    resonance_begin(resonance, in, frames);
    resonance_run_slices(resonance, 0, resonance_slices(resonance));
    resonance_end(resonance, wet);
}

// ---- fitting to the machine ----

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static double period_ns(struct resonance *resonance, float *const in[2], float *const wet[2],
                        uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        in[0][i] = in[1][i] = i % 2 ? 0.1f : -0.1f;
    double start = now_ns();
    resonance_run(resonance, (const float *const *)in, wet, frames);
    return now_ns() - start;
}

double resonance_measure_ns(double rate_hz)
{
    enum { FRAMES = 128, PERIODS = 200 };
    float in[2][FRAMES] = {{0}}, wet[2][FRAMES] = {{0}};
    struct resonance resonance;
    int error = resonance_init(&resonance, rate_hz, FRAMES, RESONANCE_MODES);
    if (error)
        return error;
    resonance_set(&resonance, 0.0f, 1.0f, 0.0f);
    resonance_pedal(&resonance, 127);
    resonance_clear(&resonance);
    double least = INFINITY;
    for (int i = 0; i < PERIODS; i++)
        least = fmin(least, period_ns(&resonance, (float *const[2]){in[0], in[1]},
                                      (float *const[2]){wet[0], wet[1]}, FRAMES));
    double places = (double)resonance.modes.groups * MODES_LANES;
    resonance_finish(&resonance);
    return least / (places * FRAMES);
}

uint32_t resonance_fit(double ns_per_mode, double rate_hz, double share)
{
    double modes = share * 1e9 / (rate_hz * ns_per_mode);
    if (!(modes > RESONANCE_MODES_LEAST))
        return RESONANCE_MODES_LEAST;
    return modes < RESONANCE_MODES ? (uint32_t)modes / MODES_LANES * MODES_LANES : RESONANCE_MODES;
}
