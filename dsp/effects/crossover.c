#include "dsp/effects/crossover.h"

#include <math.h>

static const double glide_seconds = 0.020;
static const double pi = 3.14159265358979323846;
static const double root2 = 1.41421356237309504880; // 1 / Q

enum { LOW, MIDDLE, HIGH };

// Which stage does what. Two in a row make a split: the first gives low-pass and all-pass, the
// second the low-pass again.
enum { MIDDLE_1, MIDDLE_2, TURN_BELOW, LOW_1, LOW_2, TURN_ABOVE, HIGH_1, HIGH_2 };

RT static void coefficients(double octave, double rate_hz, double out[3])
{
    double g = tan(pi * exp2(octave) / rate_hz);
    out[0] = 1.0 / (1.0 + g * (g + root2));
    out[1] = g * out[0];
    out[2] = g * out[1];
}

RT static void land(struct crossover_split *split)
{
    split->h = split->aim[0];
    split->gh = split->aim[1];
    split->ggh = split->aim[2];
    split->is_moving = false;
}

RT void crossover_init(struct crossover *crossover, double rate_hz)
{
    static const double standard_hz[CROSSOVER_SPLITS] = {120.0, 1000.0, 6000.0};
    *crossover = (struct crossover){
        .rate_hz = rate_hz, .glide_ticks = glide_ticks(rate_hz, glide_seconds, GLIDE_TICK_FRAMES)};
    crossover_set(crossover, standard_hz);
    crossover_reset(crossover);
}

RT void crossover_set(struct crossover *crossover, const double split_hz[CROSSOVER_SPLITS])
{
    double least_hz = 20.0, most_hz = 0.45 * crossover->rate_hz;
    for (int i = 0; i < CROSSOVER_SPLITS; i++) {
        double hz = split_hz[i] > least_hz ? fmin(split_hz[i], most_hz) : least_hz;
        glide_to(&crossover->split[i].octave, log2(hz), crossover->glide_ticks);
        least_hz = hz;
    }
}

RT void crossover_reset(struct crossover *crossover)
{
    for (int i = 0; i < CROSSOVER_SPLITS; i++) {
        struct crossover_split *split = &crossover->split[i];
        glide_jump(&split->octave, split->octave.target);
        coefficients(split->octave.now, crossover->rate_hz, split->aim);
        land(split);
    }
    for (int i = 0; i < CROSSOVER_STAGES; i++)
        crossover->stage[i] = (struct crossover_stage){0};
    crossover->tick = 0;
}

// ---- once a tick ----

RT static void begin_tick(struct crossover_split *split, double rate_hz)
{
    if (split->is_moving)
        land(split);
    if (!glide_is_moving(&split->octave))
        return;
    coefficients(glide_next(&split->octave), rate_hz, split->aim);
    split->step[0] = (split->aim[0] - split->h) / GLIDE_TICK_FRAMES;
    split->step[1] = (split->aim[1] - split->gh) / GLIDE_TICK_FRAMES;
    split->step[2] = (split->aim[2] - split->ggh) / GLIDE_TICK_FRAMES;
    split->is_moving = true;
}

/// A sample that was no number must not sound for ever.
RT static void forget_nonsense(struct crossover *crossover)
{
    stereo sum = {0.0, 0.0};
    for (int i = 0; i < CROSSOVER_STAGES; i++)
        sum += crossover->stage[i].s1 + crossover->stage[i].s2;
    for (int i = 0; i < CROSSOVER_STAGES && !stereo_is_finite(sum); i++)
        crossover->stage[i] = (struct crossover_stage){0};
}

// ---- each frame ----

/// One stage: returns its low-pass, gives its all-pass.
RT static inline stereo pass(struct crossover_stage *stage, const struct crossover_split *split,
                             stereo x, stereo *all)
{
    stereo high = x - stage->s2;
    stereo band = split->h * stage->s1 + split->gh * high;
    stereo low = stage->s2 + (split->gh * stage->s1 + split->ggh * high);
    stage->s1 = 2.0 * band - stage->s1;
    stage->s2 = 2.0 * low - stage->s2;
    *all = x - (2.0 * root2) * band;
    return low;
}

/// Two stages: fourth-order halves whose sum is the second-order all-pass.
RT static inline void halve(struct crossover_stage stage[2], const struct crossover_split *split,
                            stereo x, stereo *low, stereo *high)
{
    stereo all, unused;
    stereo once = pass(&stage[0], split, x, &all);
    *low = pass(&stage[1], split, once, &unused);
    *high = all - *low;
}

RT static inline void advance(struct crossover_split *split)
{
    split->h += split->step[0];
    split->gh += split->step[1];
    split->ggh += split->step[2];
}

RT static inline void advance_all(struct crossover_split split[CROSSOVER_SPLITS])
{
    for (int i = 0; i < CROSSOVER_SPLITS; i++)
        if (split[i].is_moving)
            advance(&split[i]);
}

/// At most the rest of a tick, from `from`.
RT static void run_frames(struct crossover *crossover, const stereo *in,
                          stereo *const out[CROSSOVER_BANDS], uint32_t from, uint32_t frames)
{
    struct crossover_stage *stage = crossover->stage;
    struct crossover_split *split = crossover->split;
    bool is_moving = split[LOW].is_moving || split[MIDDLE].is_moving || split[HIGH].is_moving;
    for (uint32_t i = from; i < from + frames; i++) {
        stereo below, above;
        if (is_moving)
            advance_all(split);
        halve(&stage[MIDDLE_1], &split[MIDDLE], in[i], &below, &above);
        pass(&stage[TURN_BELOW], &split[HIGH], below, &below);
        pass(&stage[TURN_ABOVE], &split[LOW], above, &above);
        halve(&stage[LOW_1], &split[LOW], below, &out[0][i], &out[1][i]);
        halve(&stage[HIGH_1], &split[HIGH], above, &out[2][i], &out[3][i]);
    }
}

RT void crossover_run(struct crossover *crossover, const stereo *in,
                      stereo *const out[CROSSOVER_BANDS], uint32_t frames)
{
    for (uint32_t done = 0; done < frames;) {
        if (crossover->tick == 0) {
            forget_nonsense(crossover);
            for (int i = 0; i < CROSSOVER_SPLITS; i++)
                begin_tick(&crossover->split[i], crossover->rate_hz);
        }
        uint32_t rest = GLIDE_TICK_FRAMES - crossover->tick;
        uint32_t now = frames - done < rest ? frames - done : rest;
        run_frames(crossover, in, out, done, now);
        crossover->tick = (crossover->tick + now) % GLIDE_TICK_FRAMES;
        done += now;
    }
}
