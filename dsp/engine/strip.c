#include "dsp/engine/strip.h"

#include <math.h>

static const double ramp_seconds = 0.005;

RT void strip_init(struct strip *strip, double rate_hz)
{
    *strip = (struct strip){.gain = {1.0f, 1.0f}, .target = {1.0f, 1.0f}};
    strip->ramp_frames = (uint32_t)lrint(rate_hz * ramp_seconds);
}

RT void strip_aim(struct strip *strip, float left, float right)
{
    const float wanted[2] = {left, right};
    if (left == strip->target[0] && right == strip->target[1])
        return; // on its way: a ramp begun anew would arrive later
    bool is_there = true;
    for (int i = 0; i < 2; i++) {
        strip->target[i] = wanted[i];
        strip->step[i] = (wanted[i] - strip->gain[i]) / (float)strip->ramp_frames;
        is_there &= wanted[i] == strip->gain[i];
    }
    strip->left_frames = is_there ? 0 : strip->ramp_frames;
}

RT void strip_set(struct strip *strip, float gain_db, float balance, bool is_muted)
{
    float gain = is_muted || gain_db <= -60.0f ? 0.0f : powf(10.0f, gain_db / 20.0f);
    strip_aim(strip, balance > 0.0f ? gain * (1.0f - balance) : gain,
              balance < 0.0f ? gain * (1.0f + balance) : gain);
}

/// One frame of a ramp; its last lands on the target exactly.
RT static void step(struct strip *strip)
{
    bool is_last = --strip->left_frames == 0;
    for (int i = 0; i < 2; i++)
        strip->gain[i] = is_last ? strip->target[i] : strip->gain[i] + strip->step[i];
}

RT void strip_add(struct strip *strip, float *const in[2], float *const out[2], uint32_t frames)
{
    uint32_t i = 0;
    for (; i < frames && strip->left_frames; i++) {
        step(strip);
        out[0][i] += in[0][i] * strip->gain[0];
        out[1][i] += in[1][i] * strip->gain[1];
    }
    for (int side = 0; side < 2; side++) {
        const float *restrict from = in[side];
        float *restrict to = out[side], gain = strip->gain[side];
        for (uint32_t k = i; k < frames; k++)
            to[k] += from[k] * gain;
    }
}

RT void strip_scale(struct strip *strip, float *const inout[2], uint32_t frames)
{
    uint32_t i = 0;
    for (; i < frames && strip->left_frames; i++) {
        step(strip);
        inout[0][i] *= strip->gain[0];
        inout[1][i] *= strip->gain[1];
    }
    for (int side = 0; side < 2; side++) {
        float gain = strip->gain[side];
        for (uint32_t k = i; k < frames && gain != 1.0f; k++)
            inout[side][k] *= gain;
    }
}

RT void strip_skip(struct strip *strip, uint32_t frames)
{
    while (frames-- && strip->left_frames)
        step(strip);
}
