#include "dsp/effects/space.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/effects/space_inside.h"

/// What makes a kind.
struct character {
    const char *name;
    double decay_seconds, damping;
    double metres[3]; ///< length, width, height; of a plate nothing
    double early;     ///< share of the early reflections, 1: as much as a perfect decay has
    double bright_hz; ///< above it the late field is ever darker from the start
    double bass;      ///< how much longer the bass lasts
    double spacing_m; ///< of the microphones: below some frequency they hear the same
};

static const struct character characters[SPACE_KINDS] = {
    [SPACE_ROOM] = {"room", 0.5, 0.5, {5.3, 4.1, 2.8}, 1.3, 9000, 0.1, 0.3},
    [SPACE_CHAMBER] = {"chamber", 1.2, 0.45, {9.7, 6.9, 4.6}, 1.1, 10000, 0.12, 0.3},
    [SPACE_HALL] = {"hall", 2.2, 0.5, {39, 23, 16}, 1.0, 7500, 0.2, 0.4},
    [SPACE_PLATE] = {"plate", 1.8, 0.3, {0}, 0, 14000, 0.05, 0},
    [SPACE_CATHEDRAL] = {"cathedral", 6.0, 0.65, {71, 29, 26}, 0.8, 6000, 0.25, 0.5},
};

// ---- settings ----

const char *space_name(enum space_kind kind) { return characters[kind].name; }

struct space_settings space_standard(enum space_kind kind, uint32_t rate_hz)
{
    return (struct space_settings){
        .kind = kind,
        .decay_seconds = characters[kind].decay_seconds,
        .damping = characters[kind].damping,
        .size = 1,
        .channels = 4,
        .rate_hz = rate_hz,
    };
}

static bool is_within(double value, double minimum, double maximum)
{
    return value >= minimum && value <= maximum;
}

static bool is_valid(const struct space_settings *settings)
{
    return (unsigned)settings->kind < SPACE_KINDS && is_within(settings->decay_seconds, 0.1, 20) &&
           is_within(settings->damping, 0, 1) && is_within(settings->size, 0.25, 4) &&
           (settings->channels == 2 || settings->channels == 4) &&
           is_within(settings->rate_hz, SPACE_RATE_MIN_HZ, SPACE_RATE_MAX_HZ);
}

/// Smooth in frequency: longer in the bass, shorter in the treble.
static double decay_shape(const struct space_settings *settings, double hz)
{
    double bass = characters[settings->kind].bass / (1 + pow(hz / 250, 2));
    double treble = (0.05 + 1.2 * settings->damping) * hz / 6000;
    return (1 + bass) / sqrt(1 + treble * treble);
}

double space_decay_seconds(const struct space_settings *settings, double hz)
{
    return settings->decay_seconds * decay_shape(settings, hz) / decay_shape(settings, 1000);
}

// ---- the late field ----

/// Noise made frame by frame: random phases, and for each bin a size that shrinks at its own rate.
struct late {
    const struct space_settings *settings;
    const struct character *character;
    double mixing_seconds; ///< where it takes over from the early reflections
    uint32_t window_frames, bins;
    struct fft *fft;
    float *memory;
    float *window;      ///< sine: the power of two frames that overlap adds up to one
    float *size, *fall; ///< of each bin: now, and its factor from frame to frame
    float *shared;      ///< of each bin: the part that both microphones hear
    float *onset;       ///< of each bin: seconds
    float *spectrum[2];
};

static double colour(const struct character *character, double hz)
{
    double low_cut = 1 / (1 + pow(45 / hz, 4));
    return sqrt(low_cut / (1 + pow(hz / character->bright_hz, 2)));
}

/// In a field from everywhere, two microphones agree on what is longer than their distance.
static double coherence(const struct character *character, double hz)
{
    double phase = 2 * M_PI * hz * character->spacing_m / 343;
    return phase > 0 ? sin(phase) / phase : 0;
}

/// Bending waves in a plate run the faster the higher they are.
static double onset_seconds(const struct late *late, double hz)
{
    if (late->settings->kind == SPACE_PLATE)
        return fmin(0.03, 0.006 * late->settings->size * sqrt(1000 / hz));
    return 0.5 * late->mixing_seconds;
}

