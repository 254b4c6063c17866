#include "firmware/sound.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board/alsa_cards.h"
#include "board/alsa_midi.h"
#include "board/audio.h"
#include "board/jackd.h"
#include "board/recorder.h"
#include "board/thread.h"
#include "firmware/console.h"

enum { RING_EVENTS = 4096, ENGINE_MAX_FRAMES = 8192 };

/// A server that calls nobody back for this long is as good as dead.
static const int64_t stall_ns = 3000000000, retry_sequencer_ns = 2000000000;

/// The longest that a server in good health lets a period wait.
static const int64_t pulse_ns = 300000000;

/// Parameters that are taken in by `sound_service` when they change.
enum group { SERVER, WIRING, RECORDING, GROUPS };
static const struct {
    unsigned index;
    enum group group;
} followed[] = {{PARAM_AUDIO_CARDS, SERVER},    {PARAM_AUDIO_RATE, SERVER},
                {PARAM_AUDIO_PERIOD, SERVER},   {PARAM_AUDIO_PERIODS, SERVER},
                {PARAM_AUDIO_PRIORITY, SERVER}, {PARAM_AUDIO_OUTPUTS, WIRING},
                {PARAM_MIDI_CONNECT, WIRING},   {PARAM_MIDI_IGNORE, WIRING},
                {PARAM_MIDI_TIMING, WIRING},    {PARAM_AUDIO_RECORD, RECORDING}};
enum { FOLLOWED = sizeof followed / sizeof *followed };

struct sound {
    struct control *control;
    struct registry *registry;
    struct fonts *fonts;
    struct spaces *spaces;
    struct clock *clock;
    struct jackd *jackd;
    struct audio *audio; ///< NULL while there is no server
    struct engine *engine;
    double rate_hz; ///< of the engine
    struct alsa_midi *sequencer;
    bool has_no_sequencer; ///< said so already
    int64_t sequencer_retry_ns;
    struct recorder *recorder;
    bool is_recording; ///< the recorder was started
    uint64_t seen[FOLLOWED];
    uint64_t callbacks;
    int64_t progress_ns;   ///< when callbacks last went on
    uint32_t xruns_before; ///< of clients closed since
    char ports[600];
    char text[GROUPS + 3][PARAM_TEXT_MAX]; ///< texts lent to the board's settings
};

// ---- settings ----

static int number(const struct sound *sound, unsigned index)
{
    return (int)store_number(sound->control->store, index);
}

static const char *text(struct sound *sound, int place, unsigned index)
{
    store_text(sound->control->store, index, sound->text[place], sizeof sound->text[place]);
    return sound->text[place];
}

static struct jackd_settings server_settings(struct sound *sound)
{
    int priority = number(sound, PARAM_AUDIO_PRIORITY);
    return (struct jackd_settings){
        .mode = (enum jackd_mode)number(sound, PARAM_AUDIO_SERVER),
        .cards = text(sound, 0, PARAM_AUDIO_CARDS),
        .name = text(sound, 1, PARAM_AUDIO_CLIENT),
        .rate_hz = number(sound, PARAM_AUDIO_RATE),
        .period_frames = number(sound, PARAM_AUDIO_PERIOD),
        .periods = number(sound, PARAM_AUDIO_PERIODS),
        .priority = thread_may_be_realtime(priority) ? priority : 0,
        .program = "jackd",
        .list_cards = alsa_cards_list,
        .is_running = audio_probe,
        .log = console_log,
    };
}

static struct audio_wiring audio_wiring(struct sound *sound)
{
    return (struct audio_wiring){.outputs = text(sound, 2, PARAM_AUDIO_OUTPUTS),
                                 .midi_connect = text(sound, 3, PARAM_MIDI_CONNECT),
                                 .midi_ignore = text(sound, 4, PARAM_MIDI_IGNORE),
                                 .skips_sequencer = sound->sequencer != NULL};
}

static struct alsa_midi_wiring sequencer_wiring(struct sound *sound)
{
    return (struct alsa_midi_wiring){.connect = text(sound, 3, PARAM_MIDI_CONNECT),
                                     .ignore = text(sound, 4, PARAM_MIDI_IGNORE),
                                     .is_soon = number(sound, PARAM_MIDI_TIMING) == 1};
}

// ---- sources ----

