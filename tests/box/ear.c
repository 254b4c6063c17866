#include "tests/box/ear.h"

#include <errno.h>
#include <jack/jack.h>
#include <jack/midiport.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/box/live.h"

enum { EAR_FRAMES_MAX = EAR_SECONDS * EAR_RATE_HZ, PATIENCE_MS = 5000, GAPS_MAX = 1024 };
enum { DOUBT = 10 * LIVE_PERIOD }; // around a gap: JACK tells of it a little late

struct ear {
    jack_client_t *client;
    jack_port_t *in[2], *midi;
    float *sound[2];
    _Atomic uint32_t frames;
    struct ear_message messages[EAR_MESSAGES];
    _Atomic uint32_t message_count;
    jack_nframes_t next_frame;       ///< JACK's, of the next callback
    _Atomic uint32_t gaps[GAPS_MAX]; ///< frames
    _Atomic uint32_t gap_count;
};

static void note_gap(struct ear *ear)
{
    uint32_t index = atomic_fetch_add(&ear->gap_count, 1);
    if (index < GAPS_MAX)
        atomic_store(&ear->gaps[index], atomic_load(&ear->frames));
}

static void hear_midi(struct ear *ear, jack_nframes_t frames, uint32_t now)
{
    void *buffer = jack_port_get_buffer(ear->midi, frames);
    uint32_t count = atomic_load(&ear->message_count);
    jack_midi_event_t event;
    for (uint32_t i = 0; jack_midi_event_get(&event, buffer, i) == 0; i++) {
        if (count == EAR_MESSAGES || event.size > 3)
            continue;
        ear->messages[count].frame = now + event.time;
        memcpy(ear->messages[count++].bytes, event.buffer, event.size);
    }
    atomic_store(&ear->message_count, count);
}

static int process(jack_nframes_t frames, void *data)
{
    struct ear *ear = data;
    uint32_t now = atomic_load(&ear->frames);
    jack_nframes_t jack_frame = jack_last_frame_time(ear->client);
    if (now > 0 && jack_frame != ear->next_frame)
        note_gap(ear);
    ear->next_frame = jack_frame + frames;
    if (now + frames > EAR_FRAMES_MAX)
        return 0;
    for (int i = 0; i < 2; i++)
        memcpy(ear->sound[i] + now, jack_port_get_buffer(ear->in[i], frames),
               frames * sizeof(float));
    hear_midi(ear, frames, now);
    atomic_store(&ear->frames, now + frames);
    return 0;
}

static int on_xrun(void *data)
{
    note_gap(data);
    return 0;
}

static void connect(struct ear *ear, const char *from, jack_port_t *to)
{
    int status;
    for (int64_t end_ms = live_now_ms() + PATIENCE_MS; live_now_ms() < end_ms; live_sleep_ms(10)) {
        if (!jack_port_by_name(ear->client, from))
            continue;
        status = jack_connect(ear->client, from, jack_port_name(to));
        if (status == 0 || status == EEXIST)
            return;
    }
    fail_msg("cannot listen to %s", from);
}

