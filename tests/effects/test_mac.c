// The inner loops of convolution: the fast form against the portable one, and both against double
// precision.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/effects/mac.h"

static uint32_t seed = 1;

static float noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-31f;
}

static float *noises(size_t count)
{
    float *made = fft_alloc(count);
    for (size_t i = 0; i < count; i++)
        made[i] = noise();
    return made;
}

/// Error of `a` over the energy of `b`, which is `least` or more: a sum that cancels is no figure.
static double error_db(const float *a, const double *b, size_t count, double least)
{
    double error = 0, energy = least;
    for (size_t i = 0; i < count; i++) {
        error += pow(a[i] - b[i], 2);
        energy += b[i] * b[i];
    }
    return 10 * log10(error / energy + 1e-30);
}

// ---- in time ----

static void check_fir(const struct mac *mac, uint32_t taps, uint32_t frames)
{
    uint32_t whole = (frames + MAC_GROUP - 1) / MAC_GROUP * MAC_GROUP;
    float *h = noises(taps), *in = noises(taps + whole), *out = noises(whole);
    double *wanted = calloc(frames, sizeof *wanted);
    for (uint32_t i = 0; i < frames; i++) {
        wanted[i] = (double)out[i];
        for (uint32_t k = 0; k < taps; k++)
            wanted[i] += (double)h[k] * (double)in[taps + i - k];
    }
    mac->fir(out, in + taps, h, taps, frames);
    assert_true(error_db(out, wanted, frames, taps / 9.0) < -130);
    free(h);
    free(in);
    free(out);
    free(wanted);
}

static void sums_in_time_are_exact(void **state)
{
    (void)state;
    const uint32_t taps[] = {1, 2, 3, 31, 32, 64, 128}, frames[] = {1, 15, 16, 17, 64, 100};
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < 6; k++) {
            check_fir(&mac_portable, taps[i], frames[k]);
            check_fir(mac_best(), taps[i], frames[k]);
        }
}

static void a_frame_is_the_same_wherever_it_lies(void **state)
{
    (void)state;
    enum { TAPS = 64, FRAMES = 64 };
    const struct mac *forms[] = {&mac_portable, mac_best()};
    float *h = noises(TAPS), *in = noises(TAPS + FRAMES + MAC_GROUP);
    for (int form = 0; form < 2; form++) {
        float whole[FRAMES + MAC_GROUP] = {0};
        forms[form]->fir(whole, in + TAPS, h, TAPS, FRAMES);
        for (int i = 0; i < FRAMES; i++) {
            float alone[MAC_GROUP] = {0};
            forms[form]->fir(alone, in + TAPS + i, h, TAPS, 1);
            assert_true(alone[0] == whole[i]);
        }
    }
    free(h);
    free(in);
}

// ---- in frequency ----

enum { RING = 11, TILES = 4, BINS = TILES * FFT_TILE };

static float *tile_of(float *tiles, uint32_t row, uint32_t tile, uint32_t k)
{
    return tiles + ((size_t)tile * row + k) * FFT_TILE_FLOATS;
}

/// The definition, bin by bin.
static void add_direct(double *sum, float *x, uint32_t first, float *h, uint32_t count)
{
    for (uint32_t tile = 0; tile < TILES; tile++)
        for (uint32_t k = 0; k < count; k++)
            for (uint32_t bin = 0; bin < FFT_TILE; bin++) {
                const float *a = tile_of(x, RING, tile, (first + k) % RING) + bin;
                const float *b = tile_of(h, count, tile, k) + bin;
                double *to = sum + (size_t)tile * FFT_TILE_FLOATS + bin;
                double a_re = (double)a[0], a_im = (double)a[FFT_TILE];
                double b_re = (double)b[0], b_im = (double)b[FFT_TILE];
                bool is_real = tile == 0 && bin == 0;
                to[0] += is_real ? a_re * b_re : a_re * b_re - a_im * b_im;
                to[FFT_TILE] += is_real ? a_im * b_im : a_re * b_im + a_im * b_re;
            }
}

static void check_spectra(const struct mac *mac, uint32_t first, uint32_t count)
{
    float *x = noises((size_t)RING * 2 * BINS), *h = noises((size_t)count * 2 * BINS);
    float *sum = noises(2 * BINS);
    double wanted[2 * BINS];
    for (int i = 0; i < 2 * BINS; i++)
        wanted[i] = (double)sum[i];
    add_direct(wanted, x, first, h, count);
    mac->spectra(sum, (struct mac_row){x, RING}, first, (struct mac_row){h, count}, TILES);
    assert_true(error_db(sum, wanted, 2 * BINS, 0) < -130);
    free(x);
    free(h);
    free(sum);
}

static void sums_in_frequency_are_exact(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < RING; first++)
        for (uint32_t count = 1; count <= RING; count++) {
            check_spectra(&mac_portable, first, count);
            check_spectra(mac_best(), first, count);
        }
}

static void the_place_in_the_ring_changes_no_bit(void **state)
{
    (void)state;
    const struct mac *forms[] = {&mac_portable, mac_best()};
    float *x = noises((size_t)RING * 2 * BINS), *h = noises((size_t)RING * 2 * BINS);
    float *turned = fft_alloc((size_t)RING * 2 * BINS);
    for (uint32_t first = 0; first < RING; first++) {
        for (uint32_t tile = 0; tile < TILES; tile++)
            for (uint32_t k = 0; k < RING; k++)
                memcpy(tile_of(turned, RING, tile, (first + k) % RING), tile_of(x, RING, tile, k),
                       FFT_TILE_FLOATS * sizeof(float));
        for (int form = 0; form < 2; form++) {
            float one[2 * BINS] = {0}, other[2 * BINS] = {0};
            struct mac_row response = {h, RING};
            forms[form]->spectra(one, (struct mac_row){x, RING}, 0, response, TILES);
            forms[form]->spectra(other, (struct mac_row){turned, RING}, first, response, TILES);
            assert_memory_equal(one, other, sizeof one);
        }
    }
    free(x);
    free(h);
    free(turned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_in_time_are_exact),
        cmocka_unit_test(a_frame_is_the_same_wherever_it_lies),
        cmocka_unit_test(sums_in_frequency_are_exact),
        cmocka_unit_test(the_place_in_the_ring_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
