#include "dsp/effects/limiter.h"

#include <math.h>

static const double ahead_seconds = 0.001;

// The gain stays down for a frame more on both sides of a peak: what lies between two samples is
// made of more than these two.
enum { AROUND_FRAMES = 1, RING = LIMITER_ROOM - 1 };

RT void limiter_init(struct limiter *limiter, double rate_hz)
{
    *limiter = (struct limiter){.rate_hz = rate_hz, .ceiling = 1.0f, .held = 1.0};
    long ahead = lrint(rate_hz * ahead_seconds);
    limiter->ahead_frames = (uint32_t)(ahead < 2                   ? 2
                                       : ahead > LIMITER_AHEAD_MAX ? LIMITER_AHEAD_MAX
                                                                   : ahead);
    for (uint32_t i = 0; i < limiter->ahead_frames; i++)
        limiter->smooth[i] = 1.0;
    limiter->sum = limiter->ahead_frames;
    limiter->steady_frames = limiter->ahead_frames;
    true_peak_init(&limiter->peak);
    limiter_set(limiter, false, 0.0f, 100.0f);
}

RT void limiter_set(struct limiter *limiter, bool is_on, float ceiling_db, float release_ms)
{
    limiter->is_on = is_on;
    limiter->ceiling = powf(10.0f, ceiling_db / 20.0f);
    limiter->let_go = 1.0 - exp(-1000.0 / (release_ms * limiter->rate_hz));
}

// A peak read at frame k lies between samples k - 12 and k - 11. The mean that meets a sample
// covers the `ahead_frames` held gains up to now; all of them must know of the peak, for each
// sample from k - 12 - AROUND_FRAMES to k - 11 + AROUND_FRAMES. The first asks for the delay, the
// last for the length of the minimum.

RT uint32_t limiter_delay_frames(const struct limiter *limiter)
{
    return limiter->ahead_frames - 1 + TRUE_PEAK_DELAY_FRAMES + AROUND_FRAMES;
}

RT static uint32_t minimum_frames(const struct limiter *limiter)
{
    return limiter->ahead_frames + 1 + 2 * AROUND_FRAMES;
}

/// The least of the last gains asked for. The ring holds the candidates: a newer and smaller gain
/// drives out all that are larger. Gains of 1 need no place.
RT static float sliding_minimum(struct limiter *limiter, float gain)
{
    struct limiter_need *need = limiter->need;
    if (limiter->need_count &&
        limiter->frame - need[limiter->need_first].frame >= minimum_frames(limiter)) {
        limiter->need_first = (limiter->need_first + 1) & RING;
        limiter->need_count--;
    }
    if (gain < 1.0f) {
        while (limiter->need_count &&
               need[(limiter->need_first + limiter->need_count - 1) & RING].gain >= gain)
            limiter->need_count--;
        need[(limiter->need_first + limiter->need_count++) & RING] =
            (struct limiter_need){gain, limiter->frame};
    }
    return limiter->need_count ? need[limiter->need_first].gain : 1.0f;
}

/// The gain for the sample that leaves the delay now, given the peak read now.
RT static float next_gain(struct limiter *limiter, float peak)
{
    float least =
        sliding_minimum(limiter, peak > limiter->ceiling ? limiter->ceiling / peak : 1.0f);
    double risen = limiter->held + (1.0 - limiter->held) * limiter->let_go;
    limiter->held = least < risen ? least : risen;
    if (limiter->held > 0.99999)
        limiter->held = 1.0;
    limiter->sum += limiter->held - limiter->smooth[limiter->at];
    limiter->smooth[limiter->at] = limiter->held;
    limiter->at = limiter->at + 1 == limiter->ahead_frames ? 0 : limiter->at + 1;
    limiter->steady_frames = limiter->held == 1.0 ? limiter->steady_frames + 1 : 0;
    if (limiter->steady_frames >= limiter->ahead_frames) {
        limiter->steady_frames = limiter->ahead_frames;
        limiter->sum = limiter->ahead_frames; // all are 1: drop what rounding left over
        return 1.0f;
    }
    return (float)(limiter->sum / limiter->ahead_frames);
}