struct ear *ear_create(void)
{
    struct ear *ear = calloc(1, sizeof *ear);
    jack_status_t status;
    assert_non_null(ear);
    for (int i = 0; i < 2; i++) {
        ear->sound[i] = calloc(EAR_FRAMES_MAX, sizeof(float));
        assert_non_null(ear->sound[i]);
    }
    ear->client = jack_client_open("ear", JackNoStartServer, &status);
    assert_non_null(ear->client);
    ear->in[0] =
        jack_port_register(ear->client, "left", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    ear->in[1] =
        jack_port_register(ear->client, "right", JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput, 0);
    ear->midi = jack_port_register(ear->client, "midi", JACK_DEFAULT_MIDI_TYPE, JackPortIsInput, 0);
    jack_set_process_callback(ear->client, process, ear);
    jack_set_xrun_callback(ear->client, on_xrun, ear);
    assert_int_equal(jack_activate(ear->client), 0);
    connect(ear, "consort:out_left", ear->in[0]);
    connect(ear, "consort:out_right", ear->in[1]);
    return ear;
}

void ear_destroy(struct ear *ear)
{
    if (!ear)
        return;
    jack_client_close(ear->client);
    free(ear->sound[0]);
    free(ear->sound[1]);
    free(ear);
}

void ear_connect_midi(struct ear *ear, const char *port) { connect(ear, port, ear->midi); }

uint32_t ear_frames(const struct ear *ear) { return atomic_load(&ear->frames); }

const float *ear_sound(const struct ear *ear, int channel) { return ear->sound[channel]; }

void ear_listen(struct ear *ear, uint32_t frames)
{
    uint32_t end = ear_frames(ear) + frames;
    int64_t end_ms = live_now_ms() + 3000 + 3 * (int64_t)frames / 48;
    assert_in_range(end, 0, EAR_FRAMES_MAX - 8192);
    while (ear_frames(ear) < end) {
        if (live_now_ms() > end_ms)
            fail_msg("nothing to hear: JACK's callbacks have stopped");
        live_sleep_ms(5);
    }
}

uint32_t ear_message_count(const struct ear *ear) { return atomic_load(&ear->message_count); }

const struct ear_message *ear_message(const struct ear *ear, uint32_t index)
{
    return &ear->messages[index];
}

bool ear_is_whole(const struct ear *ear, uint32_t from, uint32_t to)
{
    uint32_t count = atomic_load(&ear->gap_count);
    for (uint32_t i = 0; i < count && i < GAPS_MAX; i++) {
        uint32_t at = atomic_load(&ear->gaps[i]);
        if (at + DOUBT > from && at < to + DOUBT)
            return false;
    }
    return count <= GAPS_MAX;
}

// ---- what was heard ----

uint32_t sound_onset(const float *sound, uint32_t from, uint32_t to, float level)
{
    while (from < to && fabsf(sound[from]) <= level)
        from++;
    return from;
}

float sound_peak(const float *sound, uint32_t from, uint32_t to)
{
    float peak = 0.0f;
    for (uint32_t i = from; i < to; i++)
        peak = fmaxf(peak, fabsf(sound[i]));
    return peak;
}

float sound_step(const float *sound, uint32_t from, uint32_t to)
{
    float step = 0.0f;
    for (uint32_t i = from + 1; i < to; i++)
        step = fmaxf(step, fabsf(sound[i] - sound[i - 1]));
    return step;
}

double sound_rms(const float *sound, uint32_t from, uint32_t to)
{
    double sum = 0.0;
    for (uint32_t i = from; i < to; i++)
        sum += (double)sound[i] * (double)sound[i];
    return sqrt(sum / (to - from));
}

/// Normalised autocorrelation at a lag, -1..1.
static double likeness(const float *sound, uint32_t from, uint32_t to, uint32_t lag)
{
    double both = 0.0, one = 0.0, other = 0.0;
    for (uint32_t i = from; i + lag < to; i++) {
        both += (double)sound[i] * (double)sound[i + lag];
        one += (double)sound[i] * (double)sound[i];
        other += (double)sound[i + lag] * (double)sound[i + lag];
    }
    return one > 0.0 && other > 0.0 ? both / sqrt(one * other) : 0.0;
}

double sound_key(const float *sound, uint32_t from, uint32_t to)
{
    enum { SHORTEST = EAR_RATE_HZ / 2000, LONGEST = EAR_RATE_HZ / 50 };
    static double like[LONGEST + 2];
    double most = 0.0;
    uint32_t lag;
    if (to <= from + 2 * LONGEST || sound_peak(sound, from, to) < 1e-5f)
        return 0.0;
    for (lag = SHORTEST - 1; lag < LONGEST + 2; lag++)
        most = fmax(most, like[lag] = likeness(sound, from, to, lag));
    // The first peak about as high as the highest: later ones are periods of more than one cycle.
    for (lag = SHORTEST; lag <= LONGEST; lag++)
        if (like[lag] > 0.95 * most && like[lag] >= like[lag - 1] && like[lag] >= like[lag + 1])
            break;
    if (lag > LONGEST)
        return 0.0;
    double curve = like[lag - 1] - 2.0 * like[lag] + like[lag + 1];
    double fine = curve < 0.0 ? 0.5 * (like[lag - 1] - like[lag + 1]) / curve : 0.0;
    return 69.0 + 12.0 * log2(EAR_RATE_HZ / ((lag + fine) * 440.0));
}

float sound_break(const float *sound, uint32_t from, uint32_t to, double hz)
{
    double turn = 2.0 * cos(2.0 * M_PI * hz / EAR_RATE_HZ), worst = 0.0;
    for (uint32_t i = from + 1; i + 1 < to; i++) {
        double left = (double)sound[i + 1] - turn * (double)sound[i] + (double)sound[i - 1];
        worst = fmax(worst, fabs(left));
    }
    return (float)worst;
}
