#include "dsp/effects/delay.h"

#include <math.h>
#include <string.h>

static const double longest_seconds = 2.0;
static const double glide_seconds = 0.050;
static const double pi = 3.14159265358979323846;

RT static double clamp(double value, double least, double most)
{
    return value > least ? (value < most ? value : most) : least; // not a number: the least
}

int delay_init(struct delay *delay, double rate_hz)
{
    struct delay_shape standard = {(uint32_t)(0.4 * rate_hz), 0.35, 6000.0, 0.0};
    *delay = (struct delay){.rate_hz = rate_hz,
                            .longest_frames = (uint32_t)(rate_hz * longest_seconds),
                            .glide_frames = glide_ticks(rate_hz, glide_seconds, 1)};
    int error = delay_line_init(&delay->line[0], delay->longest_frames);
    if (!error)
        error = delay_line_init(&delay->line[1], delay->longest_frames);
    if (error)
        delay_finish(delay);
    bypass_init(&delay->bypass, rate_hz, 0.0);
    delay_set(delay, &standard);
    delay_switch(delay, false);
    return error;
}

void delay_finish(struct delay *delay)
{
    delay_line_finish(&delay->line[0]);
    delay_line_finish(&delay->line[1]);
}

// ---- settings ----

/// One pole whose gain at `hz` is -3 dB: y += share (x - y).
RT static double share_of_pole(double hz, double rate_hz)
{
    double c = 1.0 - cos(2.0 * pi * fmin(hz, 0.45 * rate_hz) / rate_hz);
    return sqrt(c * c + 2.0 * c) - c;
}

RT void delay_set(struct delay *delay, const struct delay_shape *wanted)
{
    struct delay_shape *shape = &delay->shape;
    shape->frames = (uint32_t)clamp(wanted->frames, 1, delay->longest_frames);
    shape->feedback = clamp(wanted->feedback, 0.0, 0.98);
    shape->high_cut_hz = clamp(wanted->high_cut_hz, 200.0, 20000.0);
    shape->ping_pong = clamp(wanted->ping_pong, 0.0, 1.0);
    double damping = share_of_pole(shape->high_cut_hz, delay->rate_hz);
    glide_to(&delay->feedback, shape->feedback, delay->glide_frames);
    glide_to(&delay->damping, damping, delay->glide_frames);
    glide_to(&delay->crossing, shape->ping_pong, delay->glide_frames);
}

RT void delay_switch(struct delay *delay, bool is_on)
{
    if (bypass_is_idle(&delay->bypass)) {
        delay->now_frames = delay->next_frames = delay->shape.frames;
        delay->fade_left = 0;
        glide_jump(&delay->feedback, delay->feedback.target);
        glide_jump(&delay->damping, delay->damping.target);
        glide_jump(&delay->crossing, delay->crossing.target);
        for (int side = 0; side < 2; side++) {
            delay->dull[side] = 0.0f;
            delay_line_forget(&delay->line[side]);
        }
    }
    bypass_set(&delay->bypass, is_on);
}

// ---- each frame ----

/// Share of the echo faded from; begins a fade when another time is wanted.
RT static float fade(struct delay *delay)
{
    if (delay->fade_left == 0) {
        delay->now_frames = delay->next_frames;
        if (delay->shape.frames == delay->now_frames)
            return 1.0f;
        delay->next_frames = delay->shape.frames;
        delay->fade_left = delay->glide_frames;
    }
    return (float)--delay->fade_left / (float)delay->glide_frames;
}

RT static inline float echo(const struct delay *delay, int side, float old)
{
    float from = delay_line_read(&delay->line[side], delay->now_frames);
    if (old == 1.0f)
        return from;
    float to = delay_line_read(&delay->line[side], delay->next_frames);
    return to + old * (from - to);
}

RT static void run_frame(struct delay *delay, float left, float right, float wet[2])
{
    float old = fade(delay), crossing = (float)glide_next(&delay->crossing);
    float feedback = (float)glide_next(&delay->feedback);
    float damping = (float)glide_next(&delay->damping);
    for (int side = 0; side < 2; side++) {
        wet[side] = echo(delay, side, old);
        delay->dull[side] += damping * (wet[side] - delay->dull[side]);
    }
    float swap = crossing * (delay->dull[1] - delay->dull[0]);
    float middle = 0.5f * (left + right);
    left += crossing * (middle - left) + feedback * (delay->dull[0] + swap);
    right += -crossing * right + feedback * (delay->dull[1] - swap);
    delay_line_write(&delay->line[0], left);
    delay_line_write(&delay->line[1], right);
}

RT void delay_run(struct delay *delay, const float *const in[2], float *const out[2],
                  uint32_t frames)
{
    if (bypass_is_idle(&delay->bypass)) {
        memset(out[0], 0, frames * sizeof(float));
        memset(out[1], 0, frames * sizeof(float));
        return;
    }
    for (uint32_t i = 0; i < frames; i++) {
        float wet[2];
        run_frame(delay, in[0][i], in[1][i], wet);
        out[0][i] = wet[0];
        out[1][i] = wet[1];
    }
    bypass_blend(&delay->bypass, NULL, out, frames);
}
