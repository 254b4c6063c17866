#include "board/alsa_midi.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "board/alsa_decode.h"
#include "board/midi_in.h"
#include "board/pattern.h"
#include "board/thread.h"

enum {
    KEYBOARDS_MAX = 32,
    DESCRIPTORS_MAX = 8,
    NAME_BYTES = 160,
    RETRY_MS = 20, // while a release waits for room
    READABLE = SND_SEQ_PORT_CAP_READ | SND_SEQ_PORT_CAP_SUBS_READ,
};

/// A place for one sending port.
struct place {
    enum { PLACE_FREE, PLACE_OPEN, PLACE_LEAVING } state;
    snd_seq_addr_t address;
    struct keyboard keyboard;
    struct sysex_buffer sysex;
};

struct alsa_midi {
    snd_seq_t *sequencer;
    struct alsa_decoder *decoder;
    int port;
    int wake; ///< eventfd: something below has changed
    pthread_t thread;
    bool is_realtime;
    struct sources sources;
    pthread_mutex_t lock; ///< of all that follows: the reader holds it while it reads
    struct pattern connect, ignore;
    struct midi_in in;
    struct place places[KEYBOARDS_MAX];
    bool has_new_wiring, is_finished;
};

// ---- Keyboards come and go ----

static struct place *find_place(struct alsa_midi *midi, snd_seq_addr_t address)
{
    for (int i = 0; i < KEYBOARDS_MAX; i++)
        if (midi->places[i].state == PLACE_OPEN &&
            midi->places[i].address.client == address.client &&
            midi->places[i].address.port == address.port)
            return &midi->places[i];
    return NULL;
}

static struct place *find_free_place(struct alsa_midi *midi)
{
    for (int i = 0; i < KEYBOARDS_MAX; i++)
        if (midi->places[i].state == PLACE_FREE)
            return &midi->places[i];
    return NULL;
}

static struct place *open_place(struct alsa_midi *midi, snd_seq_addr_t address, const char *name)
{
    struct place *place = find_free_place(midi);
    int source = place ? midi->sources.open(midi->sources.data, name, true) : -ENOSPC;
    if (source < 0)
        return NULL;
    place->state = PLACE_OPEN;
    place->address = address;
    place->keyboard = (struct keyboard){.source = (uint16_t)source};
    place->sysex.count = 0;
    place->sysex.is_overlong = false;
    return place;
}

/// The keyboard is gone; its place is kept until its release has found room.
static void try_to_leave(struct alsa_midi *midi, struct place *place)
{
    place->state = PLACE_LEAVING;
    if (!midi_in_release(&midi->in, &place->keyboard, clock_now_ns()))
        return;
    midi->sources.close(midi->sources.data, place->keyboard.source);
    place->state = PLACE_FREE;
}

static bool is_named(const snd_seq_client_info_t *client, const snd_seq_port_info_t *port,
                     char name[NAME_BYTES])
{
    const char *client_name = snd_seq_client_info_get_name((snd_seq_client_info_t *)client);
    int length = snprintf(name, NAME_BYTES, "%s:%s", client_name, snd_seq_port_info_get_name(port));
    return length > 1;
}

/// Whether a port is there, can be read and is wanted; its name in any case that it is there.
static bool is_wanted(struct alsa_midi *midi, snd_seq_addr_t address, char name[NAME_BYTES])
{
    snd_seq_client_info_t *client;
    snd_seq_port_info_t *port;
    snd_seq_client_info_alloca(&client);
    snd_seq_port_info_alloca(&port);
    snprintf(name, NAME_BYTES, "%d:%d", address.client, address.port);
    if (snd_seq_get_any_client_info(midi->sequencer, address.client, client) != 0 ||
        snd_seq_get_any_port_info(midi->sequencer, address.client, address.port, port) != 0 ||
        !is_named(client, port, name))
        return false;
    unsigned capability = snd_seq_port_info_get_capability(port);
    return address.client != SND_SEQ_CLIENT_SYSTEM &&
           address.client != snd_seq_client_id(midi->sequencer) &&
           (capability & READABLE) == READABLE && !(capability & SND_SEQ_PORT_CAP_NO_EXPORT) &&
           (midi->connect.kind == PATTERN_EMPTY || pattern_matches(&midi->connect, name)) &&
           !pattern_matches(&midi->ignore, name);
}

