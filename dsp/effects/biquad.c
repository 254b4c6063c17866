#include "dsp/effects/biquad.h"

#include <complex.h>
#include <math.h>

enum { GRID_POINTS = 12, NEAR_POINTS = 5 };

static const double pi = 3.14159265358979323846;
static const double fit_hz = 16300.0;        // a little beyond 16 kHz evens the error out
static const double highest_share = 0.47;    // of the sample rate
static const double highest_exact_rad = 2.2; // where the fit may still be pinned

/// Numerator and denominator of a prototype, s^2 first, s in units of the frequency.
struct prototype {
    double n[3], d[3];
};

/// Of |H|^2 = f0 (1 - x) + f1 x + f2 4x (1 - x), x = sin^2(w / 2): Vicanek's form of a quadratic
/// in cos w.
struct power {
    double f0, f1, f2;
};

RT static double clamp(double value, double least, double most)
{
    return value > least ? (value < most ? value : most) : least; // not a number: the least
}

RT struct biquad_shape biquad_bound(const struct biquad_shape *shape, double rate_hz)
{
    bool has_gain = shape->kind >= BIQUAD_LOW_SHELF;
    return (struct biquad_shape){
        .kind = shape->kind,
        .frequency_hz = clamp(shape->frequency_hz, 10.0, fmin(20000.0, highest_share * rate_hz)),
        .gain_db = has_gain ? clamp(shape->gain_db, -24.0, 24.0) : 0.0,
        .q = clamp(shape->q, 0.1, 20.0)};
}

// ---- the prototype ----

RT static struct prototype prototype(enum biquad_kind kind, double gain_db, double q)
{
    double a = pow(10.0, gain_db / 40.0), slope = sqrt(a) / q;
    switch (kind) {
    case BIQUAD_LOW_CUT:
        return (struct prototype){{1, 0, 0}, {1, 1 / q, 1}};
    case BIQUAD_HIGH_CUT:
        return (struct prototype){{0, 0, 1}, {1, 1 / q, 1}};
    case BIQUAD_LOW_SHELF:
        return (struct prototype){{a, a * slope, a * a}, {a, slope, 1}};
    case BIQUAD_HIGH_SHELF:
        return (struct prototype){{a * a, a * slope, a}, {1, slope, a}};
    default:
        return (struct prototype){{1, a / q, 1}, {1, 1 / (a * q), 1}};
    }
}

/// |c[0] s^2 + c[1] s + c[2]|^2 at s = j `ratio`.
RT static double power_at(const double c[3], double ratio)
{
    double real = c[2] - c[0] * ratio * ratio, imaginary = c[1] * ratio;
    return real * real + imaginary * imaginary;
}

RT static double prototype_power(const struct prototype *p, double ratio)
{
    return power_at(p->n, ratio) / power_at(p->d, ratio);
}

// ---- the fit ----

/// Roots of the prototype's denominator, taken over by z = exp(s T).
RT static void match_poles(const double d[3], double frequency_rad, double a[3])
{
    double size = frequency_rad * sqrt(d[2] / d[0]);
    double damping = d[1] / (2.0 * sqrt(d[0] * d[2]));
    double off = sqrt(fabs(1.0 - damping * damping)) * size;
    a[0] = 1.0;
    a[1] = -2.0 * exp(-damping * size) * (damping < 1.0 ? cos(off) : cosh(off));
    a[2] = exp(-2.0 * damping * size);
}

RT static struct power power_of(const double c[3])
{
    double dc = c[0] + c[1] + c[2], nyquist = c[0] - c[1] + c[2];
    return (struct power){dc * dc, nyquist * nyquist, -4.0 * c[0] * c[2]};
}

/// The minimum-phase polynomial of that power. One that will be a denominator is kept from the
/// unit circle, which a fit of an extreme shape may miss.
RT static void factorise(const struct power *power, bool is_denominator, double c[3])
{
    double dc = sqrt(fmax(power->f0, 0.0));
    double nyquist = fmax(sqrt(fmax(power->f1, 0.0)), is_denominator ? 0.01 * dc : 0.0);
    double half = 0.5 * (dc + nyquist);
    double f2 = fmax(power->f2, -(is_denominator ? 1.0 - 1e-12 : 1.0) * half * half);
    c[0] = 0.5 * (half + sqrt(half * half + f2));
    c[1] = 0.5 * (dc - nyquist);
    c[2] = -f2 / (4.0 * c[0]);
}

/// One place where the fit looks: what the numerator's f1 and f2 count there, and what they owe.
struct place {
    double f1, f2, owed, whole;
};

