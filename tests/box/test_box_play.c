/// A foreign MIDI client plays through the whole box: the right notes, each on its frame, and
/// keyboards that come and go.
// timeout: 240
// alone: it listens to a live server to the frame
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dsp/engine/engine.h"
#include "dsp/engine/midi.h"
#include "dsp/synth/font.h"
#include "tests/box/ear.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"
#include "tests/box/tone_font.h"
#include "tests/jack/server.h"

enum { ATTEMPTS = 6, SETTLE = 14400, PIECE = 160, NOTE = 4800, ENOUGH = 5 };

/// The box, an ear in front of it, and a phone.
struct stage {
    struct live live;
    struct ear *ear;
    struct phone *phone;
    char font[128];
    pid_t player;
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    live_path(&stage->live, "tones.sf2", stage->font, sizeof stage->font);
    tone_font_write(stage->font);
    return 0;
}

static void begin(struct stage *stage, const struct live_config *config)
{
    live_configure(&stage->live, config);
    live_start(&stage->live);
    stage->ear = ear_create();
    stage->phone = phone_create(stage->live.port, 0);
}

static void end_player(struct stage *stage)
{
    if (stage->player == 0)
        return;
    kill(stage->player, SIGTERM);
    waitpid(stage->player, NULL, 0);
    stage->player = 0;
}

/// Everybody but the box goes.
static void end(struct stage *stage)
{
    end_player(stage);
    phone_destroy(stage->phone);
    ear_destroy(stage->ear);
    stage->phone = NULL;
    stage->ear = NULL;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    end(stage);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

/// jack_midiseq of the jackd2 package: a loop of 100 003 frames, so that no note falls on the same
/// place of a period twice. No two notes sound together.
static void start_player(struct stage *stage)
{
    pid_t parent = getpid();
    stage->player = fork();
    if (stage->player == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() == parent && freopen("/dev/null", "w", stdout))
            execlp("jack_midiseq", "jack_midiseq", "seq", "100003", "1001", "60", "5000", "13337",
                   "64", "3000", "24691", "67", "9000", "41234", "72", "9000", "60007", "55",
                   "8000", "80001", "48", "9000", (char *)NULL);
        _exit(127);
    }
    assert_true(stage->player > 0);
    live_expect(&stage->live, "MIDI: seq:out plugged in", 5000);
    ear_connect_midi(stage->ear, "seq:out");
    ear_listen(stage->ear, SETTLE);
}

static bool is_note_on(const struct ear_message *message)
{
    return (message->bytes[0] & 0xf0) == 0x90 && message->bytes[2] > 0;
}

typedef void check_note(const struct ear *ear, const struct ear_message *message, void *data);

/// Listens for some seconds and checks each note that began meanwhile, and that the server let us
/// hear undisturbed. Returns how many.
static int check_notes(struct stage *stage, int seconds, check_note *check, void *data)
{
    const struct ear *ear = stage->ear;
    uint32_t from = ear_frames(ear);
    ear_listen(stage->ear, (uint32_t)seconds * LIVE_RATE_HZ);
    uint32_t to = ear_frames(ear), count = ear_message_count(ear);
    int checked = 0, passed = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct ear_message *message = ear_message(ear, i);
        uint32_t end = message->frame + NOTE;
        if (!is_note_on(message) || message->frame < from || end > to)
            continue;
        passed++;
        if (!ear_is_whole(ear, message->frame - NOTE, end))
            continue;
        check(ear, message, data);
        checked++;
    }
    // Six in a loop of 2.083 s.
    assert_in_range(passed, seconds * 6 / 2.084 - 2, seconds * 6 / 2.083 + 2);
    printf("%d of %d notes heard undisturbed\n", checked, passed);
    return checked;
}

static struct engine *create_engine(void)
{
    struct engine_settings settings = {
        .sample_rate_hz = LIVE_RATE_HZ, .max_frames = PIECE, .shards = 8, .polyphony = 256};
    struct engine *engine = engine_create(&settings);
    assert_non_null(engine);
    return engine;
}

static void push_messages(struct engine *engine, int ring, const struct ear *ear, uint32_t from)
{
    for (uint32_t i = 0; i < ear_message_count(ear); i++) {
        const struct ear_message *message = ear_message(ear, i);
        struct event events[MIDI_EVENTS_MAX];
        assert_true(message->frame >= from);
        assert_int_equal(midi_translate(message->bytes, 3, events), 1);
        events[0].frame = message->frame - from;
        events[0].source = 1;
        assert_true(engine_push(engine, ring, &events[0]));
    }
}