static void connect_port(struct alsa_midi *midi, snd_seq_addr_t address)
{
    char name[NAME_BYTES];
    if (find_place(midi, address) || !is_wanted(midi, address, name))
        return;
    if (snd_seq_connect_from(midi->sequencer, midi->port, address.client, address.port) == 0)
        open_place(midi, address, name);
}

/// Calls `visit` for each port of each client.
static void for_each_port(struct alsa_midi *midi,
                          void (*visit)(struct alsa_midi *midi, snd_seq_addr_t address))
{
    snd_seq_client_info_t *client;
    snd_seq_port_info_t *port;
    snd_seq_client_info_alloca(&client);
    snd_seq_port_info_alloca(&port);
    snd_seq_client_info_set_client(client, -1);
    while (snd_seq_query_next_client(midi->sequencer, client) == 0) {
        snd_seq_port_info_set_client(port, snd_seq_client_info_get_client(client));
        snd_seq_port_info_set_port(port, -1);
        while (snd_seq_query_next_port(midi->sequencer, port) == 0)
            visit(midi, *snd_seq_port_info_get_addr(port));
    }
}

static void drop_unwanted(struct alsa_midi *midi)
{
    char name[NAME_BYTES];
    for (int i = 0; i < KEYBOARDS_MAX; i++) {
        struct place *place = &midi->places[i];
        if (place->state != PLACE_OPEN || is_wanted(midi, place->address, name))
            continue;
        snd_seq_disconnect_from(midi->sequencer, midi->port, place->address.client,
                                place->address.port);
        try_to_leave(midi, place);
    }
}

static void leave_port(struct alsa_midi *midi, snd_seq_addr_t address)
{
    struct place *place = find_place(midi, address);
    if (place)
        try_to_leave(midi, place);
}

static void leave_client(struct alsa_midi *midi, int client)
{
    for (int i = 0; i < KEYBOARDS_MAX; i++)
        if (midi->places[i].state == PLACE_OPEN && midi->places[i].address.client == client)
            try_to_leave(midi, &midi->places[i]);
}

// ---- Reading ----

/// What the announce port and our own port's subscriptions tell. Returns false for other events.
static bool take_news(struct alsa_midi *midi, const snd_seq_event_t *event)
{
    switch (event->type) {
    case SND_SEQ_EVENT_PORT_START:
    case SND_SEQ_EVENT_PORT_CHANGE:
        connect_port(midi, event->data.addr);
        return true;
    case SND_SEQ_EVENT_PORT_EXIT:
        leave_port(midi, event->data.addr);
        return true;
    case SND_SEQ_EVENT_CLIENT_EXIT:
        leave_client(midi, event->data.addr.client);
        return true;
    case SND_SEQ_EVENT_PORT_UNSUBSCRIBED:
        if (event->data.connect.dest.client == snd_seq_client_id(midi->sequencer))
            leave_port(midi, event->data.connect.sender);
        return true;
    default:
        return event->source.client == SND_SEQ_CLIENT_SYSTEM;
    }
}

/// A message on its way through the decoder.
struct passage {
    struct alsa_midi *midi;
    struct place *place;
    int64_t arrival_ns;
};

static void play(void *data, const uint8_t *bytes, size_t count)
{
    struct passage *passage = data;
    midi_in_play(&passage->midi->in, &passage->place->keyboard, passage->arrival_ns, bytes, count);
}

/// The keyboard of an event; somebody may have connected one to us by hand.
static struct place *place_of(struct alsa_midi *midi, snd_seq_addr_t address)
{
    struct place *place = find_place(midi, address);
    char name[NAME_BYTES];
    if (place)
        return place;
    is_wanted(midi, address, name); // for its name
    return open_place(midi, address, name);
}

static void take_event(struct alsa_midi *midi, const snd_seq_event_t *event, int64_t arrival_ns)
{
    if (take_news(midi, event))
        return;
    struct passage passage = {midi, place_of(midi, event->source), arrival_ns};
    if (passage.place &&
        alsa_decode(midi->decoder, &passage.place->sysex, event, play, &passage) != 0)
        midi->in.lost++;
}

