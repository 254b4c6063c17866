// consortd: the firmware. Reads the config, brings the box up, and keeps it up until told to stop.
//
// The main thread turns one loop; sound is made on the audio server's thread, OSC is served on the
// net thread, fonts are loaded on the loader's, keyboards are read on the input thread.
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "board/audio.h"
#include "board/clock.h"
#include "board/service.h"
#include "board/thread.h"
#include "firmware/cmd/commands.h"
#include "firmware/console.h"
#include "firmware/control.h"
#include "firmware/fonts.h"
#include "firmware/pieces.h"
#include "firmware/registry.h"
#include "firmware/remote.h"
#include "firmware/settings.h"
#include "firmware/sound.h"
#include "firmware/version.h"

static const int64_t tick_ns = 25000000, status_ns = 250000000;

struct box {
    const char *config_path;
    struct control control;
    struct registry registry;
    struct clock clock;
    struct settings *settings;
    struct fonts *fonts;
    struct spaces *spaces;
    struct sound *sound;
    struct pieces *pieces;
    struct remote *remote;
    struct service service;
    struct engine_state state;
    uint64_t font_seen; ///< serial of PARAM_SYNTH_FONT
    uint64_t told;      ///< serial of the store that subscribers know of
    int64_t status_due_ns;
    int signals;
    bool is_ready, is_ending, has_recording;
};

// ---- up and down ----

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void want_font(struct box *box)
{
    char font[PARAM_TEXT_MAX];
    box->font_seen = store_changed(box->control.store, PARAM_SYNTH_FONT);
    store_text(box->control.store, PARAM_SYNTH_FONT, font, sizeof font);
    fonts_want(box->fonts, font);
}

/// Starts every room of the house. Returns 0, or -1 having said why.
static int bring_up(struct box *box)
{
    audio_set_log(NULL, NULL); // what matters of it comes back as errors of our own
    box->signals = open_signals();
    registry_init(&box->registry);
    if (control_init(&box->control) || clock_init(&box->clock) ||
        !(box->settings = settings_load(box->config_path, &box->control)) ||
        !(box->fonts = fonts_create(&box->control)) ||
        !(box->spaces = spaces_create(&box->control))) {
        console_say("consortd: %s", strerror(ENOMEM));
        return -1;
    }
    want_font(box);
    box->remote = remote_create(&box->control, &box->registry, &box->clock);
    if (!box->remote) {
        console_say("OSC port %.0f: %s", store_number(box->control.store, PARAM_OSC_PORT),
                    strerror(errno));
        return -1;
    }
    box->sound = sound_create(&box->control, &box->registry, box->fonts, box->spaces, &box->clock);
    box->pieces = pieces_create(&box->control, &box->registry);
    if (!box->sound || !box->pieces) {
        console_say("consortd: %s", strerror(errno));
        return -1;
    }
    if (thread_lock_memory())
        console_say("memory is not locked (ulimit -l); sound may stutter when memory runs short");
    service_init(&box->service);
    return 0;
}

static void take_down(struct box *box)
{
    service_stopping();
    console_end();
    remote_destroy(box->remote);
    sound_destroy(box->sound);
    pieces_destroy(box->pieces);
    spaces_destroy(box->spaces);
    fonts_destroy(box->fonts);
    settings_destroy(box->settings);
    clock_finish(&box->clock);
    if (box->control.store)
        control_finish(&box->control);
    registry_finish(&box->registry);
    if (box->signals >= 0)
        close(box->signals);
}

// ---- what it says ----

static void say_ready(struct box *box)
{
    struct store *store = box->control.store;
    char font[PARAM_TEXT_MAX];
    store_text(store, PARAM_SYNTH_LOADED, font, sizeof font);
    console_say("  JACK    %s", sound_ports(box->sound));
    console_say("  OSC     port %u, UDP and TCP", remote_port(box->remote));
    console_say("  config  %s", box->config_path);
    console_say("  font    %s", font);
    console_say("  sound   %.0f Hz, %u frames per period, latency %.1f ms",
                sound_rate_hz(box->sound), sound_period_frames(box->sound),
                store_number(store, PARAM_AUDIO_LATENCY));
    console_say("ready");
    service_ready("ready");
}

static void show_status(struct box *box)
{
    struct store *store = box->control.store;
    char line[256], last[SOURCE_NAME_BYTES] = "-";
    if (box->state.last_source < SOURCES_MAX)
        registry_name(&box->registry, box->state.last_source, last, sizeof last);
    snprintf(line, sizeof line,
             "level %6.1f %6.1f dB | voices %3.0f | load %4.1f %% | xruns %.0f | last %.40s",
             store_number(store, PARAM_MASTER_PEAK_L), store_number(store, PARAM_MASTER_PEAK_R),
             store_number(store, PARAM_SYNTH_VOICES), store_number(store, PARAM_AUDIO_LOAD),
             store_number(store, PARAM_AUDIO_XRUNS), last);
    console_status(line);
    service_status(line);
}

