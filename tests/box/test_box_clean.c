/// The end of a box: soon, with exit code 0, nothing left behind, and whole files.
// timeout: 240
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/sound_file.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"
#include "tests/jack/server.h"

enum { SOON_MS = 3000, BREATH_MS = 1000 };

struct stage {
    struct live live, other;
    struct phone *phone;
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    return 0;
}

static void begin(struct stage *stage, const struct live_config *config)
{
    live_configure(&stage->live, config);
    live_start(&stage->live);
    stage->phone = phone_create(stage->live.port, 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    phone_destroy(stage->phone);
    if (stage->other.folder[0])
        live_destroy(&stage->other);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

/// A sound file in the box's folder, whole: its length in seconds and its peak.
static void read_recording(struct stage *stage, const char *name, double *seconds, float *peak)
{
    char path[128], error[256] = "";
    struct sound sound;
    live_path(&stage->live, name, path, sizeof path);
    if (sound_file_read_all(path, 100 * LIVE_RATE_HZ, &sound, error, sizeof error))
        fail_msg("%s", error);
    assert_int_equal(sound.channels, 2);
    assert_int_equal(sound.rate_hz, LIVE_RATE_HZ);
    *seconds = (double)sound.frames / LIVE_RATE_HZ;
    *peak = 0.0f;
    for (uint64_t i = 0; i < 2 * sound.frames; i++)
        *peak = fmaxf(*peak, fabsf(sound.samples[i]));
    printf("%s: %.2f s, peak %.3f\n", name, *seconds, (double)*peak);
    sound_finish(&sound);
}

static void end_with_notes_held(struct stage *stage, int signal_number)
{
    double seconds;
    float peak;
    int64_t start_ms = live_now_ms();
    begin(stage, &(struct live_config){.audio = "record = \"take.wav\";",
                                       .rest = "ch1: { program = 19; };"}); // organ
    assert_true(live_has_said(&stage->live, "recording to take.wav"));
    struct foreign *keys = foreign_create(stage->live.server, "keys", false);
    live_expect(&stage->live, "MIDI: keys:keys plugged in", 5000);
    usleep(200000); // JACK connects a few periods later
    foreign_strike(keys, 100, 0x90, 48, 100);
    foreign_strike(keys, 100, 0xB0, 64, 127);
    phone_note(stage->phone, 1, 60, 100);
    phone_note(stage->phone, 2, 64, 100);
    phone_expect(stage->phone, "/synth/voices", 3, 60, 2000);
    live_sleep_ms(BREATH_MS);
    int took_ms = live_stop(&stage->live, signal_number);
    double lived = (double)(live_now_ms() - start_ms) / 1000.0;
    printf("ended after %d ms\n", took_ms);
    assert_true(took_ms < SOON_MS);
    foreign_destroy(keys);
    read_recording(stage, "take.wav", &seconds, &peak);
    assert_true(seconds > 0.9 && seconds < lived);
    assert_true(peak > 0.01f);
}

static void test_ends_at_ctrl_c(void **state) { end_with_notes_held(*state, SIGINT); }

static void test_ends_as_a_service(void **state) { end_with_notes_held(*state, SIGTERM); }

static void test_the_recording_follows_its_parameter(void **state)
{
    struct stage *stage = *state;
    double seconds;
    float peak;
    begin(stage, &(struct live_config){.rest = "ch1: { program = 19; };"});
    phone_send_text(stage->phone, "/audio/record", "one.wav");
    live_expect(&stage->live, "recording to one.wav", 2000);
    phone_note(stage->phone, 1, 60, 100);
    live_sleep_ms(BREATH_MS);
    phone_send_text(stage->phone, "/audio/record", "");
    live_sleep_ms(BREATH_MS);
    read_recording(stage, "one.wav", &seconds, &peak);
    assert_true(seconds > 0.7 && seconds < 3.0 && peak > 0.01f);
    phone_send_text(stage->phone, "/audio/record", "/nowhere/two.wav");
    live_expect(&stage->live, "cannot record to /nowhere/two.wav: ", 2000);
    live_stop(&stage->live, SIGINT);
}

static void test_plays_a_demo_into_a_file(void **state)
{
    struct stage *stage = *state;
    double seconds;
    float peak;
    begin(stage, &(struct live_config){.has_demo = true});
    live_expect(&stage->live, "demo: J. S. Bach", 2000);
    phone_expect(stage->phone, "/player/position", 1.5, 100, 5000);
    assert_true(phone_number(stage->phone, "/player/length") > 10);
    phone_expect(stage->phone, "/master/peak/left", -60, 0, 1000);
    assert_true(live_stop(&stage->live, SIGINT) < SOON_MS);
    read_recording(stage, "consort-demo.wav", &seconds, &peak);
    assert_true(seconds > 1.0 && peak > 0.01f);
}

static void test_the_demo_ends_when_somebody_plays(void **state)
{
    struct stage *stage = *state;
    begin(stage, &(struct live_config){.has_demo = true});
    phone_expect(stage->phone, "/player/position", 0.2, 100, 5000);
    struct foreign *keys = foreign_create(stage->live.server, "keys", false);
    live_expect(&stage->live, "MIDI: keys:keys plugged in", 5000);
    usleep(200000);                           // JACK connects a few periods later
    foreign_strike(keys, 100, 0x99, 76, 100); // a woodblock, soon over
    live_expect(&stage->live, "demo: ends, you play\n", 2000);
    phone_expect(stage->phone, "/player/length", 0, 0, 2000);
    live_expect(&stage->live, "demo: recorded to consort-demo.wav\n", 10000);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 1000);
    foreign_destroy(keys);
    live_stop(&stage->live, SIGINT);
}

static void test_no_demo_for_who_has_a_keyboard(void **state)
{
    struct stage *stage = *state;
    struct child server;
    struct stat file;
    char path[128];
    child_init(&server);
    server_start(&server, stage->live.server, LIVE_PERIOD);
    struct foreign *keys = foreign_create(stage->live.server, "keys", false);
    begin(stage, &(struct live_config){.has_demo = true});
    live_expect(&stage->live, "MIDI: keys:keys plugged in", 5000);
    live_sleep_ms(500);
    assert_false(live_has_said(&stage->live, "demo:"));
    assert_int_not_equal(
        stat(live_path(&stage->live, "consort-demo.wav", path, sizeof path), &file), 0);
    foreign_destroy(keys);
    live_stop(&stage->live, SIGINT);
    child_finish(&server);
}

static void test_ends_before_it_is_ready(void **state)
{
    struct stage *stage = *state;
    live_configure(&stage->live, &(struct live_config){0});
    for (int ms = 0; ms < 400; ms += 80) {
        live_launch(&stage->live);
        live_expect(&stage->live, "config: ", 10000);
        live_sleep_ms(ms);
        assert_true(live_stop(&stage->live, SIGINT) < SOON_MS);
    }
}

/// A second box on the port of the first says why it cannot.
static void test_a_taken_port_is_said(void **state)
{
    struct stage *stage = *state;
    begin(stage, &(struct live_config){0});
    live_create(&stage->other);
    FILE *file = fopen(stage->other.config, "w");
    assert_non_null(file);
    fprintf(file, "osc: { port = %u; };\n", stage->live.port);
    fclose(file);
    live_launch(&stage->other);
    for (int i = 0; i < 1000 && live_is_alive(&stage->other); i++)
        live_sleep_ms(10);
    assert_int_equal(stage->other.pid, 0);
    assert_true(WIFEXITED(stage->other.status));
    assert_int_equal(WEXITSTATUS(stage->other.status), 1);
    assert_true(live_has_said(&stage->other, "Address already in use"));
    live_stop(&stage->live, SIGINT);
}

/// Without jackd there is no sound, but the box says so, can be asked, and ends.
static void test_lives_without_jackd(void **state)
{
    struct stage *stage = *state;
    const char *path = getenv("PATH");
    char before[4096];
    snprintf(before, sizeof before, "%s", path ? path : "");
    live_configure(&stage->live, &(struct live_config){.rest = ""});
    setenv("PATH", "/nowhere", 1);
    live_launch(&stage->live);
    setenv("PATH", before, 1);
    live_expect(&stage->live, "jackd cannot be run", 5000);
    live_sleep_ms(500);
    assert_false(live_has_said(&stage->live, "\nready\n"));
    assert_true(live_stop(&stage->live, SIGINT) < SOON_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_ends_at_ctrl_c),
        TEST(test_ends_as_a_service),
        TEST(test_the_recording_follows_its_parameter),
        TEST(test_plays_a_demo_into_a_file),
        TEST(test_the_demo_ends_when_somebody_plays),
        TEST(test_no_demo_for_who_has_a_keyboard),
        TEST(test_ends_before_it_is_ready),
        TEST(test_a_taken_port_is_said),
        TEST(test_lives_without_jackd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