/// The kernel had to drop events, ends of notes perhaps.
static void release_all(struct alsa_midi *midi)
{
    midi->in.lost++;
    for (int i = 0; i < KEYBOARDS_MAX; i++)
        if (midi->places[i].state == PLACE_OPEN)
            midi->places[i].keyboard.must_release = true;
}

static void read_events(struct alsa_midi *midi, int64_t arrival_ns)
{
    snd_seq_event_t *event;
    int code;
    while ((code = snd_seq_event_input(midi->sequencer, &event)) >= 0 || code == -ENOSPC) {
        if (code == -ENOSPC)
            release_all(midi);
        else if (event)
            take_event(midi, event, arrival_ns);
    }
}

/// Returns whether releases still wait for room.
static bool settle(struct alsa_midi *midi)
{
    bool is_waiting = false;
    for (int i = 0; i < KEYBOARDS_MAX; i++) {
        struct place *place = &midi->places[i];
        if (place->state == PLACE_LEAVING)
            try_to_leave(midi, place);
        else if (place->state == PLACE_OPEN && place->keyboard.must_release)
            midi_in_release(&midi->in, &place->keyboard, clock_now_ns());
        is_waiting |= place->state == PLACE_LEAVING || place->keyboard.must_release;
    }
    return is_waiting;
}

static void take_new_wiring(struct alsa_midi *midi)
{
    if (!midi->has_new_wiring)
        return;
    midi->has_new_wiring = false;
    drop_unwanted(midi);
    for_each_port(midi, connect_port);
}

/// Descriptors of the sequencer and, last, our own. Returns their number.
static int descriptors(struct alsa_midi *midi, struct pollfd *poll_for)
{
    int count = snd_seq_poll_descriptors(midi->sequencer, poll_for, DESCRIPTORS_MAX - 1, POLLIN);
    poll_for[count] = (struct pollfd){.fd = midi->wake, .events = POLLIN};
    return count + 1;
}

static void *read_midi(void *data)
{
    struct alsa_midi *midi = data;
    struct pollfd poll_for[DESCRIPTORS_MAX];
    int count = descriptors(midi, poll_for);
    bool is_finished = false, is_waiting = false;
    while (!is_finished) {
        uint64_t wakes;
        poll(poll_for, (nfds_t)count, is_waiting ? RETRY_MS : -1);
        int64_t arrival_ns = clock_now_ns();
        (void)!read(midi->wake, &wakes, sizeof wakes);
        pthread_mutex_lock(&midi->lock);
        read_events(midi, arrival_ns);
        take_new_wiring(midi);
        is_waiting = settle(midi);
        is_finished = midi->is_finished;
        pthread_mutex_unlock(&midi->lock);
    }
    return NULL;
}

// ---- Opening and closing ----

static void stay_quiet(const char *file, int line, const char *function, int error,
                       const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)error, (void)format;
}

static int open_sequencer(struct alsa_midi *midi, const char *client)
{
    snd_lib_error_set_handler(stay_quiet); // the caller says what is worth saying
    int code = snd_seq_open(&midi->sequencer, "default", SND_SEQ_OPEN_DUPLEX, SND_SEQ_NONBLOCK);
    if (code != 0)
        return code;
    snd_seq_set_client_name(midi->sequencer, client);
    midi->port = snd_seq_create_simple_port(
        midi->sequencer, "midi_in", SND_SEQ_PORT_CAP_WRITE | SND_SEQ_PORT_CAP_SUBS_WRITE,
        SND_SEQ_PORT_TYPE_MIDI_GENERIC | SND_SEQ_PORT_TYPE_APPLICATION);
    if (midi->port < 0)
        return midi->port;
    return snd_seq_connect_from(midi->sequencer, midi->port, SND_SEQ_CLIENT_SYSTEM,
                                SND_SEQ_PORT_SYSTEM_ANNOUNCE);
}

