#include "dsp/effects/piano.h"

#include <math.h>

static const double highest_hz = 16000.0; ///< nobody misses what rings above
static const double coupling = 0.25;      ///< of b1: a partial that is met exactly ends 12 dB lower
static const double board_coupling = 0.05;
static const double board_lowest_hz = 55.0, board_spacing_hz = 20.0, board_loss_factor = 0.02;

/// Three keys whose losses were published: b1, and b2 (pi / L)^2.
static const struct {
    int key;
    double first, square;
} measured[3] = {
    {36, 0.25, 7.5e-5 * (M_PI / 1.23) * (M_PI / 1.23)},
    {60, 1.10, 2.7e-4 * (M_PI / 0.63) * (M_PI / 0.63)},
    {96, 9.17, 2.1e-3 * (M_PI / 0.10) * (M_PI / 0.10)},
};

/// A number 0..1 that is the same for the same place, always.
static double chance(uint32_t place)
{
    uint32_t bits = place * 0x9e3779b9u;
    bits = (bits ^ bits >> 16) * 0x85ebca6bu;
    bits = (bits ^ bits >> 13) * 0xc2b2ae35u;
    return (bits ^ bits >> 16) / 4294967296.0;
}

// ---- strings ----

double piano_fundamental_hz(int key) { return 440.0 * exp2((key - 69) / 12.0); }

double piano_inharmonicity(int key)
{
    return exp(0.0926 * key - 13.64) + exp(-0.0847 * key - 5.82);
}

double piano_partial_hz(int key, int partial)
{
    double stiffness = piano_inharmonicity(key);
    double stretch = sqrt((1.0 + stiffness * partial * partial) / (1.0 + stiffness));
    return partial * piano_fundamental_hz(key) * stretch;
}

static double between(double low, double high, double share)
{
    return low * pow(high / low, share);
}

/// The two terms of the loss. Below the lowest key that was measured they stay.
static void find_losses(int key, double *first, double *square)
{
    int low = key < measured[1].key ? 0 : 1;
    double share = (double)(key - measured[low].key) / (measured[low + 1].key - measured[low].key);
    share = share < 0.0 ? 0.0 : share;
    *first = between(measured[low].first, measured[low + 1].first, share);
    *square = between(measured[low].square, measured[low + 1].square, share);
}

double piano_loss_per_s(int key, int partial)
{
    double first, square;
    find_losses(key, &first, &square);
    return first + square * partial * partial;
}

/// A large damper on A0 takes half a second for 60 dB, a small one at the top a tenth.
double piano_damper_per_s(int key)
{
    double share = (double)(key - PIANO_LOW) / (PIANO_UNDAMPED - PIANO_LOW);
    return key < PIANO_UNDAMPED ? log(1000.0) / between(0.5, 0.1, share) : 0.0;
}

int piano_unisons(int key) { return key < PIANO_LOW + 8 ? 1 : key < PIANO_LOW + 13 ? 2 : 3; }

/// How strongly the bridge moves what is above a few kilohertz.
static double bridge(double hz) { return 1.0 / (1.0 + hz / 4000.0); }

static double string_gain(int key, double hz, double rate_hz)
{
    double first, square;
    find_losses(key, &first, &square);
    return 2.0 * coupling * first * bridge(hz) / (rate_hz * piano_unisons(key));
}

/// One of the unison strings of a partial: a fraction of a cent beside the others, and with a
/// fade of its own, so that it beats and rings on (Weinreich 1977).
static struct mode string_mode(int key, int partial, int unison, double rate_hz)
{
    static const double cents[3] = {0.0, 0.7, -0.5}, fade[3] = {1.0, 0.7, 1.2};
    double hz = piano_partial_hz(key, partial);
    uint32_t place = (uint32_t)((key * 256 + partial) * 4 + unison);
    return (struct mode){.frequency_hz = hz * exp2(cents[unison] / 1200.0),
                         .loss_per_s = piano_loss_per_s(key, partial) * fade[unison],
                         .gain = string_gain(key, hz, rate_hz),
                         .phase_rad = 2.0 * M_PI * chance(place),
                         .string = (uint32_t)(key - PIANO_LOW)};
}

// ---- choice ----

static double limit_hz(double rate_hz)
{
    return 0.45 * rate_hz < highest_hz ? 0.45 * rate_hz : highest_hz;
}

/// How much one would miss a partial of a key: how loud it rings when music, which has less of the
/// high frequencies, drives it. 0 if there is none.
static double worth(int key, int partial, double rate_hz)
{
    double hz = piano_partial_hz(key, partial);
    if (hz > limit_hz(rate_hz))
        return 0.0;
    double music = 1.0 / (1.0 + hz / 500.0);
    return music * string_gain(key, hz, rate_hz) / sqrt(piano_loss_per_s(key, partial));
}

/// Shares the groups out, each to the key whose next partial is worth most.
static void share_out(double rate_hz, uint32_t groups, uint32_t group[PIANO_KEYS])
{
    double next[PIANO_KEYS];
    for (int i = 0; i < PIANO_KEYS; i++) {
        group[i] = 0;
        next[i] = worth(PIANO_LOW + i, 1, rate_hz);
    }
    for (; groups; groups--) {
        int best = 0;
        for (int i = 1; i < PIANO_KEYS; i++)
            best = next[i] > next[best] ? i : best;
        if (next[best] == 0.0)
            return;
        int key = PIANO_LOW + best;
        int partials = (int)(++group[best] * MODES_LANES) / piano_unisons(key);
        next[best] = worth(key, partials + 1, rate_hz);
    }
}

static uint32_t add_key(int key, uint32_t groups, double rate_hz, struct mode *mode)
{
    uint32_t count = 0;
    for (int partial = 1; piano_partial_hz(key, partial) <= limit_hz(rate_hz); partial++)
        for (int unison = 0; unison < piano_unisons(key); unison++) {
            if (count == groups * MODES_LANES)
                return count;
            mode[count++] = string_mode(key, partial, unison, rate_hz);
        }
    return count;
}

// ---- soundboard ----

/// Modes one spacing apart, each somewhere within its own third.
static uint32_t add_board(uint32_t groups, double rate_hz, struct mode *mode)
{
    uint32_t count = 0;
    for (; count < groups * MODES_LANES; count++) {
        double shift = (chance(count) - 0.5) / 3.0;
        double hz = board_lowest_hz + board_spacing_hz * (count + shift);
        if (hz > limit_hz(rate_hz))
            break;
        double loss = M_PI * board_loss_factor * hz;
        mode[count] = (struct mode){.frequency_hz = hz,
                                    .loss_per_s = loss,
                                    .gain = 2.0 * board_coupling * loss * bridge(hz) / rate_hz,
                                    .phase_rad = 2.0 * M_PI * chance(count + 0x10000),
                                    .string = PIANO_BOARD};
    }
    return count;
}

uint32_t piano_modes(double rate_hz, uint32_t budget, struct mode *mode)
{
    uint32_t groups = budget / MODES_LANES, group[PIANO_KEYS], count = 0;
    uint32_t board = groups / 16 < 1 ? 1 : groups / 16 > 8 ? 8 : groups / 16;
    share_out(rate_hz, groups - board, group);
    for (int i = 0; i < PIANO_KEYS; i++)
        count += add_key(PIANO_LOW + i, group[i], rate_hz, mode + count);
    return count + add_board(board, rate_hz, mode + count);
}
