#include <errno.h>
#include <jack/jack.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "board/jack_inside.h"

enum { OUTPUT_PORTS_MAX = 64, LOOKS = 3 };

static const int64_t LOOK_NS = 100000000; // longer than most periods

void jack_wiring_mark(struct audio *audio)
{
    uint64_t one = 1;
    atomic_store(&audio->is_dirty, true);
    // Fails only after 2^64 marks that nobody looked at.
    (void)!write(audio->wake, &one, sizeof one);
}

static bool is_from_sequencer(const char *name)
{
    return strncmp(name, "system:midi_", 12) == 0 || strstr(name, "a2j") != NULL;
}

/// Whether any name of the port matches; the second names of JACK's own MIDI ports are the ones
/// that people know.
static bool port_matches(const jack_port_t *port, const struct pattern *pattern)
{
    char names[2][NAME_BYTES];
    char *aliases[2] = {names[0], names[1]};
    int count = jack_port_get_aliases(port, aliases);
    for (int i = 0; i < count; i++)
        if (pattern_matches(pattern, names[i]))
            return true;
    return pattern_matches(pattern, jack_port_name(port));
}

static bool is_wanted(const struct audio *audio, const char *name)
{
    const struct wiring *wiring = &audio->wiring;
    const jack_port_t *port = jack_port_by_name(audio->client, name);
    if (!port || jack_port_is_mine(audio->client, port))
        return false;
    if (wiring->skips_sequencer && is_from_sequencer(name))
        return false;
    if (wiring->connect.kind != PATTERN_EMPTY && !port_matches(port, &wiring->connect))
        return false;
    return !port_matches(port, &wiring->ignore);
}

static int open_port(struct audio *audio, struct input *input)
{
    char name[32] = "midi_in";
    int number = (int)(input - audio->inputs);
    if (number != OPEN_INPUT)
        snprintf(name, sizeof name, "midi_in_%d", number);
    input->port =
        jack_port_register(audio->client, name, JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 0);
    return input->port ? 0 : -EIO;
}

/// Takes a free input into use; from here on the audio thread reads it.
static int open_input(struct audio *audio, struct input *input, const char *origin)
{
    bool is_keyboard = input != &audio->inputs[OPEN_INPUT];
    int source = audio->sources.open(audio->sources.data, origin, is_keyboard);
    if (source < 0)
        return source;
    if (open_port(audio, input) != 0) {
        audio->sources.close(audio->sources.data, source);
        return -EIO;
    }
    input->source = (uint16_t)source;
    input->connections = 0;
    snprintf(input->origin, sizeof input->origin, "%s", origin);
    atomic_store(&input->must_release, false);
    atomic_store_explicit(&input->state, INPUT_PLAYING, memory_order_release);
    return 0;
}

static void free_input(struct audio *audio, struct input *input)
{
    if (!atomic_load(&audio->is_lost))
        jack_port_unregister(audio->client, input->port);
    audio->sources.close(audio->sources.data, input->source);
    atomic_store(&input->state, INPUT_FREE);
}

static struct input *find_input(struct audio *audio, const char *origin)
{
    for (int i = OPEN_INPUT + 1; i < INPUTS; i++)
        if (atomic_load(&audio->inputs[i].state) != INPUT_FREE &&
            strcmp(audio->inputs[i].origin, origin) == 0)
            return &audio->inputs[i];
    return NULL;
}

static struct input *find_free_input(struct audio *audio)
{
    for (int i = OPEN_INPUT + 1; i < INPUTS; i++)
        if (atomic_load(&audio->inputs[i].state) == INPUT_FREE)
            return &audio->inputs[i];
    return NULL;
}

static void connect_source(struct audio *audio, const char *name)
{
    struct input *input = find_free_input(audio);
    if (!input || open_input(audio, input, name) != 0)
        return;
    if (jack_connect(audio->client, name, jack_port_name(input->port)) != 0)
        atomic_store_explicit(&input->state, INPUT_RELEASING, memory_order_release);
}

static void connect_sources(struct audio *audio)
{
    const char **names =
        jack_get_ports(audio->client, NULL, JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput);
    for (int i = 0; names && names[i]; i++)
        if (is_wanted(audio, names[i]) && !find_input(audio, names[i]))
            connect_source(audio, names[i]);
    jack_free(names);
}

/// Whether somebody has disconnected something from an input since the last look.
static bool has_lost_connection(struct input *input)
{
    int connections = jack_port_connected(input->port);
    bool is_fewer = connections < input->connections;
    input->connections = connections;
    return is_fewer;
}

