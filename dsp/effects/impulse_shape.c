// What can be done to an impulse response once it is in memory.
#include "dsp/effects/impulse.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double treble_hz = 2000; ///< from where damping acts
static const float off_low_hz = 20, off_high_hz = 20000;

// ---- cuts: Butterworth of second order ----

struct cut {
    double b0, b1, b2, a1, a2;
};

/// By bilinear transform with the corner warped into place; Q = 1/sqrt 2.
static struct cut make_cut(double corner_hz, uint32_t rate_hz, bool is_low_cut)
{
    double corner = corner_hz < 0.49 * rate_hz ? corner_hz : 0.49 * rate_hz;
    double k = tan(M_PI * corner / rate_hz), norm = 1 / (1 + k * M_SQRT2 + k * k);
    double b0 = is_low_cut ? norm : k * k * norm;
    return (struct cut){.b0 = b0,
                        .b1 = is_low_cut ? -2 * b0 : 2 * b0,
                        .b2 = b0,
                        .a1 = 2 * (k * k - 1) * norm,
                        .a2 = (1 - k * M_SQRT2 + k * k) * norm};
}

static void run_cut(struct cut cut, float *samples, uint32_t frames)
{
    double z1 = 0, z2 = 0;
    for (uint32_t i = 0; i < frames; i++) {
        double in = samples[i], out = cut.b0 * in + z1;
        z1 = cut.b1 * in - cut.a1 * out + z2;
        z2 = cut.b2 * in - cut.a2 * out;
        samples[i] = (float)out;
    }
}

// ---- energy ----

static double energy_of(const float *samples, uint32_t frames)
{
    double energy = 0;
    for (uint32_t i = 0; i < frames; i++)
        energy += (double)samples[i] * (double)samples[i];
    return energy;
}

void impulse_trim(struct impulse *impulse, float floor_db)
{
    double total = 0, after = 0;
    for (uint32_t c = 0; c < impulse->channels; c++)
        total += energy_of(impulse->channel[c], impulse->frames);
    double allowed = total * pow(10, floor_db / 10);
    while (impulse->frames > 1) {
        for (uint32_t c = 0; c < impulse->channels; c++)
            after += energy_of(&impulse->channel[c][impulse->frames - 1], 1);
        if (after > allowed)
            return;
        impulse->frames--;
    }
}

/// Energy between 100 Hz and 2.5 kHz, by filters of first order.
static double musical_energy(const float *samples, uint32_t frames, uint32_t rate_hz)
{
    double high_step = 1 - exp(-2 * M_PI * 2500 / rate_hz);
    double low_step = 1 - exp(-2 * M_PI * 100 / rate_hz);
    double high = 0, low = 0, energy = 0;
    for (uint32_t i = 0; i < frames; i++) {
        high += high_step * (samples[i] - high);
        low += low_step * (high - low);
        energy += (high - low) * (high - low);
    }
    return energy;
}

/// What an impulse with no reverberation at all measures.
static double reference_energy(uint32_t rate_hz)
{
    enum { FRAMES = 8192 };
    static const float click[FRAMES] = {1};
    return musical_energy(click, FRAMES, rate_hz);
}

void impulse_normalise(struct impulse *impulse)
{
    double energy = 0;
    for (uint32_t c = 0; c < impulse->channels; c++)
        energy += musical_energy(impulse->channel[c], impulse->frames, impulse->rate_hz);
    // One channel serves both outputs; of two and four, each output hears half of them.
    energy *= impulse->channels == 1 ? 1 : 0.5;
    if (!(energy > 0))
        return;
    double gain = sqrt(reference_energy(impulse->rate_hz) / energy);
    for (uint32_t c = 0; c < impulse->channels; c++)
        for (uint32_t i = 0; i < impulse->frames; i++)
            impulse->channel[c][i] = (float)(impulse->channel[c][i] * gain);
}

// ---- decay ----

/// Fits a line to 10 log10 of the energy left, where it lies between -5 and -25 dB.
static double decay_of(const float *samples, uint32_t frames, uint32_t rate_hz)
{
    double total = energy_of(samples, frames), left = total;
    double n = 0, sum_t = 0, sum_l = 0, sum_tt = 0, sum_tl = 0;
    for (uint32_t i = 0; i < frames && left > total * 0.0031622777; i++) {
        if (left <= total * 0.31622777) {
            double t = (double)i / rate_hz, level = 10 * log10(left / total);
            n++;
            sum_t += t;
            sum_l += level;
            sum_tt += t * t;
            sum_tl += t * level;
        }
        left -= (double)samples[i] * (double)samples[i];
    }
    double slope = (n * sum_tl - sum_t * sum_l) / (n * sum_tt - sum_t * sum_t);
    return n > 16 && slope < 0 ? -60 / slope : 0;
}

double impulse_decay_seconds(const struct impulse *impulse)
{
    double sum = 0;
    for (uint32_t c = 0; c < impulse->channels; c++)
        sum += decay_of(impulse->channel[c], impulse->frames, impulse->rate_hz);
    return sum / impulse->channels;
}

// ---- shape ----

static float bound(float value, float minimum, float maximum, float standard)
{
    return isnan(value) ? standard : value < minimum ? minimum : value > maximum ? maximum : value;
}

