// The transform of two signals at once, against the definition in double precision.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"

static uint32_t seed = 1;

static float noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-31f;
}

/// Bin k of the definition, as the tiles have it: the last bin lies beside bin 0.
static void direct_bin(const float *signal, uint32_t frames, uint32_t k, double *re, double *im)
{
    *re = *im = 0;
    for (uint32_t n = 0; n < frames; n++) {
        double angle = -2 * M_PI * (double)((uint64_t)n * k % frames) / frames;
        *re += signal[n] * cos(angle);
        *im += signal[n] * sin(angle);
    }
}

static double error_db(const float *signal, const float *spectrum, uint32_t frames, size_t stride)
{
    double error = 0, energy = 0;
    for (uint32_t k = 0; k < frames / 2; k++) {
        const float *tile = spectrum + k / FFT_TILE * stride;
        double re, im, unused;
        direct_bin(signal, frames, k, &re, &im);
        if (k == 0)
            direct_bin(signal, frames, frames / 2, &im, &unused);
        error += pow(tile[k % FFT_TILE] - re, 2) + pow(tile[FFT_TILE + k % FFT_TILE] - im, 2);
        energy += re * re + im * im;
    }
    return 10 * log10(error / energy);
}

static void check_forward(uint32_t frames, size_t stride)
{
    struct fft *fft = fft_create(frames);
    float *a = fft_alloc(frames), *b = fft_alloc(frames);
    float *spectrum_a = fft_alloc(frames / FFT_TILE_FLOATS * stride);
    float *spectrum_b = fft_alloc(frames / FFT_TILE_FLOATS * stride);
    for (uint32_t i = 0; i < frames; i++) {
        a[i] = noise();
        b[i] = noise();
    }
    fft_forward(fft, a, b, spectrum_a, spectrum_b, stride);
    assert_true(error_db(a, spectrum_a, frames, stride) < -130);
    assert_true(error_db(b, spectrum_b, frames, stride) < -130);
    fft_destroy(fft);
    free(a);
    free(b);
    free(spectrum_a);
    free(spectrum_b);
}

static void spectra_match_the_definition(void **state)
{
    (void)state;
    for (uint32_t frames = FFT_FRAMES_MIN; frames <= 2048; frames *= 2)
        check_forward(frames, FFT_TILE_FLOATS);
}

static void tiles_may_lie_apart(void **state)
{
    (void)state;
    check_forward(256, FFT_TILE_FLOATS * (size_t)5);
}

static void check_return(uint32_t frames)
{
    struct fft *fft = fft_create(frames);
    float *signal[2], *spectrum[2];
    const float *back[2];
    double error = 0, energy = 0;
    for (int c = 0; c < 2; c++) {
        signal[c] = fft_alloc(frames);
        spectrum[c] = fft_alloc(frames);
        for (uint32_t i = 0; i < frames; i++)
            signal[c][i] = noise();
    }
    fft_forward(fft, signal[0], signal[1], spectrum[0], spectrum[1], FFT_TILE_FLOATS);
    fft_inverse(fft, spectrum[0], spectrum[1], &back[0], &back[1]);
    for (int c = 0; c < 2; c++)
        for (uint32_t i = 0; i < frames; i++) {
            error += pow((double)back[c][i] / frames - (double)signal[c][i], 2);
            energy += pow(signal[c][i], 2);
        }
    assert_true(10 * log10(error / energy) < -130);
    fft_destroy(fft);
    for (int c = 0; c < 2; c++) {
        free(signal[c]);
        free(spectrum[c]);
    }
}

static void the_way_back_leads_home(void **state)
{
    (void)state;
    for (uint32_t frames = FFT_FRAMES_MIN; frames <= FFT_FRAMES_MAX; frames *= 2)
        check_return(frames);
}

static void signals_do_not_leak_into_each_other(void **state)
{
    (void)state;
    enum { FRAMES = 1024 };
    struct fft *fft = fft_create(FRAMES);
    float *a = fft_alloc(FRAMES), *silence = fft_alloc(FRAMES);
    float *spectrum_a = fft_alloc(FRAMES), *spectrum_b = fft_alloc(FRAMES);
    for (int i = 0; i < FRAMES; i++)
        a[i] = noise();
    fft_forward(fft, a, silence, spectrum_a, spectrum_b, FFT_TILE_FLOATS);
    for (int i = 0; i < FRAMES; i++)
        assert_true(fabsf(spectrum_b[i]) < 1e-4f);
    fft_destroy(fft);
    free(a);
    free(silence);
    free(spectrum_a);
    free(spectrum_b);
}

static void odd_sizes_are_refused(void **state)
{
    (void)state;
    const uint32_t bad[] = {0, 1, 16, 33, 48, 1000, FFT_FRAMES_MAX * 2, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        assert_null(fft_create(bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    fft_destroy(NULL);
}

static void memory_is_aligned_and_bounded(void **state)
{
    (void)state;
    float *memory = fft_alloc(3);
    assert_int_equal((uintptr_t)memory % FFT_ALIGN, 0);
    assert_true(memory[0] == 0 && memory[2] == 0);
    free(memory);
    assert_null(fft_alloc(SIZE_MAX / 2));
    assert_int_equal(errno, ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_match_the_definition),
        cmocka_unit_test(tiles_may_lie_apart),
        cmocka_unit_test(the_way_back_leads_home),
        cmocka_unit_test(signals_do_not_leak_into_each_other),
        cmocka_unit_test(odd_sizes_are_refused),
        cmocka_unit_test(memory_is_aligned_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
