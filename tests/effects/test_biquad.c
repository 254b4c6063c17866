// Digital filters beside their analogue prototypes: within the bounds that the header states.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/biquad.h"
#include "tests/effects/probe.h"

static const double rates_hz[] = {48000, 88200, 96000, 192000};
static const double places_hz[] = {20,   50,   120,  400,   1000,  2000,  3000,
                                   5000, 7000, 9000, 12000, 15000, 18000, 20000};

enum { RATES = 4, PLACES = 14 };

/// How far a filter is from its prototype up to 16 kHz, where that is above -60 dB.
static double off_db(const struct biquad_shape *shape, double rate_hz)
{
    struct biquad biquad = biquad_design(shape, rate_hz);
    double worst = 0.0;
    double hz = NAN;
    while (probe_scale(&hz, 10.0, 16000.0, 1.05)) {
        double wanted = biquad_prototype_db(shape, hz);
        if (wanted > -60.0)
            worst = fmax(worst, fabs(biquad_response_db(&biquad, hz, rate_hz) - wanted));
    }
    return worst;
}

struct range {
    enum biquad_kind kind;
    double least_q, most_q, most_gain_db, most_hz;
};

static double worst_at(const struct range *range, double hz, double rate_hz)
{
    double worst = 0.0, q = NAN;
    while (probe_scale(&q, range->least_q, range->most_q * 1.001, 1.4)) {
        double gain = NAN;
        while (probe_count(&gain, -range->most_gain_db, range->most_gain_db, 5.0)) {
            struct biquad_shape shape = {range->kind, hz, gain, q};
            worst = fmax(worst, off_db(&shape, rate_hz));
        }
    }
    return worst;
}

static double worst_db(const struct range *range, double rate_hz)
{
    double worst = 0.0;
    for (int i = 0; i < PLACES && places_hz[i] <= range->most_hz; i++)
        worst = fmax(worst, worst_at(range, places_hz[i], rate_hz));
    return worst;
}

static const struct range ranges[] = {{BIQUAD_LOW_CUT, 0.5, 3.0, 0.0, 3000.0},
                                      {BIQUAD_HIGH_CUT, 0.5, 3.0, 0.0, 20000.0},
                                      {BIQUAD_LOW_SHELF, 0.4, 1.0, 15.0, 20000.0},
                                      {BIQUAD_HIGH_SHELF, 0.4, 1.0, 15.0, 20000.0},
                                      {BIQUAD_PEAK, 0.5, 18.0, 15.0, 20000.0}};
static const char *const names[] = {"low cut", "high cut", "low shelf", "high shelf", "peak"};

static void test_they_follow_their_prototypes(void **state)
{
    (void)state;
    for (int i = 0; i < BIQUAD_KINDS; i++) {
        double worst = 0.0;
        for (int r = 0; r < RATES; r++)
            worst = fmax(worst, worst_db(&ranges[i], rates_hz[r]));
        double at_44k1 = worst_db(&ranges[i], 44100.0);
        printf("%-10s within %.3f dB at 48 kHz and more, %.3f dB at 44.1 kHz\n", names[i], worst,
               at_44k1);
        assert_true(worst <= 0.1);
        assert_true(at_44k1 <= 0.2);
    }
}

static void test_high_low_cuts_are_as_stated(void **state)
{
    (void)state;
    const struct range range = {BIQUAD_LOW_CUT, 0.5, 3.0, 0.0, 12000.0};
    assert_true(worst_db(&range, 48000.0) <= 0.4);
}

/// What a bilinear transform would miss by, to show that the bound means something.
static void test_the_bilinear_transform_would_fail(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    struct biquad_shape shape = {BIQUAD_PEAK, 9000.0, 12.0, 1.0};
    double warped = 9000.0 * tan(pi * 15000.0 / 48000.0) / tan(pi * 9000.0 / 48000.0);
    assert_true(fabs(biquad_prototype_db(&shape, warped) - biquad_prototype_db(&shape, 15000.0)) >
                1.0);
}

static void assert_sound(const struct biquad *biquad)
{
    const double *a = biquad->a, *b = biquad->b;
    assert_true(isfinite(b[0]) && isfinite(b[1]) && isfinite(b[2]));
    assert_true(fabs(a[2]) < 1.0 && fabs(a[1]) < 1.0 + a[2]); // poles inside the circle
    assert_true(fabs(b[2]) <= fabs(b[0]) * (1 + 1e-9) &&      // zeros inside or on it
                fabs(b[1]) <= fabs(b[0] + b[2]) * (1 + 1e-9));
}

static void assert_all_sound(enum biquad_kind kind, double rate_hz)
{
    double hz = NAN;
    while (probe_scale(&hz, 10.0, 20000.0, 1.37)) {
        double q = NAN;
        while (probe_scale(&q, 0.1, 20.0, 1.9)) {
            double gain = NAN;
            while (probe_count(&gain, -24.0, 24.0, 8.0)) {
                struct biquad_shape shape = {kind, hz, gain, q};
                struct biquad biquad = biquad_design(&shape, rate_hz);
                assert_sound(&biquad);
            }
        }
    }
}

static void test_all_are_stable(void **state)
{
    (void)state;
    static const double rates[] = {8000, 22050, 44100, 192000};
    for (int kind = 0; kind < BIQUAD_KINDS; kind++)
        for (int r = 0; r < 4; r++)
            assert_all_sound((enum biquad_kind)kind, rates[r]);
}

static void test_nonsense_is_brought_within_range(void **state)
{
    (void)state;
    static const double odd[] = {NAN, INFINITY, -INFINITY, -1.0, 0.0, 1e300};
    for (int kind = 0; kind < BIQUAD_KINDS; kind++)
        for (int i = 0; i < 6 * 6 * 6; i++) {
            struct biquad_shape shape = {(enum biquad_kind)kind, odd[i % 6], odd[i / 6 % 6],
                                         odd[i / 36]};
            struct biquad biquad = biquad_design(&shape, 48000.0);
            assert_sound(&biquad);
        }
}

static void assert_cancel(enum biquad_kind kind, double hz)
{
    const double rate_hz = 48000.0;
    struct biquad up = biquad_design(&(struct biquad_shape){kind, hz, 9.0, 0.8}, rate_hz);
    struct biquad down = biquad_design(&(struct biquad_shape){kind, hz, -9.0, 0.8}, rate_hz);
    double at = NAN;
    while (probe_scale(&at, 20.0, 23000.0, 1.5))
        assert_true(fabs(biquad_response_db(&up, at, rate_hz) +
                         biquad_response_db(&down, at, rate_hz)) < 1e-6);
}

static void test_opposite_gains_cancel(void **state)
{
    (void)state;
    for (int i = 0; i < PLACES; i++) {
        assert_cancel(BIQUAD_LOW_SHELF, places_hz[i]);
        assert_cancel(BIQUAD_HIGH_SHELF, places_hz[i]);
        assert_cancel(BIQUAD_PEAK, places_hz[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_follow_their_prototypes),
        cmocka_unit_test(test_high_low_cuts_are_as_stated),
        cmocka_unit_test(test_the_bilinear_transform_would_fail),
        cmocka_unit_test(test_all_are_stable),
        cmocka_unit_test(test_nonsense_is_brought_within_range),
        cmocka_unit_test(test_opposite_gains_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