static int open_source(void *data, const char *name, bool is_keyboard)
{
    struct sound *sound = data;
    int source = registry_open(sound->registry, is_keyboard ? SOURCE_MIDI : SOURCE_INPUT, name);
    if (source > 0 && !is_keyboard)
        return source;
    if (source > 0)
        console_say("MIDI: %s plugged in", name);
    else
        console_say("MIDI: %s cannot play: %d sources are in use", name, SOURCES_MAX - 1);
    return source;
}

static void close_source(void *data, int source)
{
    struct sound *sound = data;
    char name[SOURCE_NAME_BYTES];
    registry_name(sound->registry, (unsigned)source, name, sizeof name);
    if (registry_close(sound->registry, source) == SOURCE_MIDI)
        console_say("MIDI: %s unplugged", name);
}

static struct sources midi_sources(struct sound *sound)
{
    return (struct sources){open_source, close_source, sound};
}

// ---- the engine ----

static struct engine *create_engine(const struct sound *sound, double rate_hz)
{
    int workers = number(sound, PARAM_SYNTH_WORKERS);
    // Below the audio thread, so that a worker never keeps it from claiming the work itself.
    int priority = number(sound, PARAM_AUDIO_PRIORITY) - 10;
    struct engine *engine = engine_create(&(struct engine_settings){
        .sample_rate_hz = rate_hz,
        .max_frames = ENGINE_MAX_FRAMES,
        .shards = number(sound, PARAM_SYNTH_SHARDS),
        .polyphony = number(sound, PARAM_SYNTH_POLYPHONY),
        .workers = workers < 0 ? thread_cores() - 1 : workers,
        .priority = priority > 1 ? priority : 1,
        .modes = number(sound, PARAM_RESONANCE_MODES),
        .tail_workers = 1,
        .tail_priority = priority > 10 ? priority - 10 : 1,
    });
    for (int i = 0; i < RINGS && engine; i++) {
        if (engine_open_ring(engine, RING_EVENTS) == i)
            continue;
        engine_destroy(engine);
        return NULL;
    }
    return engine;
}

/// An engine for the server's rate. One of that rate goes on as it is; a new one takes over what
/// the old one's parts were set to.
static int prepare_engine(struct sound *sound, double rate_hz)
{
    if (sound->engine && sound->rate_hz == rate_hz)
        return 0;
    struct engine *engine = create_engine(sound, rate_hz);
    if (!engine)
        return -ENOMEM;
    if (sound->engine)
        engine_copy_state(engine, sound->engine);
    control_use_engine(sound->control, engine);
    fonts_use_engine(sound->fonts, NULL);
    spaces_use_engine(sound->spaces, NULL, 0);
    engine_destroy(sound->engine);
    fonts_use_engine(sound->fonts, engine);
    spaces_use_engine(sound->spaces, engine, (uint32_t)rate_hz);
    sound->engine = engine;
    sound->rate_hz = rate_hz;
    return 0;
}

// ---- the sequencer ----

static void open_sequencer(struct sound *sound, int64_t now_ns)
{
    bool is_wanted = number(sound, PARAM_MIDI_SEQUENCER) != 0;
    if (sound->sequencer || !is_wanted || now_ns < sound->sequencer_retry_ns)
        return;
    char error[256];
    struct alsa_midi_settings settings = {.client = "consort",
                                          .priority = number(sound, PARAM_AUDIO_PRIORITY),
                                          .wiring = sequencer_wiring(sound),
                                          .sources = midi_sources(sound),
                                          .clock = sound->clock};
    sound->sequencer_retry_ns = now_ns + retry_sequencer_ns;
    sound->sequencer = alsa_midi_open(&settings, error, sizeof error);
    if (sound->sequencer)
        console_say("MIDI: reading keyboards from the ALSA sequencer");
    else if (!sound->has_no_sequencer)
        console_say("MIDI: %s; keyboards come by JACK only", error);
    sound->has_no_sequencer = !sound->sequencer;
    if (sound->sequencer && sound->audio)
        alsa_midi_set_engine(sound->sequencer, sound->engine, RING_SEQUENCER);
}

// ---- the client ----

static void close_audio(struct sound *sound)
{
    struct audio_state state;
    if (!sound->audio)
        return;
    if (sound->sequencer)
        alsa_midi_set_engine(sound->sequencer, NULL, 0);
    audio_read_state(sound->audio, &state);
    sound->xruns_before += state.xruns;
    audio_close(sound->audio);
    sound->audio = NULL;
    *sound->ports = '\0';
}