// ---- one turn ----

/// Without a keyboard the box plays by itself, so that something is heard; without a card it can
/// only be seen, so it goes into a file.
static void greet(struct box *box)
{
    bool has_keyboard = registry_count(&box->registry, SOURCE_MIDI) > 0;
    if (!store_number(box->control.store, PARAM_PLAYER_DEMO) || has_keyboard)
        return;
    if (sound_state(box->sound) == SOUND_DUMMY) {
        sound_record(box->sound, "consort-demo.wav");
        box->has_recording = true;
    }
    if (!pieces_play_demo(box->pieces))
        console_say("demo: J. S. Bach, Prelude in C major; plug a keyboard in and play");
}

static void become_ready(struct box *box)
{
    box->is_ready = true;
    say_ready(box);
    greet(box);
}

static void report_presets(struct box *box)
{
    for (unsigned part = 0; part < PARTS; part++) {
        char name[64];
        fonts_preset_name(box->fonts, (unsigned)box->state.value[PARAM_CH_BANK + part],
                          (unsigned)box->state.value[PARAM_CH_PROGRAM + part],
                          box->state.bank_is_drums[part], name, sizeof name);
        control_report_text(&box->control, PARAM_CH_PRESET + part, name);
    }
}

static void report_state(struct box *box)
{
    char name[SOURCE_NAME_BYTES];
    if (!control_refresh(&box->control, &box->state))
        return;
    control_report(&box->control, PARAM_SYNTH_VOICES, box->state.voices);
    if (box->state.last_source < SOURCES_MAX) {
        registry_name(&box->registry, box->state.last_source, name, sizeof name);
        control_report_text(&box->control, PARAM_MIDI_LAST, name);
    }
    report_presets(box);
    pieces_service(box->pieces, &box->state);
    if (box->has_recording && !pieces_is_demo(box->pieces) && box->state.voices == 0) {
        sound_stop_recording(box->sound);
        box->has_recording = false;
        console_say("demo: recorded to consort-demo.wav");
    }
}

static void take_signals(struct box *box)
{
    struct signalfd_siginfo info;
    while (read(box->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            settings_reload(box->settings);
        else
            box->is_ending = true;
    }
}

static void turn(struct box *box)
{
    int64_t now_ns = clock_now_ns();
    take_signals(box);
    settings_service(box->settings, now_ns);
    if (store_changed(box->control.store, PARAM_SYNTH_FONT) != box->font_seen)
        want_font(box);
    sound_service(box->sound, now_ns);
    report_state(box);
    enum sound_state state = sound_state(box->sound);
    bool is_sounding = state == SOUND_RUNNING || state == SOUND_DUMMY;
    if (!box->is_ready && is_sounding && box->state.font_generation)
        become_ready(box);
    uint64_t serial = store_serial(box->control.store);
    if (serial != box->told)
        remote_wake(box->remote);
    box->told = serial;
    service_watch(&box->service, now_ns, box->state.frame, !is_sounding);
    if (box->is_ready && now_ns >= box->status_due_ns) {
        show_status(box);
        box->status_due_ns = now_ns + status_ns;
    }
}

static void wait_for_work(struct box *box)
{
    struct pollfd descriptors[2 + SOUND_DESCRIPTORS] = {
        {.fd = box->signals, .events = POLLIN},
        {.fd = settings_descriptor(box->settings), .events = POLLIN}};
    int count = 2 + sound_descriptors(box->sound, descriptors + 2);
    poll(descriptors, (nfds_t)count, (int)(tick_ns / 1000000));
}

// ---- the command line ----

static int usage(FILE *out, int status)
{
    fputs("usage: consortd [-c FILE]\n\n"
          "  -c, --config FILE  the config (default: /etc/consort/consort.cfg)\n"
          "      --version      print the version\n"
          "      --help         print this\n\n"
          "SIGHUP reads the config again; SIGINT and SIGTERM end the box cleanly.\n",
          out);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"version", no_argument, NULL, 'v'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct box box = {.config_path = "/etc/consort/consort.cfg", .signals = -1};
    for (int option; (option = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (option == 'c')
            box.config_path = optarg;
        else if (option == 'v')
            return puts("consortd " CONSORT_VERSION) < 0;
        else
            return option == 'h' ? usage(stdout, COMMAND_DONE) : usage(stderr, COMMAND_USAGE);
    }
    if (optind < argc)
        return usage(stderr, COMMAND_USAGE);
    int status = bring_up(&box) ? COMMAND_FAILED : COMMAND_DONE;
    while (!status && !box.is_ending) {
        turn(&box);
        wait_for_work(&box);
    }
    take_down(&box);
    return status;
}