static void fill_bins(struct late *late)
{
    const double rate = late->settings->rate_hz;
    const double hop_seconds = 0.5 * late->window_frames / rate;
    for (uint32_t k = 1; k < late->bins; k++) {
        double hz = k * rate / late->window_frames;
        double decay = space_decay_seconds(late->settings, hz);
        late->size[k] = (float)(colour(late->character, hz) / late->window_frames);
        late->fall[k] = (float)pow(10, -3 * hop_seconds / decay);
        late->shared[k] = (float)coherence(late->character, hz);
        late->onset[k] = (float)onset_seconds(late, hz);
    }
    for (uint32_t i = 0; i < late->window_frames; i++)
        late->window[i] = (float)sin(M_PI * (i + 0.5) / late->window_frames);
}

static int late_init(struct late *late, const struct space_settings *settings,
                     double mixing_seconds)
{
    uint32_t frames = 256; // about 11 ms
    while (frames * 2 <= settings->rate_hz / 64)
        frames *= 2;
    *late = (struct late){
        .settings = settings,
        .character = &characters[settings->kind],
        .mixing_seconds = mixing_seconds,
        .window_frames = frames,
        .bins = frames / 2,
        .fft = fft_create(frames),
        .memory = fft_alloc((size_t)frames * 5),
    };
    if (!late->fft || !late->memory)
        return -ENOMEM;
    late->window = late->memory;
    late->size = late->memory + frames;
    late->fall = late->size + late->bins;
    late->shared = late->fall + late->bins;
    late->onset = late->shared + late->bins;
    late->spectrum[0] = late->onset + late->bins;
    late->spectrum[1] = late->spectrum[0] + frames;
    fill_bins(late);
    return 0;
}

static void late_finish(struct late *late)
{
    fft_destroy(late->fft);
    free(late->memory);
}

/// From 0 at the onset to 1, as power; the early reflections sink meanwhile.
static float rise(const struct late *late, float onset, double seconds)
{
    double length = late->settings->kind == SPACE_PLATE ? 0.004 : late->mixing_seconds;
    double past = (seconds - (double)onset) / length;
    return past <= 0 ? 0 : past >= 1 ? 1 : (float)sin(M_PI_2 * past);
}

static void fill_spectra(struct late *late, struct space_dice *dice, double seconds)
{
    for (uint32_t k = 1; k < late->bins; k++) {
        size_t at = (size_t)k / FFT_TILE * FFT_TILE_FLOATS + k % FFT_TILE;
        float size = late->size[k] * rise(late, late->onset[k], seconds);
        float shared = late->shared[k], apart = sqrtf(1 - shared * shared);
        float one = (float)(2 * M_PI * 0x1p-32) * (float)space_roll(dice);
        float two = (float)(2 * M_PI * 0x1p-32) * (float)space_roll(dice);
        float re = size * cosf(one), im = size * sinf(one);
        late->spectrum[0][at] = re;
        late->spectrum[0][at + FFT_TILE] = im;
        late->spectrum[1][at] = shared * re + apart * size * cosf(two);
        late->spectrum[1][at + FFT_TILE] = shared * im + apart * size * sinf(two);
        late->size[k] *= late->fall[k];
    }
}

/// Adds the late field that both microphones hear of one source.
static void late_add(struct late *late, float *const to[2], uint32_t frames, uint32_t seed)
{
    struct space_dice dice = {0xd1b54a32d192ed03u * (seed + 1)};
    const uint32_t hop = late->window_frames / 2;
    fill_bins(late);
    for (uint32_t at = 0; at + late->window_frames <= frames; at += hop) {
        const float *noise[2];
        fill_spectra(late, &dice, (double)(at + hop) / late->settings->rate_hz);
        fft_inverse(late->fft, late->spectrum[0], late->spectrum[1], &noise[0], &noise[1]);
        for (int c = 0; c < 2; c++)
            for (uint32_t i = 0; i < late->window_frames; i++)
                to[c][at + i] += late->window[i] * noise[c][i];
    }
}

// ---- early reflections ----

