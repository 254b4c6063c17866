#include "dsp/effects/bypass.h"

static const double fade_seconds = 0.020;

RT void bypass_init(struct bypass *bypass, double rate_hz, double warm_seconds)
{
    *bypass = (struct bypass){.fade_frames = glide_ticks(rate_hz, fade_seconds, 1),
                              .warm_frames = (uint32_t)(rate_hz * warm_seconds)};
}

RT bool bypass_is_idle(const struct bypass *bypass)
{
    return bypass->mix.now == 0.0 && bypass->mix.target == 0.0;
}

RT void bypass_set(struct bypass *bypass, bool is_on)
{
    if (is_on && bypass_is_idle(bypass))
        bypass->left_frames = bypass->warm_frames;
    glide_to(&bypass->mix, is_on ? 1.0 : 0.0, bypass->fade_frames);
}

/// Time to warm up is taken before the fade begins.
RT static float next(struct bypass *bypass)
{
    if (bypass->left_frames == 0)
        return (float)glide_next(&bypass->mix);
    bypass->left_frames--;
    return (float)bypass->mix.now;
}

RT void bypass_blend(struct bypass *bypass, const float *const dry[2], float *const wet[2],
                     uint32_t frames)
{
    if (bypass->mix.now == 1.0 && bypass->mix.target == 1.0)
        return;
    for (uint32_t i = 0; i < frames; i++) {
        float mix = next(bypass);
        for (int side = 0; side < 2; side++) {
            float passed = dry ? dry[side][i] : 0.0f;
            wet[side][i] =
                mix == 0.0f ? passed : wet[side][i] + (1.0f - mix) * (passed - wet[side][i]);
        }
    }
}
