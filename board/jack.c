#include <errno.h>
#include <jack/jack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "board/jack_inside.h"

static struct {
    void (*line)(void *data, const char *line);
    void *data;
} log_to;

/// libjack complains aloud about a server that is not there, which to a probe is an answer.
static _Thread_local bool is_probing;

static void log_line(const char *line)
{
    if (log_to.line && !is_probing)
        log_to.line(log_to.data, line);
}

static void drop_line(const char *line) { (void)line; }

void audio_set_log(void (*log)(void *data, const char *line), void *data)
{
    log_to.line = log;
    log_to.data = data;
    jack_set_error_function(log_line);
    jack_set_info_function(drop_line);
}

static jack_client_t *open_client(const char *name, const char *server, jack_status_t *status)
{
    return server ? jack_client_open(name, JackNoStartServer | JackServerName, status, server)
                  : jack_client_open(name, JackNoStartServer, status);
}

bool audio_probe(const char *server)
{
    jack_status_t status;
    is_probing = true;
    jack_client_t *client = open_client("consort-probe", server, &status);
    if (client)
        jack_client_close(client);
    is_probing = false;
    return client != NULL;
}

// JACK's notification thread calls these five.

static int on_xrun(void *data)
{
    struct audio *audio = data;
    atomic_fetch_add(&audio->xruns, 1);
    atomic_store(&audio->has_gap, true);
    return 0;
}

static void on_shutdown(jack_status_t status, const char *reason, void *data)
{
    (void)status, (void)reason;
    struct audio *audio = data;
    atomic_store(&audio->is_lost, true);
    jack_wiring_mark(audio);
}

static void on_port(jack_port_id_t port, int is_registered, void *data)
{
    (void)port, (void)is_registered;
    jack_wiring_mark(data);
}

static void on_connection(jack_port_id_t a, jack_port_id_t b, int is_connected, void *data)
{
    (void)a, (void)b, (void)is_connected;
    jack_wiring_mark(data);
}

/// What we add: a sound leaves the engine's look-ahead after the event that caused it.
static void on_latency(jack_latency_callback_mode_t mode, void *data)
{
    struct audio *audio = data;
    uint32_t own_frames = atomic_load(&audio->engine_latency_frames);
    jack_latency_range_t range = {own_frames, own_frames};
    if (mode == JackCaptureLatency) {
        jack_port_set_latency_range(audio->out[0], mode, &range);
        jack_port_set_latency_range(audio->out[1], mode, &range);
        return;
    }
    jack_port_get_latency_range(audio->out[0], mode, &range);
    range.min += own_frames;
    range.max += own_frames;
    for (int i = 0; i < INPUTS; i++)
        if (atomic_load(&audio->inputs[i].state) == INPUT_PLAYING)
            jack_port_set_latency_range(audio->inputs[i].port, mode, &range);
}

static int register_outputs(struct audio *audio)
{
    static const char *const names[2] = {"out_left", "out_right"};
    for (int i = 0; i < 2; i++) {
        audio->out[i] = jack_port_register(audio->client, names[i], JACK_DEFAULT_AUDIO_TYPE,
                                           JackPortIsOutput | JackPortIsTerminal, 0);
        if (!audio->out[i])
            return -EIO;
    }
    return 0;
}

static int connect_to_server(struct audio *audio, const struct audio_settings *settings)
{
    jack_status_t status;
    audio->client = open_client(settings->client, settings->server, &status);
    if (!audio->client)
        return -ECONNREFUSED;
    audio->rate_hz = jack_get_sample_rate(audio->client);
    atomic_store(&audio->period_frames, jack_get_buffer_size(audio->client));
    jack_set_process_callback(audio->client, jack_process_period, audio);
    jack_set_xrun_callback(audio->client, on_xrun, audio);
    jack_set_port_registration_callback(audio->client, on_port, audio);
    jack_set_port_connect_callback(audio->client, on_connection, audio);
    jack_set_latency_callback(audio->client, on_latency, audio);
    jack_on_info_shutdown(audio->client, on_shutdown, audio);
    return register_outputs(audio);
}

static int open_all(struct audio *audio, const struct audio_settings *settings, char *error,
                    size_t bytes)
{
    int code = jack_wiring_init(&audio->wiring, &settings->wiring, error, bytes);
    if (code != 0)
        return code;
    audio->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    code = audio->wake < 0 ? -errno : connect_to_server(audio, settings);
    if (code != 0)
        snprintf(error, bytes, "no JACK server \"%s\" takes us as a client: %s",
                 settings->server ? settings->server : "default", strerror(-code));
    return code;
}

struct audio *audio_open(const struct audio_settings *settings, char *error, size_t bytes)
{
    struct audio *audio = calloc(1, sizeof *audio);
    if (!audio) {
        snprintf(error, bytes, "no memory");
        return NULL;
    }
    audio->wake = -1;
    audio->sources = settings->sources;
    audio->clock = settings->clock;
    audio->recorder = settings->recorder;
    int code = open_all(audio, settings, error, bytes);
    if (code == 0)
        return audio;
    audio_close(audio);
    errno = -code;
    return NULL;
}

double audio_rate_hz(const struct audio *audio) { return audio->rate_hz; }

uint32_t audio_period_frames(const struct audio *audio)
{
    return atomic_load(&audio->period_frames);
}

const char *audio_client_name(const struct audio *audio)
{
    return jack_get_client_name(audio->client);
}

int audio_start(struct audio *audio, struct engine *engine, int ring, uint32_t max_frames)
{
    struct engine_state state;
    engine_read_state(engine, &state);
    audio->engine = engine;
    audio->ring = ring;
    audio->max_frames = max_frames;
    atomic_store(&audio->engine_latency_frames, engine_latency_frames(engine));
    audio->frame = state.frame;
    audio->dll = (struct dll){.period_frames = 0};
    if (jack_wiring_open(audio) != 0)
        return -EIO;
    if (jack_activate(audio->client) != 0)
        return -EIO;
    audio->is_active = true;
    jack_wiring_mark(audio);
    return 0;
}

void audio_stop(struct audio *audio)
{
    if (audio->is_active)
        jack_deactivate(audio->client);
    audio->is_active = false;
    if (audio->engine)
        jack_wiring_close(audio);
    audio->engine = NULL;
    clock_stop(audio->clock);
}

void audio_close(struct audio *audio)
{
    if (!audio)
        return;
    audio_stop(audio);
    if (audio->client)
        jack_client_close(audio->client);
    if (audio->wake >= 0)
        close(audio->wake);
    jack_wiring_finish(&audio->wiring);
    free(audio);
}

int audio_descriptor(const struct audio *audio) { return audio->wake; }

void audio_read_state(const struct audio *audio, struct audio_state *state)
{
    *state = (struct audio_state){
        .is_lost = atomic_load(&audio->is_lost),
        .callbacks = atomic_load(&audio->callbacks),
        .period_frames = atomic_load(&audio->period_frames),
        .xruns = atomic_load(&audio->xruns),
        .lost_events = atomic_load(&audio->lost_events),
        .load = atomic_load(&audio->load),
    };
    state->is_running = audio->is_active && !state->is_lost;
    state->latency_frames = state->period_frames;
    if (!state->is_running)
        return;
    jack_latency_range_t range;
    jack_port_get_latency_range(audio->out[0], JackPlaybackLatency, &range);
    state->latency_frames += range.max + atomic_load(&audio->engine_latency_frames);
}
