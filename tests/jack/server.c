#include "tests/jack/server.h"

#include <glob.h>
#include <jack/midiport.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/audio.h"
#include "dsp/engine/midi.h"

void server_start(struct child *child, const char *name, int period_frames)
{
    char named[80], period[16];
    snprintf(named, sizeof named, "-n%s", name);
    snprintf(period, sizeof period, "-p%d", period_frames);
    const char *arguments[] = {"jackd", "-r", named, "-d", "dummy", "-r48000", period, NULL};
    child_init(child);
    assert_int_equal(child_start(child, arguments, NULL), 0);
    for (int i = 0; i < 500; i++) {
        if (audio_probe(name))
            return;
        usleep(10000);
    }
    child_finish(child);
    fail_msg("jackd does not answer");
}

void server_finish(struct child *child, const char *name)
{
    char pattern[128];
    glob_t found;
    child_finish(child);
    snprintf(pattern, sizeof pattern, "/dev/shm/jack*%s*", name);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        unlink(found.gl_pathv[i]);
    globfree(&found);
}

static void send(struct foreign *foreign, jack_nframes_t frames, uint32_t jack_frame)
{
    void *buffer = jack_port_get_buffer(foreign->port, frames);
    uint64_t now = atomic_load(&foreign->frame);
    int sent = atomic_load(&foreign->sent), count = atomic_load(&foreign->strike_count);
    jack_midi_clear_buffer(buffer);
    for (; sent < count && foreign->strikes[sent].frame < now + frames; sent++) {
        struct strike *strike = &foreign->strikes[sent];
        uint32_t offset = strike->frame > now ? (uint32_t)(strike->frame - now) : 0;
        jack_midi_event_write(buffer, offset, strike->bytes,
                              midi_channel_message_bytes(strike->bytes[0]));
        foreign->jack_frames[sent] = jack_frame + offset;
    }
    atomic_store(&foreign->sent, sent);
}

/// Keeps the place of each frame, so that a missed period is a gap and shifts nothing.
static void listen_to_port(struct foreign *foreign, jack_nframes_t frames, uint32_t jack_frame)
{
    const float *buffer = jack_port_get_buffer(foreign->port, frames);
    if (atomic_load(&foreign->heard_frames) == 0)
        foreign->first_jack_frame = jack_frame;
    uint32_t at = jack_frame - foreign->first_jack_frame;
    if (at + frames > EAR_FRAMES)
        return;
    memcpy(foreign->heard + at, buffer, frames * sizeof *buffer);
    atomic_store(&foreign->heard_frames, at + frames);
}

static int process(jack_nframes_t frames, void *data)
{
    struct foreign *foreign = data;
    uint32_t jack_frame = jack_last_frame_time(foreign->client);
    if (foreign->is_ear)
        listen_to_port(foreign, frames, jack_frame);
    else
        send(foreign, frames, jack_frame);
    atomic_fetch_add(&foreign->frame, frames);
    return 0;
}

struct foreign *foreign_create(const char *server, const char *name, bool is_ear)
{
    struct foreign *foreign = calloc(1, sizeof *foreign);
    jack_status_t status;
    assert_non_null(foreign);
    foreign->is_ear = is_ear;
    foreign->client = jack_client_open(name, JackNoStartServer | JackServerName, &status, server);
    assert_non_null(foreign->client);
    foreign->port = is_ear ? jack_port_register(foreign->client, "ear", JACK_DEFAULT_AUDIO_TYPE,
                                                JackPortIsInput, 0)
                           : jack_port_register(foreign->client, "keys", JACK_DEFAULT_MIDI_TYPE,
                                                JackPortIsOutput, 0);
    assert_non_null(foreign->port);
    jack_set_process_callback(foreign->client, process, foreign);
    assert_int_equal(jack_activate(foreign->client), 0);
    return foreign;
}

void foreign_destroy(struct foreign *foreign)
{
    if (!foreign)
        return;
    jack_client_close(foreign->client);
    free(foreign);
}

void foreign_strike(struct foreign *foreign, uint32_t frames, uint8_t status, uint8_t a, uint8_t b)
{
    int count = atomic_load(&foreign->strike_count);
    assert_true(count < KEYBOARD_NOTES);
    foreign->strikes[count] =
        (struct strike){atomic_load(&foreign->frame) + frames, {status, a, b}};
    atomic_store(&foreign->strike_count, count + 1);
}

void foreign_connect(struct foreign *foreign, const char *from, const char *to)
{
    assert_int_equal(jack_connect(foreign->client, from, to), 0);
}

bool foreign_is_connected(struct foreign *foreign, const char *from, const char *to)
{
    bool is_found = false;
    const jack_port_t *port = jack_port_by_name(foreign->client, from);
    const char **names = port ? jack_port_get_all_connections(foreign->client, port) : NULL;
    for (int i = 0; names && names[i]; i++)
        is_found |= strcmp(names[i], to) == 0;
    jack_free(names);
    return is_found;
}
