#include "dsp/effects/limiter.h"

#include <math.h>

static const double ahead_seconds = 0.001;

RT void limiter_init(struct limiter *limiter, double rate_hz)
{
    *limiter = (struct limiter){.rate_hz = rate_hz, .ceiling = 1.0f, .held = 1.0f};
    uint32_t ahead = (uint32_t)lrint(rate_hz * ahead_seconds);
    limiter->ahead_frames = ahead > LIMITER_AHEAD_MAX ? LIMITER_AHEAD_MAX : ahead;
    for (uint32_t i = 0; i < limiter->ahead_frames; i++)
        limiter->needed[i] = limiter->smooth[i] = 1.0f;
    limiter->sum = limiter->ahead_frames;
    limiter_set(limiter, false, 0.0f, 100.0f);
}

RT void limiter_set(struct limiter *limiter, bool is_on, float ceiling_db, float release_ms)
{
    limiter->is_on = is_on;
    limiter->ceiling = powf(10.0f, ceiling_db / 20.0f);
    limiter->let_go = (float)(1.0 - exp(-1000.0 / (release_ms * limiter->rate_hz)));
}

/// The least of the last `ahead_frames` gains asked for. The queue holds the candidates: a newer
/// and smaller gain drives out all that are larger.
RT static float sliding_minimum(struct limiter *limiter, float gain)
{
    uint32_t size = limiter->ahead_frames;
    if (limiter->queue_count && limiter->queue[limiter->queue_first] == limiter->at) {
        limiter->queue_first = (limiter->queue_first + 1) % size;
        limiter->queue_count--;
    }
    limiter->needed[limiter->at] = gain;
    while (limiter->queue_count) {
        uint32_t last = (limiter->queue_first + limiter->queue_count - 1) % size;
        if (limiter->needed[limiter->queue[last]] < gain)
            break;
        limiter->queue_count--;
    }
    limiter->queue[(limiter->queue_first + limiter->queue_count++) % size] = limiter->at;
    return limiter->needed[limiter->queue[limiter->queue_first]];
}

/// The gain for the sample that leaves the delay now, given the one that enters it.
RT static float next_gain(struct limiter *limiter, float peak)
{
    bool is_over = limiter->is_on && peak > limiter->ceiling;
    float least = sliding_minimum(limiter, is_over ? limiter->ceiling / peak : 1.0f);
    float risen = limiter->held + (1.0f - limiter->held) * limiter->let_go;
    limiter->held = least < risen ? least : risen;
    if (limiter->held > 0.99999f)
        limiter->held = 1.0f;
    limiter->sum += (double)limiter->held - (double)limiter->smooth[limiter->at];
    limiter->smooth[limiter->at] = limiter->held;
    limiter->steady_frames = limiter->held == 1.0f ? limiter->steady_frames + 1 : 0;
    if (limiter->steady_frames >= limiter->ahead_frames) {
        limiter->sum = limiter->ahead_frames; // all are 1: drop what rounding left over
        return 1.0f;
    }
    return (float)(limiter->sum / limiter->ahead_frames);
}

RT static float bound(float sample, float ceiling)
{
    return sample > ceiling ? ceiling : sample < -ceiling ? -ceiling : sample;
}

RT void limiter_run(struct limiter *limiter, float *left, float *right, uint32_t frames)
{
    limiter->reduction = 1.0f;
    for (uint32_t i = 0; i < frames; i++) {
        float size_left = fabsf(left[i]), size_right = fabsf(right[i]);
        float gain = next_gain(limiter, size_left > size_right ? size_left : size_right);
        uint32_t oldest = limiter->at + 1 == limiter->ahead_frames ? 0 : limiter->at + 1;
        limiter->delay[0][limiter->at] = left[i];
        limiter->delay[1][limiter->at] = right[i];
        limiter->at = oldest;
        float out_left = limiter->delay[0][oldest] * gain;
        float out_right = limiter->delay[1][oldest] * gain;
        limiter->reduction = gain < limiter->reduction ? gain : limiter->reduction;
        // The mean is exact but for rounding in its last bit; the ceiling is a promise.
        left[i] = limiter->is_on ? bound(out_left, limiter->ceiling) : out_left;
        right[i] = limiter->is_on ? bound(out_right, limiter->ceiling) : out_right;
    }
}

RT float limiter_reduction_db(const struct limiter *limiter)
{
    return limiter->reduction < 1.0f ? -20.0f * log10f(limiter->reduction) : 0.0f;
}

RT uint32_t limiter_delay_frames(const struct limiter *limiter)
{
    return limiter->ahead_frames - 1;
}
