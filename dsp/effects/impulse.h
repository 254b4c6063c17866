/// An impulse response in memory: how a space answers one clap, sample by sample.
///
/// Owner: whoever creates it. Thread: any but the audio thread. An impulse comes from a file or
/// from the generator (`space.h`), is shaped, and is then cut for convolution (`response.h`).
#ifndef CONSORT_DSP_EFFECTS_IMPULSE_H
#define CONSORT_DSP_EFFECTS_IMPULSE_H

#include <stdint.h>

enum {
    IMPULSE_CHANNELS_MAX = 4,
    IMPULSE_RATE_MIN_HZ = 8000,
    IMPULSE_RATE_MAX_HZ = 384000,
    IMPULSE_SECONDS_MAX = 60,
};

/// Channels: 1 the same for left and right; 2 left to left, right to right; 4 "true stereo": left
/// to left, left to right, right to left, right to right.
struct impulse {
    uint32_t channels;
    uint32_t rate_hz;
    uint32_t frames;
    float *channel[IMPULSE_CHANNELS_MAX]; ///< `frames` each
};

/// What is wrong with samples that were offered as an impulse response.
enum impulse_fault {
    IMPULSE_OK,
    IMPULSE_BAD_CHANNELS,
    IMPULSE_BAD_RATE,
    IMPULSE_EMPTY,
    IMPULSE_TOO_LONG,
    IMPULSE_NOT_FINITE, ///< NaN, infinite, or beyond +-1e6
    IMPULSE_SILENT,
};

/// One sentence for a person, with the allowed range. Static text.
const char *impulse_fault_text(enum impulse_fault fault);

/// Looks at interleaved samples before anything is made of them. One frame is allowed: a gain.
enum impulse_fault impulse_check(const float *samples, uint64_t frames, uint32_t channels,
                                 uint32_t rate_hz);

/// Copies interleaved samples. Returns NULL with errno: EINVAL where `impulse_check` finds a fault,
/// ENOMEM.
struct impulse *impulse_create(const float *samples, uint64_t frames, uint32_t channels,
                               uint32_t rate_hz);

/// All silent, for a generator to fill. Returns NULL with errno: EINVAL, ENOMEM.
struct impulse *impulse_create_silent(uint32_t frames, uint32_t channels, uint32_t rate_hz);

/// NULL is welcome.
void impulse_destroy(struct impulse *impulse);

/// Converts to another sample rate, IMPULSE_RATE_MIN_HZ..IMPULSE_RATE_MAX_HZ; sounds as loud and as
/// long as before. Returns 0, -EINVAL, or -ENOMEM with the impulse as it was.
int impulse_resample(struct impulse *impulse, uint32_t rate_hz);

/// How a person bends a response. IMPULSE_AS_IT_IS changes nothing, to the bit.
struct impulse_shape {
    float decay;        ///< 0.1..1: reverberation time, as a share of what it was
    float damping;      ///< 0..1: how much sooner the treble (above 2 kHz) decays
    float low_cut_hz;   ///< 20..2000, 20 is off; 12 dB per octave
    float high_cut_hz;  ///< 500..20000, 20000 is off; 12 dB per octave
    float pre_delay_ms; ///< 0..500
    float width;        ///< 0 (left = right) .. 1 (as it is) .. 2; no effect on one channel
};

#define IMPULSE_AS_IT_IS                                                                           \
    ((struct impulse_shape){.decay = 1, .low_cut_hz = 20, .high_cut_hz = 20000, .width = 1})

/// Bends the response; values beyond their range count as its end, NaN as "as it is". Returns 0,
/// -ENOMEM, or -EFBIG when the pre-delay would make it too long; the impulse is then as it was.
int impulse_reshape(struct impulse *impulse, const struct impulse_shape *shape);

/// Cuts off the end, from where no more than `floor_db` (say -110) of the whole energy follows.
/// Keeps one frame at least.
void impulse_trim(struct impulse *impulse, float floor_db);

/// Scales so that music comes out as loud as it goes in: energy counts between 100 Hz and 2.5 kHz,
/// where music has most of it, as the mean over both outputs.
void impulse_normalise(struct impulse *impulse);

/// Seconds for a decay of 60 dB, extrapolated from the fall from -5 to -25 dB of what is left of
/// the energy (Schroeder 1965; T20 of ISO 3382-1); the mean over channels. 0 when it cannot be
/// told.
double impulse_decay_seconds(const struct impulse *impulse);

#endif