static struct impulse_shape bound_shape(const struct impulse_shape *shape)
{
    return (struct impulse_shape){
        .decay = bound(shape->decay, 0.1f, 1, 1),
        .damping = bound(shape->damping, 0, 1, 0),
        .low_cut_hz = bound(shape->low_cut_hz, off_low_hz, 2000, off_low_hz),
        .high_cut_hz = bound(shape->high_cut_hz, 500, off_high_hz, off_high_hz),
        .pre_delay_ms = bound(shape->pre_delay_ms, 0, 500, 0),
        .width = bound(shape->width, 0, 2, 1),
    };
}

/// Moves everything later. The only step that can fail: it comes first.
static int delay(struct impulse *impulse, float pre_delay_ms)
{
    uint32_t shift = (uint32_t)lrint((double)pre_delay_ms * 1e-3 * impulse->rate_hz);
    if (shift == 0)
        return 0;
    if ((uint64_t)impulse->frames + shift > (uint64_t)IMPULSE_SECONDS_MAX * impulse->rate_hz)
        return -EFBIG;
    for (uint32_t c = 0; c < impulse->channels; c++) {
        float *more =
            realloc(impulse->channel[c], ((size_t)impulse->frames + shift) * sizeof *more);
        if (!more)
            return -ENOMEM; // channels already made longer are still good for `frames`
        impulse->channel[c] = more;
    }
    for (uint32_t c = 0; c < impulse->channels; c++) {
        memmove(impulse->channel[c] + shift, impulse->channel[c], impulse->frames * sizeof(float));
        memset(impulse->channel[c], 0, shift * sizeof(float));
    }
    impulse->frames += shift;
    return 0;
}

/// Decays faster from `first` on: the whole by `rate`, the treble by `treble_rate` more (nepers per
/// second).
static void decay(float *samples, uint32_t first, const struct impulse *impulse, double rate,
                  double treble_rate)
{
    double step = 1 - exp(-2 * M_PI * treble_hz / impulse->rate_hz);
    double once = 0, low = 0;
    double gain = 1, treble_gain = 1;
    double fall = exp(-rate / impulse->rate_hz), treble_fall = exp(-treble_rate / impulse->rate_hz);
    for (uint32_t i = first; i < impulse->frames; i++) {
        once += step * (samples[i] - once);
        low += step * (once - low);
        samples[i] = (float)(gain * (low + treble_gain * (samples[i] - low)));
        gain *= fall;
        treble_gain *= treble_fall;
    }
}

/// Nepers per second that take a decay of `seconds` to one of `seconds * share`.
static double extra_rate(double seconds, double share)
{
    return seconds > 0 ? log(1000) / seconds * (1 / share - 1) : 0;
}

/// Where the sound begins: decay is counted from there, so that silence before it costs nothing.
static uint32_t onset_of(const struct impulse *impulse)
{
    float peak = 0;
    for (uint32_t c = 0; c < impulse->channels; c++)
        for (uint32_t i = 0; i < impulse->frames; i++)
            peak = fmaxf(peak, fabsf(impulse->channel[c][i]));
    for (uint32_t i = 0; i < impulse->frames; i++)
        for (uint32_t c = 0; c < impulse->channels; c++)
            if (fabsf(impulse->channel[c][i]) > 0.01f * peak)
                return i;
    return 0;
}

/// Of each input's two outputs, or of left and right: middle as it is, side times `width`.
static void widen(struct impulse *impulse, float width)
{
    for (uint32_t c = 0; c + 1 < impulse->channels; c += 2) {
        float *left = impulse->channel[c], *right = impulse->channel[c + 1];
        for (uint32_t i = 0; i < impulse->frames; i++) {
            float middle = 0.5f * (left[i] + right[i]), side = 0.5f * width * (left[i] - right[i]);
            left[i] = middle + side;
            right[i] = middle - side;
        }
    }
}

static void cut_all(struct impulse *impulse, float corner_hz, bool is_low_cut)
{
    struct cut cut = make_cut((double)corner_hz, impulse->rate_hz, is_low_cut);
    for (uint32_t c = 0; c < impulse->channels; c++)
        run_cut(cut, impulse->channel[c], impulse->frames);
}

int impulse_reshape(struct impulse *impulse, const struct impulse_shape *wish)
{
    struct impulse_shape shape = bound_shape(wish);
    uint32_t frames_before = impulse->frames, onset = onset_of(impulse);
    int status = delay(impulse, shape.pre_delay_ms);
    if (status)
        return status;
    onset += impulse->frames - frames_before;
    if (shape.decay < 1 || shape.damping > 0) {
        double seconds = impulse_decay_seconds(impulse);
        double rate = extra_rate(seconds, (double)shape.decay);
        double treble = extra_rate(seconds * (double)shape.decay, 1 - 0.8 * (double)shape.damping);
        for (uint32_t c = 0; c < impulse->channels; c++)
            decay(impulse->channel[c], onset, impulse, rate, treble);
    }
    if (shape.low_cut_hz > off_low_hz)
        cut_all(impulse, shape.low_cut_hz, true);
    if (shape.high_cut_hz < off_high_hz)
        cut_all(impulse, shape.high_cut_hz, false);
    if (shape.width != 1)
        widen(impulse, shape.width);
    return 0;
}