// ---- tiles ----

/// What is no number, or beyond all measure, is silence: it would never leave the sums again.
RT static float sane(float sample) { return fabsf(sample) < 1e18f ? sample : 0.0f; }

RT static float bound(float sample, float ceiling)
{
    return sample > ceiling ? ceiling : sample < -ceiling ? -ceiling : sample;
}

/// Whether no gain but 1 is, or was lately, asked for.
RT static bool is_at_rest(const struct limiter *limiter)
{
    return limiter->need_count == 0 && limiter->steady_frames >= limiter->ahead_frames;
}

RT static float next_delayed(struct limiter *limiter, int side, float sample, uint32_t late)
{
    limiter->delay[side][limiter->frame & RING] = sample;
    return limiter->delay[side][(limiter->frame - late) & RING];
}

RT static void pass_tile(struct limiter *limiter, float *left, float *right, uint32_t frames)
{
    uint32_t late = limiter_delay_frames(limiter);
    for (uint32_t i = 0; i < frames; i++, limiter->frame++) {
        left[i] = next_delayed(limiter, 0, left[i], late);
        right[i] = next_delayed(limiter, 1, right[i], late);
    }
}

RT static void limit_tile(struct limiter *limiter, float *left, float *right, uint32_t frames,
                          const float *peaks)
{
    uint32_t late = limiter_delay_frames(limiter);
    for (uint32_t i = 0; i < frames; i++, limiter->frame++) {
        float gain = next_gain(limiter, peaks[i]);
        float out_left = next_delayed(limiter, 0, left[i], late) * gain;
        float out_right = next_delayed(limiter, 1, right[i], late) * gain;
        limiter->reduction = gain < limiter->reduction ? gain : limiter->reduction;
        // The mean is exact but for rounding in its last bit; the ceiling is a promise.
        left[i] = limiter->is_on ? bound(out_left, limiter->ceiling) : out_left;
        right[i] = limiter->is_on ? bound(out_right, limiter->ceiling) : out_right;
    }
}

RT static bool is_any_over(const float peaks[TRUE_PEAK_TILE], uint32_t frames, float ceiling)
{
    bool is_over = false;
    for (uint32_t i = 0; i < frames; i++)
        is_over |= peaks[i] > ceiling;
    return is_over;
}

/// At most TRUE_PEAK_TILE frames. What the shorter way leaves out would have changed nothing.
RT static void run_tile(struct limiter *limiter, float *left, float *right, uint32_t frames)
{
    float peaks[TRUE_PEAK_TILE] = {0};
    float floor = limiter->is_on ? limiter->ceiling : INFINITY;
    for (uint32_t i = 0; i < frames; i++) {
        left[i] = sane(left[i]);
        right[i] = sane(right[i]);
    }
    bool is_near = true_peak_run(&limiter->peak, left, right, frames, floor, peaks);
    if (is_at_rest(limiter) && !(is_near && is_any_over(peaks, frames, limiter->ceiling)))
        pass_tile(limiter, left, right, frames);
    else
        limit_tile(limiter, left, right, frames, peaks);
}

RT void limiter_run(struct limiter *limiter, float *left, float *right, uint32_t frames)
{
    limiter->reduction = 1.0f;
    for (uint32_t done = 0; done < frames;) {
        uint32_t now = frames - done < TRUE_PEAK_TILE ? frames - done : TRUE_PEAK_TILE;
        run_tile(limiter, left + done, right + done, now);
        done += now;
    }
}

RT float limiter_reduction_db(const struct limiter *limiter)
{
    return limiter->reduction < 1.0f ? -20.0f * log10f(limiter->reduction) : 0.0f;
}