RT static struct place look(const struct prototype *p, const struct power *below, double dc,
                            double frequency_rad, double w)
{
    double root = sin(0.5 * w), x = root * root, bend = 4.0 * x * (1.0 - x);
    double under = below->f0 * (1.0 - x) + below->f1 * x + below->f2 * bend;
    double whole = under * prototype_power(p, w / frequency_rad);
    return (struct place){x, bend, whole - dc * (1.0 - x), whole};
}

/// The numerator over given poles. Exact at 0 Hz and at `pin`, which leaves one number to find.
RT static struct power fit_zeros(const struct prototype *p, const struct power *below,
                                 double frequency_rad, double edge_rad)
{
    double dc = below->f0 * prototype_power(p, 0.0);
    struct place pin = look(p, below, dc, frequency_rad, fmin(frequency_rad, highest_exact_rad));
    double above = 0.0, divisor = 0.0;
    for (int i = 0; i < GRID_POINTS + NEAR_POINTS; i++) {
        int near = i - GRID_POINTS;
        double w = near < 0 ? edge_rad * (i + 1) / GRID_POINTS
                            : fmin(edge_rad, frequency_rad * exp2(0.5 * (near - 2)));
        struct place at = look(p, below, dc, frequency_rad, w);
        double share = at.f1 / pin.f1;
        double f2 = at.f2 - share * pin.f2, owed = at.owed - share * pin.owed;
        double weight = 1.0 / (at.whole * at.whole + 1e-30);
        above += weight * f2 * owed;
        divisor += weight * f2 * f2;
    }
    double f2 = divisor > 0.0 ? above / divisor : 0.0;
    return (struct power){dc, (pin.owed - pin.f2 * f2) / pin.f1, f2};
}

/// Two zeros at 0 Hz, and the prototype's gain at its frequency.
RT static struct power cut_zeros(const struct prototype *p, const struct power *below,
                                 double frequency_rad)
{
    double w = fmin(frequency_rad, 2.0);
    struct place pin = look(p, below, 0.0, frequency_rad, w);
    double size = pin.whole / (pin.f1 * pin.f1);
    return (struct power){0.0, size, -0.25 * size};
}

/// Whether the inverse filter is the one to design: its poles are nearer to the unit circle, and
/// poles are taken over exactly.
RT static bool is_better_inverted(const struct biquad_shape *shape)
{
    return shape->kind == BIQUAD_HIGH_SHELF ? shape->gain_db > 0.0
                                            : shape->kind >= BIQUAD_LOW_SHELF && shape->gain_db < 0;
}

RT static struct biquad scaled(const double above[3], const double below[3])
{
    struct biquad biquad;
    for (int i = 0; i < 3; i++) {
        biquad.b[i] = above[i] / below[0];
        biquad.a[i] = below[i] / below[0];
    }
    return biquad;
}

RT struct biquad biquad_design(const struct biquad_shape *wanted, double rate_hz)
{
    struct biquad_shape shape = biquad_bound(wanted, rate_hz);
    bool is_inverted = is_better_inverted(&shape);
    struct prototype p =
        prototype(shape.kind, is_inverted ? -shape.gain_db : shape.gain_db, shape.q);
    double frequency_rad = 2.0 * pi * shape.frequency_hz / rate_hz;
    double edge_rad = clamp(2.0 * pi * fit_hz / rate_hz, 0.58 * pi, 0.74 * pi);
    double a[3], b[3];
    match_poles(p.d, frequency_rad, a);
    struct power below = power_of(a);
    struct power above = shape.kind == BIQUAD_LOW_CUT
                             ? cut_zeros(&p, &below, frequency_rad)
                             : fit_zeros(&p, &below, frequency_rad, edge_rad);
    factorise(&above, is_inverted, b);
    return is_inverted ? scaled(a, b) : scaled(b, a);
}

// ---- for displays and tests ----

double biquad_response_db(const struct biquad *biquad, double hz, double rate_hz)
{
    double complex back = cexp(-I * 2.0 * pi * hz / rate_hz);
    double complex above = biquad->b[0] + back * (biquad->b[1] + back * biquad->b[2]);
    double complex below = biquad->a[0] + back * (biquad->a[1] + back * biquad->a[2]);
    return 20.0 * log10(cabs(above / below));
}

double biquad_prototype_db(const struct biquad_shape *shape, double hz)
{
    struct prototype p = prototype(shape->kind, shape->gain_db, shape->q);
    return 10.0 * log10(prototype_power(&p, hz / shape->frequency_hz));
}
