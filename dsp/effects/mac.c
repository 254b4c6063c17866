#include "dsp/effects/mac.h"

#include <stdbool.h>

#include "dsp/base/fft.h"

// ---- what both forms share ----

/// A run of tiles, input and response side by side.
struct run {
    const float *x, *h;
    uint32_t count;
};

/// The ring of inputs, cut where it wraps around.
static inline void cut(struct run run[2], struct mac_row input, uint32_t first,
                       struct mac_row response, uint32_t tile)
{
    const float *x = input.tiles + (size_t)tile * input.count * FFT_TILE_FLOATS;
    const float *h = response.tiles + (size_t)tile * response.count * FFT_TILE_FLOATS;
    uint32_t until_end = input.count - first;
    uint32_t count = response.count < until_end ? response.count : until_end;
    run[0] = (struct run){x + (size_t)first * FFT_TILE_FLOATS, h, count};
    run[1] = (struct run){x, h + (size_t)count * FFT_TILE_FLOATS, response.count - count};
}

// ---- portable: vectors of four, which SSE2 and NEON have ----

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

RT static void fir_portable(float *out, const float *in, const float *taps, uint32_t tap_count,
                            uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i += MAC_GROUP) {
        quad *to = (quad *)(out + i);
        quad sum0 = to[0], sum1 = to[1], sum2 = to[2], sum3 = to[3];
        for (uint32_t k = 0; k < tap_count; k++) {
            const quad *x = (const quad *)(in + i - k);
            sum0 += taps[k] * x[0];
            sum1 += taps[k] * x[1];
            sum2 += taps[k] * x[2];
            sum3 += taps[k] * x[3];
        }
        to[0] = sum0;
        to[1] = sum1;
        to[2] = sum2;
        to[3] = sum3;
    }
}

/// Half a tile, eight bins, from bin `at` of it: re = a - b, im = c + d. Bin 0 of the spectrum is
/// two real numbers, whose products stand in a and b.
RT static inline void half_portable(float *sum, const struct run run[2], size_t at, bool has_bin_0)
{
    quad *re = (quad *)(sum + at), *im = (quad *)(sum + at + FFT_TILE);
    quad a0 = re[0], a1 = re[1], b0 = {0}, b1 = {0};
    quad c0 = im[0], c1 = im[1], d0 = {0}, d1 = {0};
    const float before = sum[FFT_TILE];
    for (int part = 0; part < 2; part++) {
        const float *x = run[part].x + at, *h = run[part].h + at;
        for (uint32_t k = run[part].count; k--; x += FFT_TILE_FLOATS, h += FFT_TILE_FLOATS) {
            const quad *x_re = (const quad *)x, *x_im = (const quad *)(x + FFT_TILE);
            const quad *h_re = (const quad *)h, *h_im = (const quad *)(h + FFT_TILE);
            a0 += x_re[0] * h_re[0];
            a1 += x_re[1] * h_re[1];
            b0 += x_im[0] * h_im[0];
            b1 += x_im[1] * h_im[1];
            c0 += x_re[0] * h_im[0];
            c1 += x_re[1] * h_im[1];
            d0 += x_im[0] * h_re[0];
            d1 += x_im[1] * h_re[1];
        }
    }
    re[0] = a0 - b0;
    re[1] = a1 - b1;
    im[0] = c0 + d0;
    im[1] = c1 + d1;
    if (has_bin_0) {
        sum[0] = a0[0];
        sum[FFT_TILE] = before + b0[0];
    }
}

RT static void spectra_portable(float *sum, struct mac_row input, uint32_t first,
                                struct mac_row response, uint32_t tiles)
{
    for (uint32_t tile = 0; tile < tiles; tile++, sum += FFT_TILE_FLOATS) {
        struct run run[2];
        cut(run, input, first, response, tile);
        half_portable(sum, run, 0, tile == 0);
        half_portable(sum, run, FFT_TILE / 2, false);
    }
}

const struct mac mac_portable = {fir_portable, spectra_portable};

// ---- AVX2 and FMA: vectors of eight ----

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2,fma")))

typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

/// Even and odd taps add up apart: a sum waits four cycles for the one before it.
RT AVX2 static void fir_avx2(float *out, const float *in, const float *taps, uint32_t tap_count,
                             uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i += MAC_GROUP) {
        eight *to = (eight *)(out + i);
        eight even0 = to[0], even1 = to[1], odd0 = {0}, odd1 = {0};
        uint32_t k = 0;
        for (; k + 1 < tap_count; k += 2) {
            const eight *x = (const eight *)(in + i - k), *y = (const eight *)(in + i - k - 1);
            even0 += taps[k] * x[0];
            even1 += taps[k] * x[1];
            odd0 += taps[k + 1] * y[0];
            odd1 += taps[k + 1] * y[1];
        }
        if (k < tap_count) {
            const eight *x = (const eight *)(in + i - k);
            even0 += taps[k] * x[0];
            even1 += taps[k] * x[1];
        }
        to[0] = even0 + odd0;
        to[1] = even1 + odd1;
    }
}

/// The same for a whole tile.
RT AVX2 static inline void tile_avx2(float *sum, const struct run run[2], bool has_bin_0)
{
    eight *to = (eight *)sum;
    eight a0 = to[0], a1 = to[1], b0 = {0}, b1 = {0};
    eight c0 = to[2], c1 = to[3], d0 = {0}, d1 = {0};
    const float before = sum[FFT_TILE];
    for (int part = 0; part < 2; part++) {
        const eight *x = (const eight *)run[part].x, *h = (const eight *)run[part].h;
        for (uint32_t k = run[part].count; k--; x += 4, h += 4) {
            a0 += x[0] * h[0];
            a1 += x[1] * h[1];
            b0 += x[2] * h[2];
            b1 += x[3] * h[3];
            c0 += x[0] * h[2];
            c1 += x[1] * h[3];
            d0 += x[2] * h[0];
            d1 += x[3] * h[1];
        }
    }
    to[0] = a0 - b0;
    to[1] = a1 - b1;
    to[2] = c0 + d0;
    to[3] = c1 + d1;
    if (has_bin_0) {
        sum[0] = a0[0];
        sum[FFT_TILE] = before + b0[0];
    }
}

RT AVX2 static void spectra_avx2(float *sum, struct mac_row input, uint32_t first,
                                 struct mac_row response, uint32_t tiles)
{
    for (uint32_t tile = 0; tile < tiles; tile++, sum += FFT_TILE_FLOATS) {
        struct run run[2];
        cut(run, input, first, response, tile);
        tile_avx2(sum, run, tile == 0);
    }
}

static const struct mac mac_avx2 = {fir_avx2, spectra_avx2};

const struct mac *mac_best(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &mac_avx2
                                                                           : &mac_portable;
}

#else

const struct mac *mac_best(void) { return &mac_portable; }

#endif