/// What the ear should have heard on the left: the same messages through an engine of our own,
/// offline, in other periods.
static float *render_twin(const struct stage *stage, uint32_t from, uint32_t to)
{
    static float unused[PIECE];
    char error[256];
    struct engine *engine = create_engine();
    struct font *font = font_load(stage->font, NULL, NULL, error, sizeof error);
    float *sound = calloc(to - from + PIECE, sizeof *sound);
    assert_non_null(font);
    assert_non_null(sound);
    int ring = engine_open_ring(engine, EAR_MESSAGES);
    assert_int_equal(engine_set_font(engine, font), 0);
    struct event off = {.type = EVENT_PARAM, .param = {.index = PARAM_RESONANCE_ON}};
    assert_true(engine_push(engine, ring, &off)); // as the box's config has it
    push_messages(engine, ring, stage->ear, from);
    for (uint32_t at = 0; at < to - from; at += PIECE)
        engine_run(engine, (float *[2]){sound + at, unused}, PIECE);
    engine_destroy(engine);
    font_destroy(font);
    return sound;
}

struct delays {
    int32_t least, most;
};

static void check_onset(const struct ear *ear, const struct ear_message *message, void *data)
{
    struct delays *delays = data;
    const float *left = ear_sound(ear, 0);
    uint32_t end = message->frame + NOTE;
    assert_true(sound_peak(left, message->frame - 100, message->frame) == 0.0f);
    uint32_t onset = sound_onset(left, message->frame, end, 0.0f);
    if (onset == end)
        fail_msg("the note %d at frame %u is missing", message->bytes[1], message->frame);
    int32_t delay = (int32_t)(onset - message->frame);
    delays->least = delay < delays->least ? delay : delays->least;
    delays->most = delay > delays->most ? delay : delays->most;
    double key = sound_key(left, onset + 600, end);
    if (fabs(key - message->bytes[1]) > 0.05)
        fail_msg("key %d sounds as %.2f", message->bytes[1], key);
}

static void test_notes_sound_on_their_frames(void **state)
{
    struct stage *stage = *state;
    struct delays delays = {INT32_MAX, INT32_MIN};
    begin(stage, &(struct live_config){.font = stage->font});
    start_player(stage);
    assert_true(check_notes(stage, 6, check_onset, &delays) >= ENOUGH);
    printf("they sound %d to %d frames after their events\n", delays.least, delays.most);
    // The engine's look-ahead, one for all; the first sample of a sine is 0.
    struct engine *engine = create_engine();
    uint32_t latency_frames = engine_latency_frames(engine);
    engine_destroy(engine);
    assert_true(delays.least == delays.most);
    assert_int_equal(delays.least, latency_frames + 1);
}

/// Keys, chords, pedals, bends and controllers, at odd places.
static uint32_t perform(struct foreign *keys)
{
    static const uint8_t chords[4][4] = {
        {48, 60, 64, 67}, {53, 60, 65, 69}, {55, 59, 62, 67}, {48, 64, 67, 72}};
    uint32_t at = 4801;
    for (int bar = 0; bar < 4; bar++) {
        const uint8_t *chord = chords[bar];
        foreign_strike(keys, at, 0xB0, 64, bar % 2 ? 0 : 127);
        for (int i = 0; i < 4; i++)
            foreign_strike(keys, at += i < 2 ? 997 : 0, 0x90, chord[i], (uint8_t)(70 + 7 * i));
        foreign_strike(keys, at += 3331, 0xE0, 0, (uint8_t)(64 + 9 * bar));
        foreign_strike(keys, at += 1009, 0xB0, 11, (uint8_t)(127 - 20 * bar));
        for (int i = 0; i < 4; i++)
            foreign_strike(keys, at += 1777, 0x80, chord[i], 0);
        at += 2003;
    }
    foreign_strike(keys, at += 10007, 0xB0, 64, 0);
    return at + 24000;
}

/// Plays on a fresh box and compares with the offline twin, up to where the server is late first.
/// Returns for how many frames they were the same.
static uint32_t compare(struct stage *stage)
{
    begin(stage, &(struct live_config){.font = stage->font});
    struct foreign *keys = foreign_create(stage->live.server, "keys", false);
    live_expect(&stage->live, "MIDI: keys:keys plugged in", 5000);
    ear_connect_midi(stage->ear, "keys:keys");
    ear_listen(stage->ear, SETTLE);
    uint32_t from = ear_frames(stage->ear);
    ear_listen(stage->ear, perform(keys));
    uint32_t to = ear_frames(stage->ear), at = from;
    const float *left = ear_sound(stage->ear, 0);
    float *twin = render_twin(stage, from, to);
    while (at < to && ear_is_whole(stage->ear, from, at)) {
        if (fabsf(left[at] - twin[at - from]) > 0.0f)
            fail_msg("frame %u is %g, offline %g", at - from, (double)left[at],
                     (double)twin[at - from]);
        at++;
    }
    printf("%u of %u frames are the same bit for bit; peak %g\n", at - from, to - from,
           (double)sound_peak(left, from, at));
    if (at == to)
        assert_true(sound_peak(left, from, to) > 0.01f);
    free(twin);
    foreign_destroy(keys);
    return at == to ? to - from : 0;
}

