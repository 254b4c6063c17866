/// The JACK client under a real jackd (dummy driver), with foreign clients that play and listen.
//
// The thread sanitizer cannot see how JACK orders its clients, and ends with JACK's own threads.
// variants: release asan
// alone: it keeps real time
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/audio.h"
#include "dsp/synth/font.h"
#include "tests/jack/server.h"

enum { RATE_HZ = 48000, PERIOD = 256, PATIENCE_MS = 3000, SOURCES = 20 };

/// Everything that the daemon would own.
struct box {
    char server[64];
    struct child jackd;
    struct clock clock;
    struct engine *engine;
    struct font *font;
    int ring;
    struct audio *audio;
    char sources[SOURCES][128]; ///< names by number, "" when closed
    int opened, closed;
};

static int open_source(void *data, const char *name, bool is_keyboard)
{
    struct box *box = data;
    (void)is_keyboard;
    for (int i = 1; i < SOURCES; i++)
        if (box->sources[i][0] == '\0') {
            snprintf(box->sources[i], sizeof box->sources[i], "%s", name);
            box->opened++;
            return i;
        }
    return -ENOSPC;
}

static void close_source(void *data, int source)
{
    struct box *box = data;
    box->sources[source][0] = '\0';
    box->closed++;
}

static struct audio_wiring default_wiring(void)
{
    return (struct audio_wiring){.outputs = "", .midi_connect = ".*", .midi_ignore = ""};
}

static void open_audio(struct box *box)
{
    char error[256];
    struct audio_settings settings = {
        .client = "box",
        .server = box->server,
        .wiring = default_wiring(),
        .sources = {open_source, close_source, box},
        .clock = &box->clock,
    };
    box->audio = audio_open(&settings, error, sizeof error);
    if (!box->audio)
        fail_msg("%s", error);
    assert_int_equal(audio_start(box->audio, box->engine, box->ring, PERIOD), 0);
}

static void load_font(struct box *box)
{
    char path[512], error[256];
    if (font_find("TimGM6mb", path, sizeof path) == 0)
        box->font = font_load(path, NULL, NULL, error, sizeof error);
    if (box->font)
        assert_int_equal(engine_set_font(box->engine, box->font), 0);
}

static int set_up(void **state)
{
    static int number;
    struct box *box = *state = calloc(1, sizeof *box);
    snprintf(box->server, sizeof box->server, "consort-client-%d-%d", getpid(), number++);
    server_start(&box->jackd, box->server, PERIOD);
    clock_init(&box->clock);
    struct engine_settings settings = {
        .sample_rate_hz = RATE_HZ, .max_frames = PERIOD, .shards = 4, .polyphony = 64};
    box->engine = engine_create(&settings);
    assert_non_null(box->engine);
    box->ring = engine_open_ring(box->engine, 1024);
    load_font(box);
    open_audio(box);
    return 0;
}

static int tear_down(void **state)
{
    struct box *box = *state;
    audio_close(box->audio);
    assert_int_equal(box->opened, box->closed);
    assert_false(clock_is_running(&box->clock, clock_now_ns()));
    server_finish(&box->jackd, box->server);
    engine_destroy(box->engine);
    font_destroy(box->font);
    clock_finish(&box->clock);
    free(box);
    return 0;
}

/// Turns the main loop until `holds` does.
static void wait_until(struct box *box, bool (*holds)(struct box *box), const char *what)
{
    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        if (box->audio)
            audio_service(box->audio);
        if (holds(box))
            return;
        usleep(5000);
    }
    fail_msg("waited in vain until %s", what);
}

static void turn(struct box *box, int ms)
{
    for (int i = 0; i < ms; i += 5) {
        audio_service(box->audio);
        usleep(5000);
    }
}

static struct audio_state audio_of(const struct box *box)
{
    struct audio_state state;
    audio_read_state(box->audio, &state);
    return state;
}

static struct engine_state engine_of(const struct box *box)
{
    struct engine_state state;
    engine_read_state(box->engine, &state);
    return state;
}

static bool has_one_source(struct box *box) { return box->opened - box->closed == 2; }

static bool has_two_sources(struct box *box) { return box->opened - box->closed == 3; }

static bool has_no_source(struct box *box) { return box->opened - box->closed == 1; }

static bool is_silent(struct box *box) { return engine_of(box).voices == 0; }

static bool is_lost(struct box *box) { return audio_of(box).is_lost; }

