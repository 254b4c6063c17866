#include "dsp/effects/true_peak.h"

#include <math.h>
#include <string.h>

enum {
    PAST = TRUE_PEAK_TAPS, // one more than the taps need: the first frame looks one point back
    HALF = TRUE_PEAK_TAPS / 2,
    TILE = TRUE_PEAK_TILE,
};

static const double pi = 3.14159265358979323846;
static const double beta = 6.2;       // Kaiser: stops 65 dB at 28 kHz of what 20 kHz mirror there
static const float most_lift = 1.25f; // of a parabola's top over the highest point near it

RT static double bessel_i0(double x)
{
    double sum = 1.0, term = 1.0;
    for (int k = 1; k < 40; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

/// Each phase passes 0 Hz unchanged.
RT static void make_phase(float taps[TRUE_PEAK_TAPS], double way)
{
    double exact[TRUE_PEAK_TAPS], sum = 0.0;
    for (int i = 0; i < TRUE_PEAK_TAPS; i++) {
        double t = HALF - i - way, edge = t / HALF;
        exact[i] = bessel_i0(beta * sqrt(1.0 - edge * edge)) * sin(pi * t) / (pi * t);
        sum += exact[i];
    }
    for (int i = 0; i < TRUE_PEAK_TAPS; i++)
        taps[i] = (float)(exact[i] / sum);
}

RT void true_peak_init(struct true_peak *peak)
{
    *peak = (struct true_peak){.most_gain = 0.0f};
    for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++) {
        float gain = 0.01f; // for rounding
        make_phase(peak->taps[phase], (phase + 1) / 4.0);
        for (int i = 0; i < TRUE_PEAK_TAPS; i++)
            gain += fabsf(peak->taps[phase][i]);
        peak->most_gain = fmaxf(peak->most_gain, gain);
    }
}

RT static float one_before(const float taps[TRUE_PEAK_TAPS], const float *recent)
{
    float sum = 0.0f;
    for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++)
        sum += taps[tap] * recent[PAST - tap - 1];
    return sum;
}

// Four frames at a time, by the vector extension of gcc and clang: choices by masks, which neither
// needs a branch for.
typedef float quad __attribute__((vector_size(16)));
typedef int32_t mask __attribute__((vector_size(16)));

RT static inline quad choose(mask is_first, quad first, quad second)
{
    return (quad)((is_first & (mask)first) | (~is_first & (mask)second));
}

RT static inline quad load(const float *from)
{
    quad to;
    memcpy(&to, from, sizeof to);
    return to;
}

// Always whole tiles, so that the loops are straight and wide. What lies beyond the frames taken in
// is old; it may cause work, never change a peak.

RT static void interpolate(const float taps[TRUE_PEAK_TAPS], const float *recent, float out[TILE])
{
    quad a = {0.0f}, b = a, c = a, d = a; // the tile, in registers
    for (int tap = 0; tap < TRUE_PEAK_TAPS; tap++) {
        const float *from = recent + PAST - tap;
        a += taps[tap] * load(from);
        b += taps[tap] * load(from + 4);
        c += taps[tap] * load(from + 8);
        d += taps[tap] * load(from + 12);
    }
    memcpy(out, &a, sizeof a);
    memcpy(out + 4, &b, sizeof b);
    memcpy(out + 8, &c, sizeof c);
    memcpy(out + 12, &d, sizeof d);
}

RT static inline quad larger(quad a, quad b) { return choose(a > b, a, b); }

/// Of `count` samples, a multiple of four.
RT static float largest(const float *samples, uint32_t count)
{
    quad most = {0.0f};
    for (uint32_t i = 0; i < count; i += 4)
        most = larger((quad)((mask)load(samples + i) & INT32_MAX), most);
    return fmaxf(fmaxf(most[0], most[1]), fmaxf(most[2], most[3]));
}

/// The size of `here`, or of the parabola's top where `here` is the highest of three.
RT static inline quad top(quad before, quad here, quad after)
{
    const quad tiny = {1e-30f, 1e-30f, 1e-30f, 1e-30f};
    mask sign = (mask)here & INT32_MIN;
    quad a = (quad)((mask)before ^ sign), b = (quad)((mask)here ^ sign);
    quad c = (quad)((mask)after ^ sign);
    quad bend = 8.0f * (b + b - a - c), lean = a - c, most = b * (most_lift - 1.0f);
    quad lift = lean * lean / choose(bend > tiny, bend, tiny);
    lift = choose(lift < most, lift, most);
    return choose((b >= a) & (b >= c), b + lift, b);
}

/// The points of each frame, and around them: the last of the frame before, and the next sample.
struct points {
    float at[TRUE_PEAK_PHASES + 3][TILE];
};

/// Returns the size of the greatest.
RT static float find_points(const struct true_peak *peak, const float *recent,
                            struct points *points)
{
    memcpy(points->at[1], recent + PAST - HALF, sizeof points->at[1]);
    memcpy(points->at[5], recent + PAST - HALF + 1, sizeof points->at[5]);
    for (int phase = 0; phase < TRUE_PEAK_PHASES; phase++)
        interpolate(peak->taps[phase], recent, points->at[2 + phase]);
    points->at[0][0] = one_before(peak->taps[TRUE_PEAK_PHASES - 1], recent);
    memcpy(points->at[0] + 1, points->at[4], sizeof points->at[0] - sizeof(float));
    return largest(points->at[0], sizeof points->at / sizeof(float));
}

RT static void find_tops(const struct points *points, float peaks[TILE])
{
    for (int i = 0; i < TILE; i += 4) {
        quad most = load(peaks + i);
        for (int k = 1; k < 5; k++) {
            quad size = top(load(points->at[k - 1] + i), load(points->at[k] + i),
                            load(points->at[k + 1] + i));
            most = larger(size, most);
        }
        memcpy(peaks + i, &most, sizeof most);
    }
}

RT bool true_peak_run(struct true_peak *peak, const float *left, const float *right,
                      uint32_t frames, float floor, float peaks[TRUE_PEAK_TILE])
{
    const float *in[2] = {left, right};
    bool is_near = false;
    memset(peaks, 0, TILE * sizeof(float));
    for (int side = 0; side < 2; side++) {
        float *recent = peak->recent[side];
        struct points points = {{{0.0f}}};
        memcpy(recent + PAST, in[side], frames * sizeof(float));
        if (largest(recent, PAST + TILE) * peak->most_gain * most_lift > floor &&
            find_points(peak, recent, &points) * most_lift > floor) {
            find_tops(&points, peaks);
            is_near = true;
        }
        memmove(recent, recent + frames, PAST * sizeof(float));
    }
    return is_near;
}