static void set_patterns(struct alsa_midi *midi, const struct pattern *connect,
                         const struct pattern *ignore)
{
    pattern_finish(&midi->connect);
    pattern_finish(&midi->ignore);
    midi->connect = *connect;
    midi->ignore = *ignore;
    midi->has_new_wiring = true;
}

static void wake(struct alsa_midi *midi)
{
    uint64_t one = 1;
    (void)!write(midi->wake, &one, sizeof one);
}

int alsa_midi_set_wiring(struct alsa_midi *midi, const struct alsa_midi_wiring *wiring, char *error,
                         size_t bytes)
{
    struct pattern connect, ignore;
    if (pattern_init(&connect, wiring->connect, error, bytes) != 0)
        return -EINVAL;
    if (pattern_init(&ignore, wiring->ignore, error, bytes) != 0) {
        pattern_finish(&connect);
        return -EINVAL;
    }
    pthread_mutex_lock(&midi->lock);
    set_patterns(midi, &connect, &ignore);
    midi->in.is_soon = wiring->is_soon;
    pthread_mutex_unlock(&midi->lock);
    wake(midi);
    return 0;
}

void alsa_midi_set_engine(struct alsa_midi *midi, struct engine *engine, int ring)
{
    pthread_mutex_lock(&midi->lock);
    midi->in.engine = engine;
    midi->in.ring = ring;
    midi->in.last_frame = 0;
    pthread_mutex_unlock(&midi->lock);
    wake(midi);
}

static int start(struct alsa_midi *midi, const struct alsa_midi_settings *settings)
{
    midi->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (midi->wake < 0)
        return -errno;
    midi->decoder = alsa_decoder_create();
    if (!midi->decoder)
        return -ENOMEM;
    int code = open_sequencer(midi, settings->client);
    if (code < 0)
        return code;
    struct thread_settings thread = {.name = "midi-in", .priority = settings->priority};
    return thread_create(&midi->thread, &thread, read_midi, midi, &midi->is_realtime);
}

static void free_all(struct alsa_midi *midi)
{
    if (midi->sequencer)
        snd_seq_close(midi->sequencer);
    alsa_decoder_destroy(midi->decoder);
    if (midi->wake >= 0)
        close(midi->wake);
    pattern_finish(&midi->connect);
    pattern_finish(&midi->ignore);
    pthread_mutex_destroy(&midi->lock);
    free(midi);
}

struct alsa_midi *alsa_midi_open(const struct alsa_midi_settings *settings, char *error,
                                 size_t bytes)
{
    struct alsa_midi *midi = calloc(1, sizeof *midi);
    if (!midi)
        return NULL;
    midi->wake = -1;
    midi->sources = settings->sources;
    midi->in.clock = settings->clock;
    pthread_mutex_init(&midi->lock, NULL);
    int code = alsa_midi_set_wiring(midi, &settings->wiring, error, bytes);
    if (code == 0) {
        code = start(midi, settings);
        if (code < 0)
            snprintf(error, bytes, "no ALSA sequencer: %s", snd_strerror(code));
    }
    if (code >= 0)
        return midi;
    free_all(midi);
    errno = -code;
    return NULL;
}

void alsa_midi_close(struct alsa_midi *midi)
{
    if (!midi)
        return;
    pthread_mutex_lock(&midi->lock);
    midi->is_finished = true;
    pthread_mutex_unlock(&midi->lock);
    wake(midi);
    pthread_join(midi->thread, NULL);
    for (int i = 0; i < KEYBOARDS_MAX; i++) {
        struct place *place = &midi->places[i];
        if (place->state == PLACE_FREE)
            continue;
        midi_in_release(&midi->in, &place->keyboard, clock_now_ns());
        midi->sources.close(midi->sources.data, place->keyboard.source);
    }
    free_all(midi);
}

bool alsa_midi_is_realtime(const struct alsa_midi *midi) { return midi->is_realtime; }

uint32_t alsa_midi_lost(const struct alsa_midi *midi)
{
    struct alsa_midi *writable = (struct alsa_midi *)midi;
    pthread_mutex_lock(&writable->lock);
    uint32_t lost = midi->in.lost;
    pthread_mutex_unlock(&writable->lock);
    return lost;
}
