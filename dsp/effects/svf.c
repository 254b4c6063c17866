#include "dsp/effects/svf.h"

#include <math.h>

RT void svf_init(struct svf *svf)
{
    *svf = (struct svf){.now = {.p2 = 1.0, .d = 1.0}, .target = {.p2 = 1.0, .d = 1.0}};
}

RT struct svf_coefficients svf_from_biquad(const struct biquad *biquad, double amount)
{
    const double *a = biquad->a, *b = biquad->b;
    double at_zero = 1.0 + a[1] + a[2], at_nyquist = 1.0 - a[1] + a[2];
    double g = sqrt(at_zero / at_nyquist);       // of each integrator
    double gk = 2.0 * (1.0 - a[2]) / at_nyquist; // times the damping
    double high = (b[0] - b[1] + b[2]) / at_nyquist;
    double low = (b[0] + b[1] + b[2]) / at_zero - high;
    double band = (2.0 * (b[0] - b[2]) / at_nyquist - high * gk) / g;
    double h = 1.0 / (1.0 + gk + g * g), gh = g * h, ggh = g * gh;
    return (struct svf_coefficients){.p1 = 2.0 * h - 1.0,
                                     .p = 2.0 * gh,
                                     .p2 = 1.0 - 2.0 * ggh,
                                     .c1 = amount * (band * h + low * gh),
                                     .c2 = amount * (low * (1.0 - ggh) - band * gh),
                                     .d = 1.0 + amount * (high + band * gh + low * ggh - 1.0)};
}

RT void svf_aim(struct svf *svf, const struct svf_coefficients *target, uint32_t frames)
{
    const struct svf_coefficients *now = &svf->now;
    svf->target = *target;
    svf->step = (struct svf_coefficients){.p1 = (target->p1 - now->p1) / frames,
                                          .p = (target->p - now->p) / frames,
                                          .p2 = (target->p2 - now->p2) / frames,
                                          .c1 = (target->c1 - now->c1) / frames,
                                          .c2 = (target->c2 - now->c2) / frames,
                                          .d = (target->d - now->d) / frames};
    svf->is_moving = true;
}

RT void svf_land(struct svf *svf)
{
    svf->now = svf->target;
    svf->is_moving = false;
}

RT static inline stereo filter(const struct svf_coefficients *k, stereo *s1, stereo *s2, stereo x)
{
    stereo y = k->c1 * *s1 + (k->c2 * *s2 + k->d * x);
    stereo next = k->p1 * *s1 + k->p * (x - *s2);
    *s2 = k->p * *s1 + (k->p2 * *s2 + (1.0 - k->p2) * x);
    *s1 = next;
    return y;
}

RT static inline void advance(struct svf_coefficients *now, const struct svf_coefficients *step)
{
    now->p1 += step->p1;
    now->p += step->p;
    now->p2 += step->p2;
    now->c1 += step->c1;
    now->c2 += step->c2;
    now->d += step->d;
}

RT void svf_run(struct svf *svf, stereo *inout, uint32_t frames)
{
    struct svf_coefficients now = svf->now;
    const struct svf_coefficients step = svf->step;
    stereo s1 = svf->s1, s2 = svf->s2;
    if (svf->is_moving) {
        for (uint32_t i = 0; i < frames; i++) {
            advance(&now, &step);
            inout[i] = filter(&now, &s1, &s2, inout[i]);
        }
        svf->now = now;
    } else {
        for (uint32_t i = 0; i < frames; i++)
            inout[i] = filter(&now, &s1, &s2, inout[i]);
    }
    svf->s1 = s1;
    svf->s2 = s2;
}
