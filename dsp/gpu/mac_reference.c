#include "dsp/gpu/mac_reference.h"

#include <math.h>
#include <string.h>

#include "dsp/base/fft.h"

// A sum of n products of floats is off by less than n units of 2^-24 of its weight, whatever the
// order, and in practice by about the root of that; n is some hundreds.
static const double TOLERANCE = 2e-5;

RT static uint32_t partitions_at(const struct gpu_mac_shape *shape, uint64_t sequence)
{
    return sequence + 1 < shape->partitions ? (uint32_t)sequence + 1 : shape->partitions;
}

RT static const float *impulse_at(const struct gpu_mac_shape *shape,
                                  const struct gpu_mac_spectra *spectra, uint32_t path,
                                  uint32_t partition)
{
    return spectra->impulse +
           (path * (size_t)shape->partitions + partition) * gpu_mac_shape_floats(shape);
}

RT static const float *history_at(const struct gpu_mac_shape *shape,
                                  const struct gpu_mac_spectra *spectra, uint32_t input,
                                  uint64_t sequence)
{
    return spectra->history +
           (input * (size_t)spectra->rows + sequence % spectra->rows) * gpu_mac_shape_floats(shape);
}

/// Adds the product of two spectra, bin 0 like the others.
RT static void add_product(float *restrict y, const float *restrict x, const float *restrict h,
                           size_t floats)
{
    for (size_t tile = 0; tile < floats; tile += FFT_TILE_FLOATS) {
        const float *x_re = x + tile, *x_im = x_re + FFT_TILE;
        const float *h_re = h + tile, *h_im = h_re + FFT_TILE;
        float *y_re = y + tile, *y_im = y_re + FFT_TILE;
        for (int i = 0; i < FFT_TILE; i++)
            y_re[i] += x_re[i] * h_re[i] - x_im[i] * h_im[i];
        for (int i = 0; i < FFT_TILE; i++)
            y_im[i] += x_re[i] * h_im[i] + x_im[i] * h_re[i];
    }
}

RT static void add_path(const struct gpu_mac_shape *shape, const struct gpu_mac_spectra *spectra,
                        uint64_t sequence, uint32_t input, uint32_t path, float *y)
{
    // The two real numbers of bin 0 go beside the sum: there a complex product is wrong.
    float lowest = y[0], highest = y[FFT_TILE];
    uint32_t partitions = partitions_at(shape, sequence);
    for (uint32_t j = 0; j < partitions; j++) {
        const float *x = history_at(shape, spectra, input, sequence - j);
        const float *h = impulse_at(shape, spectra, path, j);
        add_product(y, x, h, gpu_mac_shape_floats(shape));
        lowest += x[0] * h[0];
        highest += x[FFT_TILE] * h[FFT_TILE];
    }
    y[0] = lowest;
    y[FFT_TILE] = highest;
}

RT void gpu_mac_reference(const struct gpu_mac_shape *shape, const struct gpu_mac_spectra *spectra,
                          uint64_t sequence, float *result)
{
    size_t floats = gpu_mac_shape_floats(shape);
    memset(result, 0, shape->outputs * floats * sizeof(float));
    for (uint32_t input = 0; input < shape->inputs; input++)
        for (uint32_t output = 0; output < shape->outputs; output++) {
            int path = gpu_mac_shape_path(shape, input, output);
            if (path >= 0)
                add_path(shape, spectra, sequence, input, (uint32_t)path, result + output * floats);
        }
}

RT static void add_term(struct gpu_mac_bin *sum, const float *x, const float *h, bool is_pair)
{
    double x_re = x[0], x_im = x[FFT_TILE], h_re = h[0], h_im = h[FFT_TILE];
    sum->re += is_pair ? x_re * h_re : x_re * h_re - x_im * h_im;
    sum->im += is_pair ? x_im * h_im : x_re * h_im + x_im * h_re;
    sum->weight += (fabs(x_re) + fabs(x_im)) * (fabs(h_re) + fabs(h_im));
}

RT struct gpu_mac_bin gpu_mac_reference_bin(const struct gpu_mac_shape *shape,
                                            const struct gpu_mac_spectra *spectra,
                                            uint64_t sequence, uint32_t output, uint32_t bin)
{
    struct gpu_mac_bin sum = {0};
    size_t at = (size_t)bin / FFT_TILE * FFT_TILE_FLOATS + bin % FFT_TILE;
    uint32_t partitions = partitions_at(shape, sequence);
    for (uint32_t input = 0; input < shape->inputs; input++) {
        int path = gpu_mac_shape_path(shape, input, output);
        for (uint32_t j = 0; path >= 0 && j < partitions; j++)
            add_term(&sum, history_at(shape, spectra, input, sequence - j) + at,
                     impulse_at(shape, spectra, (uint32_t)path, j) + at, bin == 0);
    }
    return sum;
}

RT bool gpu_mac_bin_agrees(const struct gpu_mac_bin *bin, float re, float im)
{
    // Below the smallest normal number a graphics processor may flush to zero. NaN never agrees.
    double most = TOLERANCE * bin->weight + 1e-30;
    return fabs(re - bin->re) <= most && fabs(im - bin->im) <= most;
}