static void start_recording(struct sound *sound, const char *path)
{
    char error[256];
    int rate_hz = (int)sound->rate_hz;
    if (!*path || !sound->audio)
        return;
    sound->is_recording = !recorder_start(sound->recorder, path, rate_hz, error, sizeof error);
    if (sound->is_recording)
        console_say("recording to %s", path);
    else
        console_say("cannot record to %s: %s", path, error);
}

static void open_audio(struct sound *sound, const struct jackd_status *server, int64_t now_ns)
{
    char error[256], client[PARAM_TEXT_MAX];
    store_text(sound->control->store, PARAM_AUDIO_CLIENT, client, sizeof client);
    struct audio_settings settings = {.client = client,
                                      .server = server->server,
                                      .wiring = audio_wiring(sound),
                                      .sources = midi_sources(sound),
                                      .clock = sound->clock,
                                      .recorder = sound->recorder};
    struct audio *audio = audio_open(&settings, error, sizeof error);
    if (!audio || prepare_engine(sound, audio_rate_hz(audio)) ||
        audio_start(audio, sound->engine, RING_JACK, ENGINE_MAX_FRAMES)) {
        console_say("audio: cannot play on server %s: %s", server->server,
                    audio ? strerror(errno) : error);
        audio_close(audio);
        jackd_report_lost(sound->jackd, now_ns);
        return;
    }
    sound->audio = audio;
    sound->callbacks = 0;
    sound->progress_ns = now_ns;
    snprintf(sound->ports, sizeof sound->ports, "%s on server %s", audio_client_name(audio),
             server->server);
    if (sound->sequencer)
        alsa_midi_set_engine(sound->sequencer, sound->engine, RING_SEQUENCER);
    if (!sound->is_recording)
        start_recording(sound, text(sound, 5, PARAM_AUDIO_RECORD));
    console_say("audio: %s, %.0f Hz, %u frames per period", server->card, sound->rate_hz,
                audio_period_frames(audio));
}

/// Whether the client has lost its server, or the server its pulse.
static bool is_lost(struct sound *sound, int64_t now_ns)
{
    struct audio_state state;
    audio_read_state(sound->audio, &state);
    if (state.callbacks != sound->callbacks) {
        sound->callbacks = state.callbacks;
        sound->progress_ns = now_ns;
    }
    return state.is_lost || now_ns - sound->progress_ns > stall_ns;
}

static void keep_audio(struct sound *sound, int64_t now_ns)
{
    struct jackd_status server;
    jackd_read_status(sound->jackd, &server);
    if (sound->audio && is_lost(sound, now_ns)) {
        console_say("audio: the server is gone; looking for another");
        jackd_report_lost(sound->jackd, now_ns); // first: closing waits for a server that hangs
        close_audio(sound);
    } else if (sound->audio && server.state != JACKD_RUNNING) {
        close_audio(sound);
    } else if (!sound->audio && server.state == JACKD_RUNNING) {
        open_audio(sound, &server, now_ns);
    }
    if (sound->audio)
        audio_service(sound->audio);
}

// ---- changed settings ----

static void take_wiring(struct sound *sound)
{
    char error[256];
    struct audio_wiring wiring = audio_wiring(sound);
    struct alsa_midi_wiring sequencer = sequencer_wiring(sound);
    if (sound->audio && audio_set_wiring(sound->audio, &wiring, error, sizeof error))
        console_say("audio: %s", error);
    if (sound->sequencer && alsa_midi_set_wiring(sound->sequencer, &sequencer, error, sizeof error))
        console_say("MIDI: %s", error);
}

static void take_changes(struct sound *sound, int64_t now_ns)
{
    bool has_changed[GROUPS] = {false};
    for (int i = 0; i < FOLLOWED; i++) {
        uint64_t serial = store_changed(sound->control->store, followed[i].index);
        has_changed[followed[i].group] |= serial != sound->seen[i];
        sound->seen[i] = serial;
    }
    if (has_changed[SERVER]) {
        struct jackd_settings settings = server_settings(sound);
        jackd_configure(sound->jackd, &settings, now_ns);
    }
    if (has_changed[WIRING])
        take_wiring(sound);
    if (has_changed[RECORDING]) {
        sound_stop_recording(sound);
        start_recording(sound, text(sound, 5, PARAM_AUDIO_RECORD));
    }
}

// ---- the end ----