/// Eyring: what the walls must keep for the air to ring as long as asked.
static double wall_gain(const double metres[3], double decay_seconds)
{
    double x = metres[0], y = metres[1], z = metres[2];
    double volume = x * y * z, surface = 2 * (x * y + y * z + z * x);
    return exp(-0.5 * 0.161 * volume / (surface * decay_seconds));
}

static struct space_box make_box(const struct space_settings *settings)
{
    struct space_box box = {.wall_hz = 16000 - 11000 * settings->damping};
    for (int i = 0; i < 3; i++)
        box.metres[i] = characters[settings->kind].metres[i] * settings->size;
    if (settings->kind == SPACE_PLATE)
        return box;
    box.wall_gain = wall_gain(box.metres, settings->decay_seconds);
    // A space that is much too large for its decay has to mix sooner than its size would have it.
    box.until_seconds = 2 * fmin(space_mixing_seconds(&box), 0.05 * settings->decay_seconds);
    return box;
}

/// Energy per second that the late field would have at the start, were it there from the start.
static double late_power(const struct late *late)
{
    double power = 0;
    for (uint32_t k = 1; k < late->bins; k++)
        power +=
            pow(colour(late->character, k * (double)late->settings->rate_hz / late->window_frames) /
                    late->window_frames,
                2);
    return 2 * power * late->settings->rate_hz;
}

/// Early reflections carry what the perfect decay would in their time, so that all decays as one.
static int add_early(struct impulse *impulse, const struct late *late, const struct space_box *box,
                     uint32_t channel, float *work)
{
    const struct space_settings *settings = late->settings;
    const double rate = 2 * 6.9078 / settings->decay_seconds;
    int source = settings->channels == 4 ? (int)channel / 2 : (int)channel;
    int microphone = settings->channels == 4 ? (int)channel % 2 : (int)channel;
    memset(work, 0, impulse->frames * sizeof *work);
    int status =
        space_add_reflections(work, impulse->frames, settings->rate_hz, box, source, microphone);
    double energy = 0;
    for (uint32_t i = 0; i < impulse->frames; i++)
        energy += (double)work[i] * (double)work[i];
    double wanted = late_power(late) * (1 - exp(-rate * box->until_seconds / 2)) / rate;
    double gain = energy > 0 ? sqrt(wanted / energy) * late->character->early : 0;
    for (uint32_t i = 0; i < impulse->frames; i++)
        impulse->channel[channel][i] += (float)gain * work[i];
    return status;
}

// ---- all of it ----

static uint32_t length_frames(const struct space_settings *settings)
{
    double seconds = 1.25 * space_decay_seconds(settings, 60) + 0.2;
    return (uint32_t)(fmin(seconds, IMPULSE_SECONDS_MAX) * settings->rate_hz);
}

static int fill(struct impulse *impulse, const struct space_settings *settings)
{
    struct space_box box = make_box(settings);
    struct late late;
    float *work = malloc(impulse->frames * sizeof *work);
    int status = late_init(&late, settings, box.until_seconds / 2);
    if (!work)
        status = -ENOMEM;
    for (uint32_t c = 0; c < settings->channels && !status; c++)
        if (settings->kind != SPACE_PLATE)
            status = add_early(impulse, &late, &box, c, work);
    if (!status && settings->channels == 4)
        for (uint32_t source = 0; source < 2; source++)
            late_add(&late, &impulse->channel[(size_t)2 * source], impulse->frames, source);
    else if (!status)
        late_add(&late, impulse->channel, impulse->frames, 0);
    late_finish(&late);
    free(work);
    return status;
}

struct impulse *space_create(const struct space_settings *settings)
{
    if (!is_valid(settings)) {
        errno = EINVAL;
        return NULL;
    }
    struct impulse *impulse =
        impulse_create_silent(length_frames(settings), settings->channels, settings->rate_hz);
    int status = impulse ? fill(impulse, settings) : -ENOMEM;
    if (status) {
        impulse_destroy(impulse);
        errno = -status;
        return NULL;
    }
    impulse_trim(impulse, -100);
    impulse_normalise(impulse);
    return impulse;
}
