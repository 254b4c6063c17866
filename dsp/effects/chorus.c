#include "dsp/effects/chorus.h"

#include <math.h>
#include <string.h>

static const double glide_seconds = 0.050;
static const double slide_seconds = 0.400;   // of delays: faster would bend the pitch too much
static const double longest_seconds = 0.060; // 50 ms and half the deepest swing
static const double shortest_frames = 3.0;   // the cubic looks one frame ahead
static const double pi = 3.14159265358979323846;
static const double right_turn = 0.25; // by which the right side is ahead

const struct chorus_shape chorus_standard = {0.4, 6.3, 12.0, 0.06, 2};

RT static double clamp(double value, double least, double most)
{
    return value > least ? (value < most ? value : most) : least; // not a number: the least
}

int chorus_init(struct chorus *chorus, double rate_hz)
{
    uint32_t longest_frames = (uint32_t)(rate_hz * longest_seconds) + 1;
    *chorus =
        (struct chorus){.rate_hz = rate_hz,
                        .glide_ticks = glide_ticks(rate_hz, glide_seconds, GLIDE_TICK_FRAMES),
                        .slide_ticks = glide_ticks(rate_hz, slide_seconds, GLIDE_TICK_FRAMES)};
    int error = delay_line_init(&chorus->line[0], longest_frames);
    if (!error)
        error = delay_line_init(&chorus->line[1], longest_frames);
    if (error)
        chorus_finish(chorus);
    bypass_init(&chorus->bypass, rate_hz, 0.0);
    chorus_set(chorus, &chorus_standard);
    return error;
}

void chorus_finish(struct chorus *chorus)
{
    delay_line_finish(&chorus->line[0]);
    delay_line_finish(&chorus->line[1]);
}

RT void chorus_switch(struct chorus *chorus, bool is_on)
{
    if (bypass_is_idle(&chorus->bypass)) {
        chorus->tick = 0;
        chorus->turn = 0.0;
        chorus->is_fresh = true;
        delay_line_forget(&chorus->line[0]);
        delay_line_forget(&chorus->line[1]);
    }
    bypass_set(&chorus->bypass, is_on);
}

RT void chorus_set(struct chorus *chorus, const struct chorus_shape *shape)
{
    double frames_per_ms = chorus->rate_hz / 1000.0;
    double depth_frames = frames_per_ms * clamp(shape->depth_ms, 0.0, 20.0);
    double least_frames = 0.5 * depth_frames + shortest_frames;
    double delay_frames = frames_per_ms * clamp(shape->delay_ms, 0.5, 50.0);
    uint32_t voices = (uint32_t)clamp(shape->voices, 1, CHORUS_VOICES_MAX);
    uint32_t ticks = chorus->glide_ticks;
    glide_to(&chorus->swing_hz, clamp(shape->rate_hz, 0.01, 10.0), ticks);
    glide_to(&chorus->depth_frames, depth_frames, chorus->slide_ticks);
    glide_to(&chorus->delay_frames, fmax(delay_frames, least_frames), chorus->slide_ticks);
    glide_to(&chorus->feedback, clamp(shape->feedback, -0.95, 0.95), ticks);
    for (uint32_t i = 0; i < CHORUS_VOICES_MAX; i++)
        glide_to(&chorus->share[i], i < voices ? 1.0 : 0.0, ticks);
}

// ---- once a tick ----

RT static double go(struct glide *glide, bool is_fresh)
{
    if (is_fresh)
        glide_jump(glide, glide->target);
    return glide_next(glide);
}

RT static void aim(struct chorus_tap *tap, double frames, double gain, bool is_fresh)
{
    if (is_fresh)
        tap->frames = (float)frames;
    if (is_fresh || fabs(gain - (double)tap->gain) < 1e-6)
        tap->gain = (float)gain; // exactly there: a voice of gain 0 costs nothing
    tap->step = ((float)frames - tap->frames) / GLIDE_TICK_FRAMES;
    tap->gain_step = ((float)gain - tap->gain) / GLIDE_TICK_FRAMES;
}

/// Aims every voice at its place at the end of the tick.
RT static void begin_tick(struct chorus *chorus)
{
    bool is_fresh = chorus->is_fresh;
    double swing_hz = go(&chorus->swing_hz, is_fresh);
    double depth = go(&chorus->depth_frames, is_fresh);
    double delay = go(&chorus->delay_frames, is_fresh);
    double back = go(&chorus->feedback, is_fresh);
    double share[CHORUS_VOICES_MAX], voices = 0.0;
    for (int i = 0; i < CHORUS_VOICES_MAX; i++)
        voices += share[i] = go(&chorus->share[i], is_fresh);
    chorus->turn = fmod(chorus->turn + swing_hz * GLIDE_TICK_FRAMES / chorus->rate_hz, 1.0);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < CHORUS_VOICES_MAX; i++) {
            double turn = chorus->turn + right_turn * side + (double)i / CHORUS_VOICES_MAX;
            double frames = delay + 0.5 * depth * sin(2.0 * pi * turn);
            // Depth and delay fit each other where they head for, not always on the way there.
            aim(&chorus->tap[side][i], fmax(frames, shortest_frames), share[i] / sqrt(voices),
                is_fresh);
        }
    // What comes out is at most sqrt(voices) loud; what goes back must stay below 1.
    double loop = back / sqrt(voices);
    chorus->back = is_fresh ? (float)loop : chorus->back;
    chorus->back_step = ((float)loop - chorus->back) / GLIDE_TICK_FRAMES;
    chorus->is_fresh = false;
}

// ---- each frame ----

RT static inline float read_voices(struct chorus_tap tap[CHORUS_VOICES_MAX],
                                   const struct delay_line *line)
{
    float sum = 0.0f;
    for (int i = 0; i < CHORUS_VOICES_MAX; i++) {
        tap[i].frames += tap[i].step;
        tap[i].gain += tap[i].gain_step;
        if (tap[i].gain > 0.0f)
            sum += tap[i].gain * delay_line_between(line, tap[i].frames);
    }
    return sum;
}

/// At most the rest of a tick.
RT static void run_tick(struct chorus *chorus, const float *const in[2], float *const out[2],
                        uint32_t frames)
{
    float back = chorus->back;
    for (int side = 0; side < 2; side++) {
        back = chorus->back;
        for (uint32_t i = 0; i < frames; i++) {
            float wet = read_voices(chorus->tap[side], &chorus->line[side]);
            back += chorus->back_step;
            delay_line_write(&chorus->line[side], in[side][i] + back * wet);
            out[side][i] = wet;
        }
    }
    chorus->back = back;
    bypass_blend(&chorus->bypass, NULL, out, frames);
}

RT static void silence(float *const out[2], uint32_t frames)
{
    memset(out[0], 0, frames * sizeof(float));
    memset(out[1], 0, frames * sizeof(float));
}

RT void chorus_run(struct chorus *chorus, const float *const in[2], float *const out[2],
                   uint32_t frames)
{
    for (uint32_t done = 0; done < frames;) {
        const float *from[2] = {in[0] + done, in[1] + done};
        float *to[2] = {out[0] + done, out[1] + done};
        if (bypass_is_idle(&chorus->bypass)) {
            silence(to, frames - done);
            return;
        }
        if (chorus->tick == 0)
            begin_tick(chorus);
        uint32_t rest = GLIDE_TICK_FRAMES - chorus->tick;
        uint32_t now = frames - done < rest ? frames - done : rest;
        run_tick(chorus, from, to, now);
        chorus->tick = (chorus->tick + now) % GLIDE_TICK_FRAMES;
        done += now;
    }
}