static void test_runs_and_tells_the_time(void **state)
{
    struct box *box = *state;
    struct foreign *ear = foreign_create(box->server, "ear", true);
    turn(box, 1000);
    struct audio_state seen = audio_of(box);
    assert_true(seen.is_running);
    assert_int_equal(audio_rate_hz(box->audio), RATE_HZ);
    assert_int_equal(seen.period_frames, PERIOD);
    assert_true(seen.callbacks > 100);
    assert_true(seen.load > 0.0f);
    assert_in_range(seen.latency_frames, PERIOD + engine_latency_frames(box->engine), 5 * PERIOD);
    assert_true(foreign_is_connected(ear, "box:out_left", "system:playback_1"));
    assert_true(foreign_is_connected(ear, "box:out_right", "system:playback_2"));
    assert_true(clock_is_running(&box->clock, clock_now_ns()));
    // The dummy driver sleeps badly on a busy machine: precision is for tests/base/test_dll.c.
    assert_true(fabs(clock_rate_hz(&box->clock) / RATE_HZ - 1.0) < 0.02);
    uint64_t now = clock_frame_at(&box->clock, clock_now_ns()), frame = engine_of(box).frame;
    assert_in_range(now, frame - 4 * PERIOD, frame + 4 * PERIOD);
    foreign_destroy(ear);
}

/// First frame from `from` on at which something is heard, by JACK's frame time.
static int64_t onset_after(const struct foreign *ear, uint32_t from)
{
    int64_t at = (int64_t)(int32_t)(from - ear->first_jack_frame);
    for (; at < (int64_t)atomic_load(&ear->heard_frames); at++)
        if (fabsf(ear->heard[at]) > 1e-3f)
            return (int64_t)ear->first_jack_frame + at;
    return -1;
}

static void test_each_note_sounds_on_its_frame(void **state)
{
    struct box *box = *state;
    enum { NOTES = 7, APART = 24000 };
    if (!box->font)
        skip();
    struct foreign *keys = foreign_create(box->server, "keys", false);
    struct foreign *ear = foreign_create(box->server, "ear", true);
    foreign_connect(ear, "box:out_left", "ear:ear");
    wait_until(box, has_one_source, "the keyboard is a source");
    foreign_strike(keys, 500, 0xC0, 115, 0); // woodblock: short
    for (uint32_t i = 0; i < NOTES; i++) {
        foreign_strike(keys, 4800 + i * (APART + 37), 0x90, 60, 100);
        foreign_strike(keys, 4800 + i * (APART + 37) + 2000, 0x80, 60, 0);
    }
    for (int i = 0; i < 100 && atomic_load(&keys->sent) < 2 * NOTES + 1; i++)
        turn(box, 100);
    turn(box, 300);
    int64_t delay = -1;
    for (int i = 0; i < NOTES; i++) {
        uint32_t struck = keys->jack_frames[2 * i + 1];
        int64_t onset = onset_after(ear, struck);
        assert_true(onset >= 0);
        if (delay < 0)
            delay = onset - struck;
        // Every one the same: wherever in the period it was struck.
        assert_int_equal(onset - struck, delay);
    }
    // Look-ahead and the attack of the sample, but no period on top.
    assert_in_range(delay, engine_latency_frames(box->engine),
                    engine_latency_frames(box->engine) + 200);
    assert_int_equal(engine_of(box).late_events, 0);
    foreign_destroy(keys);
    foreign_destroy(ear);
}

static void test_each_keyboard_owns_its_notes(void **state)
{
    struct box *box = *state;
    struct foreign *left = foreign_create(box->server, "left", false);
    wait_until(box, has_one_source, "the first keyboard is a source");
    struct foreign *right = foreign_create(box->server, "right", false);
    wait_until(box, has_two_sources, "both keyboards are sources");
    assert_true(foreign_is_connected(left, "left:keys", "box:midi_in_1"));
    assert_true(foreign_is_connected(left, "right:keys", "box:midi_in_2"));
    assert_string_equal(box->sources[2], "left:keys");
    foreign_strike(left, 100, 0xC0, 19, 0); // organ: sounds until released
    foreign_strike(left, 500, 0x90, 60, 100);
    foreign_strike(right, 1000, 0x90, 64, 100);
    turn(box, 200);
    bool has_sound = box->font != NULL;
    uint32_t both = engine_of(box).voices;
    foreign_destroy(left); // pulled, with its key held
    wait_until(box, has_one_source, "the first keyboard is gone");
    turn(box, 1500);
    uint32_t one = engine_of(box).voices;
    assert_true(has_sound ? one > 0 && one < both : one == 0);
    foreign_destroy(right);
    wait_until(box, has_no_source, "the second keyboard is gone");
    wait_until(box, is_silent, "its note has rung out too");
    assert_int_equal(audio_of(box).lost_events, 0);
}

