#include "dsp/base/fft.h"

#include <errno.h>
#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Four floats: what every processor has registers for.
typedef float quad __attribute__((vector_size(16)));

enum {
    // Arrays whose distance is a power of two fight for the same few places of the cache.
    PAD = 3 * FFT_TILE,
};

struct fft {
    uint32_t frames;
    fftwf_plan plan;     ///< forward; with real and imaginary parts exchanged, backward
    float *time[2];      ///< of the inverse: the two signals
    float *frequency[2]; ///< real and imaginary parts, one guard bin at N that stands for bin 0
    float *memory;
};

// FFTW's planner, unlike its transforms, is for one thread at a time.
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

float *fft_alloc(size_t count)
{
    void *memory = NULL;
    int status = count > SIZE_MAX / sizeof(float) - FFT_TILE
                     ? ENOMEM
                     : posix_memalign(&memory, FFT_ALIGN, (count ? count : 1) * sizeof(float));
    if (status) {
        errno = status;
        return NULL;
    }
    return memset(memory, 0, count * sizeof(float));
}

static fftwf_plan plan(const struct fft *fft)
{
    fftwf_iodim dimension = {.n = (int)fft->frames, .is = 1, .os = 1};
    pthread_mutex_lock(&planner);
    fftwf_plan made = fftwf_plan_guru_split_dft(1, &dimension, 0, NULL, fft->time[0], fft->time[1],
                                                fft->frequency[0], fft->frequency[1],
                                                FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    pthread_mutex_unlock(&planner);
    return made;
}

struct fft *fft_create(uint32_t frames)
{
    if (frames < FFT_FRAMES_MIN || frames > FFT_FRAMES_MAX || (frames & (frames - 1))) {
        errno = EINVAL;
        return NULL;
    }
    struct fft *fft = calloc(1, sizeof *fft);
    float *memory = fft_alloc(4 * ((size_t)frames + PAD));
    if (!fft || !memory) {
        free(memory);
        free(fft);
        errno = ENOMEM;
        return NULL;
    }
    *fft = (struct fft){.frames = frames, .memory = memory};
    for (int i = 0; i < 2; i++) {
        fft->time[i] = memory + (size_t)i * (frames + PAD);
        fft->frequency[i] = memory + (size_t)(i + 2) * (frames + PAD);
    }
    fft->plan = plan(fft);
    if (!fft->plan) {
        fft_destroy(fft);
        errno = ENOMEM;
        return NULL;
    }
    return fft;
}

void fft_destroy(struct fft *fft)
{
    if (!fft)
        return;
    pthread_mutex_lock(&planner);
    if (fft->plan)
        fftwf_destroy_plan(fft->plan);
    pthread_mutex_unlock(&planner);
    free(fft->memory);
    free(fft);
}

// The transform Z of a + ib holds both spectra: with Y(k) = conj Z(N - k),
//   A = (Z + Y) / 2,   B = (Z - Y) / 2i.

RT static inline quad load(const float *from)
{
    quad value;
    memcpy(&value, from, sizeof value);
    return value;
}

RT static inline void store(float *to, quad value) { memcpy(to, &value, sizeof value); }

RT static inline quad reverse(quad value)
{
    return __builtin_shufflevector(value, value, 3, 2, 1, 0);
}

RT void fft_forward(struct fft *fft, const float *a, const float *b, float *spectrum_a,
                    float *spectrum_b, size_t stride)
{
    const uint32_t frames = fft->frames, half = frames / 2;
    float *re = fft->frequency[0], *im = fft->frequency[1];
    // FFTW takes its input as not const; FFTW_PRESERVE_INPUT has it untouched.
    fftwf_execute_split_dft(fft->plan, (float *)a, (float *)b, re, im);
    re[frames] = re[0];
    im[frames] = im[0];
    for (uint32_t k = 0; k < half; k += 4) {
        quad z_re = load(re + k), y_re = reverse(load(re + frames - k - 3));
        quad z_im = load(im + k), y_im = reverse(load(im + frames - k - 3));
        size_t at = k / FFT_TILE * stride + k % FFT_TILE;
        store(spectrum_a + at, 0.5f * (z_re + y_re));
        store(spectrum_a + at + FFT_TILE, 0.5f * (z_im - y_im));
        if (!spectrum_b)
            continue;
        store(spectrum_b + at, 0.5f * (z_im + y_im));
        store(spectrum_b + at + FFT_TILE, 0.5f * (y_re - z_re));
    }
    spectrum_a[FFT_TILE] = re[half];
    if (spectrum_b)
        spectrum_b[FFT_TILE] = im[half];
}

RT void fft_inverse(struct fft *fft, const float *spectrum_a, const float *spectrum_b,
                    const float **a, const float **b)
{
    const uint32_t frames = fft->frames, half = frames / 2;
    float *re = fft->frequency[0], *im = fft->frequency[1];
    for (uint32_t k = 0; k < half; k += 4) {
        size_t at = (size_t)k / FFT_TILE * FFT_TILE_FLOATS + k % FFT_TILE;
        quad a_re = load(spectrum_a + at), a_im = load(spectrum_a + at + FFT_TILE);
        quad b_re = load(spectrum_b + at), b_im = load(spectrum_b + at + FFT_TILE);
        store(re + k, a_re - b_im);
        store(im + k, a_im + b_re);
        store(re + frames - k - 3, reverse(a_re + b_im));
        store(im + frames - k - 3, reverse(b_re - a_im));
    }
    re[0] = spectrum_a[0];
    im[0] = spectrum_b[0];
    re[half] = spectrum_a[FFT_TILE];
    im[half] = spectrum_b[FFT_TILE];
    fftwf_execute_split_dft(fft->plan, im, re, fft->time[1], fft->time[0]);
    *a = fft->time[0];
    *b = fft->time[1];
}