/// Whether the server goes on calling us back; waits for it.
static bool has_pulse(const struct sound *sound)
{
    struct audio_state before, now;
    int64_t end_ns = clock_now_ns() + pulse_ns;
    audio_read_state(sound->audio, &before);
    do {
        usleep(2000);
        audio_read_state(sound->audio, &now);
    } while (now.callbacks == before.callbacks && clock_now_ns() < end_ns);
    return now.callbacks != before.callbacks;
}

/// A server that hangs would not let us go.
static void leave_server(struct sound *sound)
{
    if (sound->audio && !has_pulse(sound))
        jackd_report_lost(sound->jackd, clock_now_ns());
    close_audio(sound);
}

// ---- reports ----

static void report(struct sound *sound)
{
    struct control *control = sound->control;
    struct jackd_status server;
    jackd_read_status(sound->jackd, &server);
    control_report(control, PARAM_AUDIO_STATE, sound_state(sound));
    control_report_text(control, PARAM_AUDIO_CARD, sound->audio ? server.card : "");
    control_report(control, PARAM_MIDI_SOURCES, registry_count(sound->registry, SOURCE_MIDI));
    if (!sound->audio)
        return;
    struct audio_state state;
    audio_read_state(sound->audio, &state);
    control_report(control, PARAM_AUDIO_LATENCY, 1000.0 * state.latency_frames / sound->rate_hz);
    control_report(control, PARAM_AUDIO_XRUNS, sound->xruns_before + state.xruns);
    control_report(control, PARAM_AUDIO_LOAD, (int)(1000.0f * state.load) / 10.0);
}

enum sound_state sound_state(const struct sound *sound)
{
    struct jackd_status server;
    jackd_read_status(sound->jackd, &server);
    if (sound->audio)
        return server.is_dummy ? SOUND_DUMMY : SOUND_RUNNING;
    bool is_trying = server.state == JACKD_STARTING || server.state == JACKD_RUNNING;
    return is_trying ? SOUND_STARTING : SOUND_DOWN;
}

// ---- the daemon's side ----

struct sound *sound_create(struct control *control, struct registry *registry, struct fonts *fonts,
                           struct spaces *spaces, struct clock *clock)
{
    struct sound *sound = calloc(1, sizeof *sound);
    if (!sound)
        return NULL;
    *sound = (struct sound){
        .control = control, .registry = registry, .fonts = fonts, .spaces = spaces, .clock = clock};
    for (int i = 0; i < FOLLOWED; i++)
        sound->seen[i] = store_changed(control->store, followed[i].index);
    struct jackd_settings settings = server_settings(sound);
    sound->recorder = recorder_create();
    sound->jackd = jackd_create(&settings);
    if (!sound->recorder || !sound->jackd) {
        int status = errno;
        sound_destroy(sound);
        errno = status;
        return NULL;
    }
    return sound;
}

void sound_destroy(struct sound *sound)
{
    if (!sound)
        return;
    leave_server(sound);
    alsa_midi_close(sound->sequencer);
    recorder_destroy(sound->recorder);
    control_use_engine(sound->control, NULL);
    fonts_use_engine(sound->fonts, NULL);
    spaces_use_engine(sound->spaces, NULL, 0);
    engine_destroy(sound->engine);
    jackd_destroy(sound->jackd);
    free(sound);
}

int64_t sound_service(struct sound *sound, int64_t now_ns)
{
    take_changes(sound, now_ns);
    open_sequencer(sound, now_ns);
    int64_t next_ns = jackd_service(sound->jackd, now_ns);
    keep_audio(sound, now_ns);
    report(sound);
    return next_ns;
}

int sound_descriptors(const struct sound *sound, struct pollfd *descriptors)
{
    int count = 0, jackd = jackd_descriptor(sound->jackd);
    if (jackd >= 0)
        descriptors[count++] = (struct pollfd){.fd = jackd, .events = POLLIN};
    if (sound->audio)
        descriptors[count++] =
            (struct pollfd){.fd = audio_descriptor(sound->audio), .events = POLLIN};
    return count;
}

const char *sound_ports(const struct sound *sound) { return sound->ports; }

double sound_rate_hz(const struct sound *sound) { return sound->audio ? sound->rate_hz : 0.0; }

uint32_t sound_period_frames(const struct sound *sound)
{
    return sound->audio ? audio_period_frames(sound->audio) : 0;
}

void sound_record(struct sound *sound, const char *path)
{
    if (!sound->is_recording)
        start_recording(sound, path);
}

void sound_stop_recording(struct sound *sound)
{
    if (sound->is_recording)
        recorder_stop(sound->recorder);
    sound->is_recording = false;
}