static void test_anyone_may_connect_by_hand(void **state)
{
    struct box *box = *state;
    char error[200];
    struct audio_wiring wiring = default_wiring();
    wiring.midi_connect = "none";
    wiring.outputs = "none";
    assert_int_equal(audio_set_wiring(box->audio, &wiring, error, sizeof error), 0);
    struct foreign *keys = foreign_create(box->server, "keys", false);
    turn(box, 200);
    assert_true(has_no_source(box));
    assert_false(foreign_is_connected(keys, "box:out_left", "system:playback_1"));
    foreign_connect(keys, "keys:keys", "box:midi_in");
    foreign_strike(keys, 1000, 0x90, 60, 100);
    turn(box, 200);
    assert_int_equal(engine_of(box).last_source, 1);
    assert_string_equal(box->sources[1], "JACK");
    foreign_destroy(keys);
    wait_until(box, is_silent, "it is released when disconnected");
}

static void test_wiring_follows_the_patterns(void **state)
{
    struct box *box = *state;
    char error[200];
    struct foreign *keys = foreign_create(box->server, "a2j-keys", false);
    struct foreign *ear = foreign_create(box->server, "ear", true);
    wait_until(box, has_one_source, "the keyboard is a source");
    struct audio_wiring wiring = default_wiring();
    wiring.skips_sequencer = true;
    wiring.outputs = "^ear:";
    assert_int_equal(audio_set_wiring(box->audio, &wiring, error, sizeof error), 0);
    wait_until(box, has_no_source, "the bridge is left alone");
    turn(box, 250);
    assert_true(foreign_is_connected(ear, "box:out_left", "ear:ear")); // one port takes both
    assert_true(foreign_is_connected(ear, "box:out_right", "ear:ear"));
    assert_false(foreign_is_connected(ear, "box:out_left", "system:playback_1"));
    wiring.midi_ignore = "(";
    assert_int_equal(audio_set_wiring(box->audio, &wiring, error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, "no regular expression"));
    foreign_destroy(keys);
    foreign_destroy(ear);
}

static void test_longer_periods_are_rendered_in_pieces(void **state)
{
    struct box *box = *state;
    struct foreign *ear = foreign_create(box->server, "ear", true);
    assert_int_equal(jack_set_buffer_size(ear->client, 4 * PERIOD), 0);
    turn(box, 500);
    assert_int_equal(audio_of(box).period_frames, 4 * PERIOD);
    uint64_t before = engine_of(box).frame;
    turn(box, 300);
    assert_true(engine_of(box).frame >= before + 8 * PERIOD);
    assert_int_equal(clock_period_frames(&box->clock), 4 * PERIOD);
    foreign_destroy(ear);
}

static void test_survives_the_server(void **state)
{
    struct box *box = *state;
    struct foreign *keys = foreign_create(box->server, "keys", false);
    wait_until(box, has_one_source, "the keyboard is a source");
    foreign_strike(keys, 500, 0x90, 60, 100);
    turn(box, 100);
    child_kill(&box->jackd);
    wait_until(box, is_lost, "the server is lost");
    uint64_t frame = engine_of(box).frame;
    int64_t begin_ns = clock_now_ns();
    audio_close(box->audio);
    box->audio = NULL;
    assert_true(clock_now_ns() - begin_ns < 1000000000);
    assert_int_equal(box->opened, box->closed);
    foreign_destroy(keys);
    child_finish(&box->jackd);
    server_start(&box->jackd, box->server, PERIOD);
    open_audio(box);
    wait_until(box, is_silent, "no note hangs over from before");
    assert_true(engine_of(box).frame > frame);
    assert_int_equal(engine_of(box).late_events, 0);
}

static void test_no_server_is_said(void **state)
{
    struct box *box = *state;
    char error[256];
    struct audio_settings settings = {
        .client = "box",
        .server = "consort-nobody",
        .wiring = default_wiring(),
        .sources = {open_source, close_source, box},
        .clock = &box->clock,
    };
    assert_null(audio_open(&settings, error, sizeof error));
    assert_int_equal(errno, ECONNREFUSED);
    assert_non_null(strstr(error, "no JACK server \"consort-nobody\""));
    settings.wiring.outputs = "[";
    assert_null(audio_open(&settings, error, sizeof error));
    assert_int_equal(errno, EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    audio_set_log(NULL, NULL);
    const struct CMUnitTest tests[] = {
        TEST(test_runs_and_tells_the_time),      TEST(test_each_note_sounds_on_its_frame),
        TEST(test_each_keyboard_owns_its_notes), TEST(test_anyone_may_connect_by_hand),
        TEST(test_wiring_follows_the_patterns),  TEST(test_longer_periods_are_rendered_in_pieces),
        TEST(test_survives_the_server),          TEST(test_no_server_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
