#include "dsp/effects/impulse.h"

#include <errno.h>
#include <math.h>
#include <samplerate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const float largest_sample = 1e6f;

// ---- faults ----

const char *impulse_fault_text(enum impulse_fault fault)
{
    switch (fault) {
    case IMPULSE_OK:
        return "the impulse response is good";
    case IMPULSE_BAD_CHANNELS:
        return "an impulse response has 1, 2 or 4 channels (mono, stereo, true stereo)";
    case IMPULSE_BAD_RATE:
        return "the sample rate of an impulse response is 8000 to 384000 Hz";
    case IMPULSE_EMPTY:
        return "the impulse response has no samples";
    case IMPULSE_TOO_LONG:
        return "an impulse response is at most 60 seconds long";
    case IMPULSE_NOT_FINITE:
        return "the impulse response has samples that are no numbers, or beyond +-1000000";
    case IMPULSE_SILENT:
        return "the impulse response is silent";
    }
    return "unknown fault";
}

static enum impulse_fault check_shape(uint64_t frames, uint32_t channels, uint32_t rate_hz)
{
    if (channels != 1 && channels != 2 && channels != 4)
        return IMPULSE_BAD_CHANNELS;
    if (rate_hz < IMPULSE_RATE_MIN_HZ || rate_hz > IMPULSE_RATE_MAX_HZ)
        return IMPULSE_BAD_RATE;
    if (frames == 0)
        return IMPULSE_EMPTY;
    return frames > (uint64_t)IMPULSE_SECONDS_MAX * rate_hz ? IMPULSE_TOO_LONG : IMPULSE_OK;
}

enum impulse_fault impulse_check(const float *samples, uint64_t frames, uint32_t channels,
                                 uint32_t rate_hz)
{
    enum impulse_fault fault = check_shape(frames, channels, rate_hz);
    if (fault)
        return fault;
    bool is_silent = true;
    for (uint64_t i = 0; i < frames * channels; i++) {
        if (!(fabsf(samples[i]) <= largest_sample)) // a NaN compares false
            return IMPULSE_NOT_FINITE;
        is_silent &= fabsf(samples[i]) < 1e-12f;
    }
    return is_silent ? IMPULSE_SILENT : IMPULSE_OK;
}

// ---- life ----

struct impulse *impulse_create_silent(uint32_t frames, uint32_t channels, uint32_t rate_hz)
{
    if (check_shape(frames, channels, rate_hz)) {
        errno = EINVAL;
        return NULL;
    }
    struct impulse *impulse = calloc(1, sizeof *impulse);
    if (!impulse)
        return NULL;
    *impulse = (struct impulse){.channels = channels, .rate_hz = rate_hz, .frames = frames};
    for (uint32_t c = 0; c < channels; c++) {
        impulse->channel[c] = calloc(frames, sizeof(float));
        if (!impulse->channel[c]) {
            impulse_destroy(impulse);
            errno = ENOMEM;
            return NULL;
        }
    }
    return impulse;
}

struct impulse *impulse_create(const float *samples, uint64_t frames, uint32_t channels,
                               uint32_t rate_hz)
{
    if (impulse_check(samples, frames, channels, rate_hz)) {
        errno = EINVAL;
        return NULL;
    }
    struct impulse *impulse = impulse_create_silent((uint32_t)frames, channels, rate_hz);
    for (uint32_t c = 0; impulse && c < channels; c++)
        for (uint32_t i = 0; i < impulse->frames; i++)
            impulse->channel[c][i] = samples[(size_t)i * channels + c];
    return impulse;
}

void impulse_destroy(struct impulse *impulse)
{
    if (!impulse)
        return;
    for (int c = 0; c < IMPULSE_CHANNELS_MAX; c++)
        free(impulse->channel[c]);
    free(impulse);
}

// ---- sample rate ----

/// Converts one channel into `to`, of exactly `to_frames`. A response is a density over time: with
/// more samples in a second each of them weighs less.
static int convert(const float *from, uint32_t from_frames, float *to, uint32_t to_frames,
                   double ratio)
{
    SRC_DATA data = {.data_in = from,
                     .data_out = to,
                     .input_frames = from_frames,
                     .output_frames = to_frames,
                     .src_ratio = ratio};
    if (src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1))
        return -ENOMEM;
    for (uint32_t i = 0; i < to_frames; i++)
        to[i] = (float)(to[i] / ratio);
    return 0;
}

int impulse_resample(struct impulse *impulse, uint32_t rate_hz)
{
    if (rate_hz < IMPULSE_RATE_MIN_HZ || rate_hz > IMPULSE_RATE_MAX_HZ)
        return -EINVAL;
    if (rate_hz == impulse->rate_hz)
        return 0;
    double ratio = (double)rate_hz / impulse->rate_hz;
    uint64_t ticks = (uint64_t)impulse->frames * rate_hz; // exact: 60 s must not become more
    uint32_t frames = (uint32_t)((ticks + impulse->rate_hz - 1) / impulse->rate_hz);
    struct impulse *made = impulse_create_silent(frames, impulse->channels, rate_hz);
    int status = made ? 0 : -ENOMEM;
    for (uint32_t c = 0; c < impulse->channels && !status; c++)
        status = convert(impulse->channel[c], impulse->frames, made->channel[c], frames, ratio);
    if (!status) {
        struct impulse old = *impulse;
        *impulse = *made;
        *made = old;
    }
    impulse_destroy(made);
    return status;
}
