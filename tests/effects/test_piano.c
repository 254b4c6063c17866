// The piano's figures: what the papers say, and what a choice of modes must keep.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/effects/piano.h"

enum { MOST = 16384 };

static struct mode mode[MOST], again[MOST];

/// eps of Chaigne and Askenfelt (1994, table I), of which B is pi^2 eps.
static void test_inharmonicity_as_measured(void **state)
{
    (void)state;
    static const struct {
        int key;
        double eps;
    } strings[] = {{60, 3.82e-5}, {96, 8.67e-4}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        double ratio = piano_inharmonicity(strings[i].key) / (M_PI * M_PI * strings[i].eps);
        assert_true(ratio > 0.67 && ratio < 1.5);
    }
    for (int key = 50; key < PIANO_HIGH; key++)
        assert_true(piano_inharmonicity(key + 1) > piano_inharmonicity(key));
}

static void test_partials(void **state)
{
    (void)state;
    assert_true(fabs(piano_partial_hz(69, 1) - 440.0) < 1e-9);
    for (int key = PIANO_LOW; key <= PIANO_HIGH; key++) {
        assert_true(fabs(piano_partial_hz(key, 1) / piano_fundamental_hz(key) - 1.0) < 1e-12);
        double f0 = piano_fundamental_hz(key) / sqrt(1.0 + piano_inharmonicity(key));
        for (int k = 2; k <= 20; k++) {
            double hz = piano_partial_hz(key, k);
            double wanted = k * f0 * sqrt(1.0 + piano_inharmonicity(key) * k * k);
            assert_true(fabs(hz / wanted - 1.0) < 1e-12);
            assert_true(hz > k * piano_fundamental_hz(key));
        }
    }
}

static void test_losses(void **state)
{
    (void)state;
    assert_true(fabs(piano_loss_per_s(60, 1) - (1.1 + 2.7e-4 * pow(M_PI / 0.63, 2))) < 1e-9);
    assert_true(fabs(piano_loss_per_s(36, 9) - (0.25 + 7.5e-5 * pow(9 * M_PI / 1.23, 2))) < 1e-9);
    assert_true(fabs(piano_loss_per_s(96, 2) - (9.17 + 2.1e-3 * pow(20 * M_PI, 2))) < 1e-9);
    for (int key = PIANO_LOW; key <= PIANO_HIGH; key++) {
        double seconds = log(1000.0) / piano_loss_per_s(key, 1); // for 60 dB
        assert_true(seconds > 0.2 && seconds < 40.0);
        for (int k = 1; k < 40; k++)
            assert_true(piano_loss_per_s(key, k + 1) > piano_loss_per_s(key, k));
        if (key > PIANO_LOW)
            assert_true(piano_loss_per_s(key, 1) >= piano_loss_per_s(key - 1, 1));
    }
}

static void test_dampers_and_unisons(void **state)
{
    (void)state;
    int strings = 0;
    for (int key = PIANO_LOW; key <= PIANO_HIGH; key++) {
        assert_true((piano_damper_per_s(key) > 0.0) == (key < PIANO_UNDAMPED));
        assert_in_range(piano_unisons(key), 1, 3);
        strings += piano_unisons(key);
    }
    assert_in_range(strings, 220, 250); // a grand has about 240
}

/// The number of places that a choice fills in a bank.
static uint32_t places(uint32_t count)
{
    uint32_t groups = 0, lane = 0;
    for (uint32_t i = 0; i < count; i++, lane++)
        if (!i || mode[i].string != mode[i - 1].string || lane == MODES_LANES) {
            lane = 0;
            groups++;
        }
    return groups * MODES_LANES;
}

static void check_modes(uint32_t count, double rate_hz)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(mode[i].frequency_hz > 20.0 && mode[i].frequency_hz < 0.46 * rate_hz);
        assert_true(mode[i].loss_per_s > 0.0 && mode[i].gain > 0.0);
        assert_true(mode[i].string < PIANO_STRINGS);
        assert_true(!i || mode[i].string >= mode[i - 1].string);
    }
    assert_int_equal(mode[count - 1].string, PIANO_BOARD);
}

static void test_any_budget(void **state)
{
    (void)state;
    static const double rate_hz[] = {8000, 44100, 48000, 96000, 192000};
    for (size_t i = 0; i < sizeof rate_hz / sizeof *rate_hz; i++) {
        uint32_t before = 0;
        for (uint32_t budget = 2 * MODES_LANES; budget <= MOST; budget *= 2) {
            uint32_t count = piano_modes(rate_hz[i], budget, mode);
            assert_true(count >= before && count <= budget && places(count) <= budget);
            check_modes(count, rate_hz[i]);
            before = count;
        }
    }
}

static uint32_t modes_of(uint32_t count, uint32_t string)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += mode[i].string == string;
    return sum;
}

/// A full bank has every key and some hundred modes of the board, and wastes few places.
static void test_full_bank(void **state)
{
    (void)state;
    uint32_t count = piano_modes(48000, 4096, mode);
    print_message("4096 places: %u modes, %u of the board\n", count, modes_of(count, PIANO_BOARD));
    for (uint32_t string = 0; string < PIANO_KEYS; string++)
        assert_true(modes_of(count, string) >= 3);
    assert_in_range(modes_of(count, PIANO_BOARD), 100, 400);
    assert_true(count > 4096 * 9 / 10);
}

static void test_same_every_time(void **state)
{
    (void)state;
    uint32_t count = piano_modes(48000, 4096, mode);
    assert_int_equal(piano_modes(48000, 4096, again), count);
    assert_memory_equal(mode, again, count * sizeof *mode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inharmonicity_as_measured),
        cmocka_unit_test(test_partials),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_dampers_and_unisons),
        cmocka_unit_test(test_any_budget),
        cmocka_unit_test(test_full_bank),
        cmocka_unit_test(test_same_every_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