/// Lets inputs go whose source has gone, was disconnected or is not wanted any more.
static void release_sources(struct audio *audio)
{
    for (int i = OPEN_INPUT + 1; i < INPUTS; i++) {
        struct input *input = &audio->inputs[i];
        if (atomic_load(&input->state) == INPUT_PLAYING &&
            (has_lost_connection(input) || !is_wanted(audio, input->origin)))
            atomic_store_explicit(&input->state, INPUT_RELEASING, memory_order_release);
    }
    struct input *open = &audio->inputs[OPEN_INPUT];
    if (has_lost_connection(open))
        atomic_store(&open->must_release, true);
}

static void free_released_inputs(struct audio *audio)
{
    for (int i = 0; i < INPUTS; i++)
        if (atomic_load_explicit(&audio->inputs[i].state, memory_order_acquire) == INPUT_RELEASED)
            free_input(audio, &audio->inputs[i]);
}

static void connect_output(struct audio *audio, int channel, const char *to)
{
    if (!jack_port_connected_to(audio->out[channel], to))
        jack_connect(audio->client, jack_port_name(audio->out[channel]), to);
}

/// Ports in turn take left and right; a single one takes both.
static void connect_to_all(struct audio *audio, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        connect_output(audio, i % 2, names[i]);
    if (count == 1)
        connect_output(audio, 1, names[0]);
}

static void connect_outputs(struct audio *audio)
{
    const struct pattern *pattern = &audio->wiring.outputs;
    bool is_automatic = pattern->kind == PATTERN_EMPTY;
    unsigned long flags = JackPortIsInput | (is_automatic ? JackPortIsPhysical : 0);
    const char **names = jack_get_ports(audio->client, NULL, JACK_DEFAULT_AUDIO_TYPE, flags);
    const char *wanted[OUTPUT_PORTS_MAX];
    int count = 0, most = is_automatic ? 2 : OUTPUT_PORTS_MAX;
    for (int i = 0; names && names[i] && count < most; i++)
        if (is_automatic || pattern_matches(pattern, names[i]))
            wanted[count++] = names[i];
    connect_to_all(audio, wanted, count);
    jack_free(names);
}

/// Whether it is time to look at the connections: soon after a change, and again later, since JACK
/// tells of a change up to a period before its graph shows it.
static bool is_time_to_look(struct audio *audio)
{
    int64_t now_ns = clock_now_ns();
    if (atomic_exchange(&audio->is_dirty, false))
        audio->looks = LOOKS;
    if (audio->looks == 0 || now_ns < audio->look_ns)
        return false;
    audio->looks--;
    audio->look_ns = now_ns + LOOK_NS;
    return true;
}

void audio_service(struct audio *audio)
{
    uint64_t count;
    (void)!read(audio->wake, &count, sizeof count);
    if (!audio->is_active || atomic_load(&audio->is_lost))
        return;
    free_released_inputs(audio);
    if (!is_time_to_look(audio))
        return;
    release_sources(audio);
    connect_outputs(audio);
    connect_sources(audio);
}

int jack_wiring_open(struct audio *audio)
{
    return open_input(audio, &audio->inputs[OPEN_INPUT], "JACK");
}

void jack_wiring_close(struct audio *audio)
{
    for (int i = 0; i < INPUTS; i++) {
        struct input *input = &audio->inputs[i];
        int state = atomic_load(&input->state);
        if (state == INPUT_PLAYING || state == INPUT_RELEASING)
            jack_process_release(audio, input);
        if (state != INPUT_FREE)
            free_input(audio, input);
    }
}

void jack_wiring_finish(struct wiring *wiring)
{
    pattern_finish(&wiring->outputs);
    pattern_finish(&wiring->connect);
    pattern_finish(&wiring->ignore);
}

int jack_wiring_init(struct wiring *wiring, const struct audio_wiring *wanted, char *error,
                     size_t bytes)
{
    // Cleared patterns may be finished, so that the first failure can finish all three.
    *wiring = (struct wiring){.skips_sequencer = wanted->skips_sequencer};
    if (pattern_init(&wiring->outputs, wanted->outputs, error, bytes) == 0 &&
        pattern_init(&wiring->connect, wanted->midi_connect, error, bytes) == 0 &&
        pattern_init(&wiring->ignore, wanted->midi_ignore, error, bytes) == 0)
        return 0;
    jack_wiring_finish(wiring);
    return -EINVAL;
}

int audio_set_wiring(struct audio *audio, const struct audio_wiring *wiring, char *error,
                     size_t bytes)
{
    struct wiring new;
    int code = jack_wiring_init(&new, wiring, error, bytes);
    if (code != 0)
        return code;
    jack_wiring_finish(&audio->wiring);
    audio->wiring = new;
    if (audio->is_active && !atomic_load(&audio->is_lost)) {
        jack_port_disconnect(audio->client, audio->out[0]);
        jack_port_disconnect(audio->client, audio->out[1]);
    }
    jack_wiring_mark(audio);
    return 0;
}
