#include "firmware/space_load.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "board/sound_file.h"
#include "dsp/effects/space.h"

/// What is quieter than this under the whole is not worth convolving; and the fade of a response
/// that is too long.
static const float trim_db = -110.0f;
static const double fade_seconds = 0.1;

enum { PATH_SHOWN = 120 }; ///< bytes of a path in a sentence

void space_wish_read(struct space_wish *wish,
                     void (*get)(void *context, unsigned index, struct param_value *value),
                     void *context)
{
    static const unsigned rows[] = {PARAM_REVERB_DECAY,     PARAM_REVERB_DAMPING,
                                    PARAM_REVERB_LOW_CUT,   PARAM_REVERB_HIGH_CUT,
                                    PARAM_REVERB_PRE_DELAY, PARAM_REVERB_WIDTH};
    float *const fields[] = {&wish->shape.decay,        &wish->shape.damping,
                             &wish->shape.low_cut_hz,   &wish->shape.high_cut_hz,
                             &wish->shape.pre_delay_ms, &wish->shape.width};
    struct param_value value;
    get(context, PARAM_REVERB_SPACE, &value);
    wish->space = (int)value.number;
    get(context, PARAM_REVERB_FILE, &value);
    memcpy(wish->file, value.text, sizeof wish->file);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        get(context, rows[i], &value);
        *fields[i] = (float)value.number;
    }
}

/// A sentence with the end of the path, so that a long one leaves room for the reason.
static void explain(char *said, size_t bytes, const char *path, const char *reason)
{
    const size_t length = strlen(path);
    const bool is_long = length > PATH_SHOWN;
    snprintf(said, bytes, "%s%s: %s", is_long ? "..." : "",
             is_long ? path + length - PATH_SHOWN : path, reason);
}

static struct impulse *read_file(const char *path, char *said, size_t bytes)
{
    struct sound sound = {0};
    char error[PARAM_TEXT_MAX + 200]; // begins with the path
    uint64_t most = (uint64_t)IMPULSE_SECONDS_MAX * IMPULSE_RATE_MAX_HZ;
    if (sound_file_read_all(path, most, &sound, error, sizeof error)) {
        const size_t length = strlen(path);
        const bool has_path = strncmp(error, path, length) == 0 && error[length] == ':';
        explain(said, bytes, path, has_path ? error + length + 2 : error);
        return NULL;
    }
    uint32_t channels = (uint32_t)sound.channels, rate_hz = (uint32_t)sound.rate_hz;
    enum impulse_fault fault = impulse_check(sound.samples, sound.frames, channels, rate_hz);
    struct impulse *impulse = NULL;
    if (fault != IMPULSE_OK)
        explain(said, bytes, path, impulse_fault_text(fault));
    else if (!(impulse = impulse_create(sound.samples, sound.frames, channels, rate_hz)))
        explain(said, bytes, path, strerror(errno));
    else
        snprintf(said, bytes, "%s", path);
    sound_finish(&sound);
    return impulse;
}

static struct impulse *make_space(int kind, uint32_t rate_hz, char *said, size_t bytes)
{
    uint32_t made_hz = rate_hz < SPACE_RATE_MIN_HZ ? SPACE_RATE_MIN_HZ : rate_hz;
    struct space_settings settings = space_standard((enum space_kind)kind, made_hz);
    struct impulse *impulse = space_create(&settings);
    snprintf(said, bytes, "%s", impulse ? space_name((enum space_kind)kind) : strerror(errno));
    return impulse;
}

/// Cuts off what is beyond `frames_max`, with a fade so that it does not end in a click.
static void bound_length(struct impulse *impulse, uint32_t frames_max)
{
    if (impulse->frames <= frames_max)
        return;
    impulse->frames = frames_max;
    uint32_t fade = (uint32_t)(fade_seconds * impulse->rate_hz);
    if (fade > frames_max)
        fade = frames_max;
    for (uint32_t channel = 0; channel < impulse->channels; channel++)
        for (uint32_t i = 0; i < fade; i++)
            impulse->channel[channel][frames_max - fade + i] *= 1.0f - (float)i / (float)fade;
}

/// A sample or two may vanish at another rate, and a shape may take what there was.
static bool is_silent(const struct impulse *impulse)
{
    for (uint32_t channel = 0; channel < impulse->channels; channel++)
        for (uint32_t i = 0; i < impulse->frames; i++)
            if (fabsf(impulse->channel[channel][i]) > 1e-12f)
                return false;
    return true;
}

static const char *reason_of(int status)
{
    if (status == -EFBIG)
        return "with its pre-delay it would be longer than 60 seconds";
    if (status == -ENODATA)
        return "nothing is left of it at this sample rate and in this shape";
    return strerror(-status);
}

struct response *space_load(const struct space_wish *wish, uint32_t rate_hz,
                            const struct schedule *schedule, uint32_t frames_max, char *said,
                            size_t said_bytes)
{
    struct response *response = NULL;
    struct impulse *impulse = *wish->file ? read_file(wish->file, said, said_bytes)
                                          : make_space(wish->space, rate_hz, said, said_bytes);
    if (!impulse)
        return NULL;
    int status = impulse_resample(impulse, rate_hz);
    if (!status)
        status = impulse_reshape(impulse, &wish->shape);
    if (!status && is_silent(impulse))
        status = -ENODATA;
    if (!status) {
        impulse_trim(impulse, trim_db);
        bound_length(impulse, frames_max);
        impulse_normalise(impulse);
        response = response_create(impulse, schedule);
        status = response ? 0 : -errno;
    }
    if (status)
        explain(said, said_bytes, *wish->file ? wish->file : "space", reason_of(status));
    impulse_destroy(impulse);
    return response;
}
