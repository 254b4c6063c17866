#include "firmware/render_job.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "board/sound_file.h"
#include "dsp/engine/chain.h"
#include "dsp/engine/engine.h"
#include "firmware/render_sink.h"
#include "firmware/space_load.h"

enum {
    PIECE_SOURCE = 1,
    LEAD_IN_MS = 100, // the engine runs this long before the piece, so that all levels have settled
    PERIOD_MAX = 8192,
};

struct job {
    const struct render_settings *settings;
    const struct smf *piece;
    const char *path;
    struct engine *engine;
    struct render_sink sink;
    uint64_t pause_frames; ///< silence that ends the piece: no echo is still on its way
    float left[PERIOD_MAX], right[PERIOD_MAX];
    char *error;
    size_t error_bytes;
};

// The sentence begins with the sound file that will not be.
__attribute__((format(printf, 3, 4))) static int fail(struct job *job, int status,
                                                      const char *reason, ...)
{
    va_list values;
    va_start(values, reason);
    const int used = snprintf(job->error, job->error_bytes, "%s: ", job->path);
    if (used >= 0 && (size_t)used < job->error_bytes)
        vsnprintf(job->error + used, job->error_bytes - (size_t)used, reason, values);
    va_end(values);
    return status;
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool push_param(struct job *job, int ring, unsigned index, double value)
{
    struct event event = {.frame = EVENT_NOW, .type = EVENT_PARAM};
    event.param.index = (uint16_t)index;
    event.param.value = (float)value;
    return engine_push(job->engine, ring, &event);
}

// Everything that the config file says of the engine, at once and before the piece.
static bool push_params(struct job *job, int ring)
{
    const struct config_values *values = job->settings->values;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        const uint8_t flags = param_row(index)->flags;
        const bool is_settable = (flags & PARAM_FLAG_ENGINE) && !(flags & PARAM_FLAG_STATE);
        if (is_settable && values->is_set[index] &&
            !push_param(job, ring, index, values->value[index].number))
            return false;
    }
    for (int i = 0; i < CHAIN_SWITCHES && !job->settings->has_effects; i++)
        if (!push_param(job, ring, chain_switches[i], 0))
            return false;
    return true;
}

static void get_value(void *context, unsigned index, struct param_value *value)
{
    const struct config_values *values = context;
    *value = values->value[index];
}

/// The space that the reverb plays in; its tail is computed exactly, however long that takes.
static int set_space(struct job *job)
{
    const struct config_values *values = job->settings->values;
    if (!job->settings->has_effects || values->value[PARAM_REVERB_ON].number == 0)
        return 0;
    char said[300];
    struct space_wish wish;
    struct schedule schedule = engine_space_schedule(job->engine);
    space_wish_read(&wish, get_value, (void *)(uintptr_t)values);
    struct response *response = space_load(&wish, (uint32_t)job->settings->rate_hz, &schedule,
                                           engine_space_frames_max(job->engine), said, sizeof said);
    if (!response)
        return fail(job, -EINVAL, "reverb: %s", said);
    int status = engine_set_space(job->engine, response);
    response_drop(response);
    return status ? fail(job, status, "cannot set up the reverb: %s", strerror(-status)) : 0;
}

static int create_engine(struct job *job)
{
    const struct render_settings *settings = job->settings;
    const struct engine_settings engine_settings = {
        .sample_rate_hz = settings->rate_hz,
        .max_frames = settings->period_frames,
        .shards = (int)settings->values->value[PARAM_SYNTH_SHARDS].number,
        .polyphony = (int)settings->values->value[PARAM_SYNTH_POLYPHONY].number,
        .workers = settings->workers,
        .modes = (int)settings->values->value[PARAM_RESONANCE_MODES].number,
    };
    job->engine = engine_create(&engine_settings);
    if (!job->engine)
        return fail(job, -errno, "cannot make an engine: %s", strerror(errno));
    int ring = engine_open_ring(job->engine, PARAM_COUNT + 1);
    int status = ring < 0 ? ring : engine_set_font(job->engine, settings->font);
    if (status < 0)
        return fail(job, status, "cannot set up the engine: %s", strerror(-status));
    if (!push_params(job, ring))
        return fail(job, -ENOSPC, "cannot set up the engine: too many parameters");
    return set_space(job);
}