static void test_live_sounds_as_offline(void **state)
{
    struct stage *stage = *state;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (compare(stage) > 0)
            return;
        end(stage);
        live_stop(&stage->live, SIGINT);
    }
    fail_msg("the server was late in each of %d attempts: this machine is too busy", ATTEMPTS);
}

static void check_pitch(const struct ear *ear, const struct ear_message *message, void *data)
{
    (void)data;
    uint32_t at = message->frame + 1500;
    double key = sound_key(ear_sound(ear, 0), at, at + 3000);
    if (fabs(key - message->bytes[1]) > 0.3)
        fail_msg("key %d sounds as %.2f", message->bytes[1], key);
}

static void test_a_real_font_has_the_right_pitches(void **state)
{
    struct stage *stage = *state;
    begin(stage, &(struct live_config){.rest = "ch1: { program = 79; };"}); // ocarina
    assert_string_equal(phone_text(stage->phone, "/ch/1/preset"), "Ocarina");
    start_player(stage);
    assert_true(check_notes(stage, 4, check_pitch, NULL) >= ENOUGH);
    // The player goes in the middle of its piece: whatever it holds ends.
    end_player(stage);
    live_expect(&stage->live, "MIDI: seq:out unplugged", 5000);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 5000);
}

/// The key that sounds in the newest third of a second.
static double key_now(struct stage *stage)
{
    ear_listen(stage->ear, LIVE_RATE_HZ / 3);
    uint32_t now = ear_frames(stage->ear);
    return sound_key(ear_sound(stage->ear, 0), now - LIVE_RATE_HZ / 6, now);
}

static void test_keyboards_come_and_go(void **state)
{
    struct stage *stage = *state;
    struct live *live = &stage->live;
    begin(stage, &(struct live_config){.font = stage->font});
    struct foreign *left = foreign_create(live->server, "left", false);
    live_expect(live, "MIDI: left:keys plugged in", 5000);
    struct foreign *right = foreign_create(live->server, "right", false);
    live_expect(live, "MIDI: right:keys plugged in", 5000);
    phone_expect(stage->phone, "/midi/sources", 2, 2, 2000);
    usleep(200000);                            // JACK connects a few periods later
    foreign_strike(left, 1111, 0xB0, 64, 127); // its pedal is its own too
    foreign_strike(left, 2222, 0x90, 57, 100);
    foreign_strike(left, 3333, 0x90, 64, 100);
    foreign_strike(left, 4444, 0x80, 64, 0);
    foreign_strike(right, 5555, 0x90, 76, 100);
    phone_expect(stage->phone, "/synth/voices", 3, 3, 3000);
    phone_expect(stage->phone, "/master/peak/left", -40, 0, 1000);

    foreign_destroy(left);
    live_expect(live, "MIDI: left:keys unplugged", 5000);
    phone_expect(stage->phone, "/synth/voices", 1, 1, 3000);
    phone_expect(stage->phone, "/midi/sources", 1, 1, 2000);
    assert_true(fabs(key_now(stage) - 76.0) < 0.05);

    struct foreign *third = foreign_create(live->server, "third", false);
    live_expect(live, "MIDI: third:keys plugged in", 5000);
    usleep(200000);
    foreign_strike(right, 100, 0x80, 76, 0);
    foreign_strike(third, 9999, 0x90, 67, 100);
    phone_expect(stage->phone, "/synth/voices", 1, 1, 3000);
    ear_listen(stage->ear, LIVE_RATE_HZ / 3);
    assert_true(fabs(key_now(stage) - 67.0) < 0.05);
    assert_string_equal(phone_text(stage->phone, "/midi/last"), "third:keys");
    foreign_strike(third, 100, 0x80, 67, 0);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 3000);
    ear_listen(stage->ear, LIVE_RATE_HZ / 10);
    uint32_t now = ear_frames(stage->ear);
    assert_true(sound_peak(ear_sound(stage->ear, 0), now - 1000, now) == 0.0f);
    foreign_destroy(right);
    foreign_destroy(third);
    live_stop(live, SIGTERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_notes_sound_on_their_frames),
        TEST(test_live_sounds_as_offline),
        TEST(test_a_real_font_has_the_right_pitches),
        TEST(test_keyboards_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