static int run(struct job *job, uint32_t frames)
{
    float *const out[2] = {job->left, job->right};
    engine_run(job->engine, out, frames);
    int status = render_sink_take(&job->sink, out, frames);
    return status ? fail(job, status, "%s", sound_file_error(job->sink.file)) : 0;
}

static int run_lead_in(struct job *job, uint64_t frames)
{
    int status = 0;
    for (uint64_t done = 0; done < frames && !status;) {
        const uint64_t left = frames - done, period = job->settings->period_frames;
        const uint32_t now = (uint32_t)(left < period ? left : period);
        status = run(job, now);
        done += now;
    }
    return status;
}

// The piece is over when it has been played and written, no voice sounds, and what the engine
// still held back has come out silent.
static bool is_over(struct job *job)
{
    struct engine_state state;
    engine_read_state(job->engine, &state);
    if (state.is_playing || job->sink.body_frames)
        return false;
    const bool is_silent = state.voices == 0 && job->sink.silence > job->pause_frames;
    return job->sink.tail_frames == 0 || is_silent;
}

static int run_piece(struct job *job, _Atomic int *permille)
{
    const double whole_frames = (double)job->sink.body_frames + 1;
    int status = 0;
    while (!status && !is_over(job)) {
        status = run(job, job->settings->period_frames);
        atomic_store_explicit(permille,
                              (int)(1000 - 1000 * (double)job->sink.body_frames / whole_frames),
                              memory_order_relaxed);
    }
    return status;
}

static int play(struct job *job, _Atomic int *permille)
{
    const double rate_hz = job->settings->rate_hz;
    const uint64_t lead_in = (uint64_t)(rate_hz * LEAD_IN_MS / 1000);
    // Echoes come up to 2 s after what they answer.
    job->pause_frames = engine_latency_frames(job->engine) +
                        (job->settings->has_effects ? 2 * (uint64_t)job->settings->rate_hz : 0);
    job->sink.skip_frames = lead_in + engine_latency_frames(job->engine);
    job->sink.body_frames = (uint64_t)llround((double)job->piece->length_ns * rate_hz * 1e-9);
    job->sink.tail_frames = (uint64_t)(job->settings->tail_seconds * rate_hz);
    job->sink.fade_frames = (uint64_t)(rate_hz / 2);
    if (job->sink.fade_frames > job->sink.tail_frames)
        job->sink.fade_frames = job->sink.tail_frames;
    int status = run_lead_in(job, lead_in);
    if (status)
        return status;
    status = engine_play(job->engine, job->piece, PIECE_SOURCE, lead_in);
    if (status)
        return fail(job, status, "cannot play: %s", strerror(-status));
    status = run(job, job->settings->period_frames);
    return status ? status : run_piece(job, permille);
}

static int write_file(struct job *job, _Atomic int *permille)
{
    job->sink.file = sound_file_create(job->path, job->settings->rate_hz, 2, SOUND_24_BIT,
                                       job->error, job->error_bytes);
    if (!job->sink.file)
        return -errno;
    int status = play(job, permille);
    if (!status && (status = render_sink_finish(&job->sink)))
        fail(job, status, "%s", sound_file_error(job->sink.file));
    int closed = sound_file_close(job->sink.file);
    if (!status && closed)
        status = fail(job, closed, "the end of the file could not be written");
    if (status)
        unlink(job->path);
    return status;
}

static void fill_in(const struct job *job, struct render_result *result)
{
    struct engine_state state;
    engine_read_state(job->engine, &state);
    result->frames = job->sink.frames;
    result->clips = job->sink.clips;
    result->peak_db = 20 * log10((double)job->sink.peak);
    result->is_faded_out = job->sink.tail_frames == 0 && state.voices > 0;
}

int render_job_run(const struct render_settings *settings, const struct smf *piece,
                   const char *path, _Atomic int *permille, struct render_result *result,
                   char *error, size_t error_bytes)
{
    const double start = now_seconds();
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        snprintf(error, error_bytes, "%s: out of memory", path);
        return -ENOMEM;
    }
    job->settings = settings;
    job->piece = piece;
    job->path = path;
    job->error = error;
    job->error_bytes = error_bytes;
    int status = create_engine(job);
    if (!status)
        status = write_file(job, permille);
    if (!status)
        fill_in(job, result);
    result->wall_seconds = now_seconds() - start;
    engine_destroy(job->engine);
    free(job);
    return status;
}
