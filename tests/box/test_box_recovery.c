/// The audio server dies, hangs, or is somebody else's: the box comes back by itself, as it was.
// timeout: 240
// alone: it strikes keys on a live server
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/box/ear.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"
#include "tests/jack/server.h"

enum { BACK_MS = 10000 };

struct stage {
    struct live live;
    struct phone *phone;
    struct child server; ///< started by the test
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    child_init(&stage->server);
    live_create(&stage->live);
    live_configure(&stage->live, &(struct live_config){.rest = "ch1: { program = 19; };"}); // organ
    return 0;
}

static void begin(struct stage *stage)
{
    live_start(&stage->live);
    stage->phone = phone_create(stage->live.port, 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    phone_destroy(stage->phone);
    live_destroy(&stage->live);
    child_finish(&stage->server);
    free(stage);
    return 0;
}

static bool has_state(struct stage *stage, const char *state)
{
    return strcmp(phone_text(stage->phone, "/audio/state"), state) == 0;
}

static void expect_state(struct stage *stage, const char *state, int patience_ms)
{
    int64_t end_ms = live_now_ms() + patience_ms;
    while (!has_state(stage, state)) {
        if (live_now_ms() > end_ms)
            fail_msg("the box is not %s but %s", state, phone_text(stage->phone, "/audio/state"));
        phone_listen(stage->phone, 20);
    }
}

/// Another jackd than `old` runs, and the box plays on it.
static pid_t expect_back(struct stage *stage, pid_t old)
{
    int64_t start_ms = live_now_ms();
    live_expect(&stage->live, "audio: dummy, 48000 Hz", BACK_MS);
    expect_state(stage, "dummy", BACK_MS);
    pid_t jackd = live_jackd(&stage->live);
    assert_true(jackd > 0 && jackd != old);
    live_expect_gone(old);
    printf("back after %d ms\n", (int)(live_now_ms() - start_ms));
    return jackd;
}

static void expect_sound(struct stage *stage)
{
    phone_note(stage->phone, 1, 57, 110);
    phone_expect(stage->phone, "/ch/1/level", -50, 0, 2000);
    struct ear *ear = ear_create();
    ear_listen(ear, LIVE_RATE_HZ / 2);
    uint32_t now = ear_frames(ear);
    assert_true(sound_rms(ear_sound(ear, 0), now - LIVE_RATE_HZ / 10, now) > 1e-3);
    ear_destroy(ear);
    phone_note(stage->phone, 1, 57, 0);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 3000);
}

/// What a player has set, by parameter and by controller.
static const struct {
    const char *address;
    double value;
} settings[] = {{"/ch/1/program", 19},  {"/ch/1/volume", 117},    {"/ch/2/program", 40},
                {"/ch/2/pan", 20},      {"/ch/3/gain", -7.5},     {"/ch/4/transpose", -12},
                {"/ch/5/mute", 1},      {"/ch/6/expression", 77}, {"/ch/6/reverb", 101},
                {"/master/gain", -1.5}, {"/master/tune", 12},     {"/ch/7/bank", 8}};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void change_settings(struct stage *stage)
{
    for (int i = 0; i < SETTINGS; i++)
        if (!strstr(settings[i].address, "/ch/6/"))
            phone_send_number(stage->phone, settings[i].address, settings[i].value);
    phone_control(stage->phone, 6, 11, 77);
    phone_control(stage->phone, 6, 91, 101);
}

static void expect_settings(struct stage *stage)
{
    for (int i = 0; i < SETTINGS; i++)
        phone_expect(stage->phone, settings[i].address, settings[i].value, settings[i].value, 1000);
}

static void test_survives_the_death_of_its_server(void **state)
{
    struct stage *stage = *state;
    struct live *live = &stage->live;
    begin(stage);
    change_settings(stage);
    expect_settings(stage);
    char font[256];
    snprintf(font, sizeof font, "%s", phone_text(stage->phone, "/synth/loaded"));

    pid_t jackd = live_jackd(live);
    assert_true(jackd > 0);
    struct foreign *keys = foreign_create(live->server, "keys", false);
    live_expect(live, "MIDI: keys:keys plugged in", 5000);
    usleep(200000); // JACK connects a few periods later
    foreign_strike(keys, 500, 0x90, 60, 100);
    phone_expect(stage->phone, "/synth/voices", 1, 20, 2000);
    for (int i = 0; i < 2; i++) {
        live_mark(live);
        kill(jackd, SIGKILL);
        jackd = expect_back(stage, jackd);
        expect_settings(stage);
        assert_string_equal(phone_text(stage->phone, "/synth/loaded"), font);
        // The keyboard went with the server, and its note with it.
        phone_expect(stage->phone, "/synth/voices", 0, 0, 3000);
        phone_expect(stage->phone, "/midi/sources", 0, 0, 1000);
    }
    foreign_destroy(keys);
    expect_sound(stage);
    keys = foreign_create(live->server, "keys", false);
    live_expect(live, "MIDI: keys:keys plugged in", 5000);
    usleep(200000); // JACK connects a few periods later
    foreign_strike(keys, 500, 0x90, 60, 100);
    phone_expect(stage->phone, "/synth/voices", 1, 20, 2000);
    foreign_destroy(keys);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 3000);
    live_stop(live, SIGINT);
}

/// OSC answers all the time meanwhile.
static void ask_for(struct stage *stage, int ms)
{
    int64_t end_ms = live_now_ms() + ms;
    for (double gain = 0; live_now_ms() < end_ms; gain -= 0.5) {
        int64_t asked_ms = live_now_ms();
        phone_send_number(stage->phone, "/ch/9/gain", gain);
        phone_expect(stage->phone, "/ch/9/gain", gain, gain, 1500);
        int took_ms = (int)(live_now_ms() - asked_ms);
        if (took_ms > 1000)
            fail_msg("OSC answers after %d ms", took_ms);
        live_sleep_ms(200);
    }
}

static void test_a_server_that_hangs_for_a_while(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    change_settings(stage);
    pid_t jackd = live_jackd(&stage->live);
    live_mark(&stage->live);
    kill(jackd, SIGSTOP);
    ask_for(stage, 5000);
    kill(jackd, SIGCONT); // unless the box has given it up already
    ask_for(stage, 1000);
    expect_state(stage, "dummy", BACK_MS);
    expect_settings(stage);
    expect_sound(stage);
    live_stop(&stage->live, SIGINT);
}

static void test_a_server_that_hangs_for_good(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    pid_t jackd = live_jackd(&stage->live);
    live_mark(&stage->live);
    kill(jackd, SIGSTOP);
    ask_for(stage, 1000);
    expect_back(stage, jackd);
    expect_sound(stage);
    live_stop(&stage->live, SIGINT);
}

static void test_ends_while_its_server_hangs(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    kill(live_jackd(&stage->live), SIGSTOP);
    live_sleep_ms(500);
    int took_ms = live_stop(&stage->live, SIGINT);
    printf("ended after %d ms\n", took_ms);
}

static void test_joins_a_server_and_survives_it(void **state)
{
    struct stage *stage = *state;
    server_start(&stage->server, stage->live.server, LIVE_PERIOD);
    begin(stage);
    assert_true(live_has_said(&stage->live, "joining the JACK server"));
    assert_int_equal(live_jackd(&stage->live), 0);
    expect_state(stage, "running", 1000);
    change_settings(stage);
    expect_sound(stage);
    live_mark(&stage->live);
    child_finish(&stage->server);
    live_expect(&stage->live, "starting jackd on no card", BACK_MS);
    live_expect(&stage->live, "audio: dummy", BACK_MS);
    expect_state(stage, "dummy", BACK_MS);
    expect_settings(stage);
    expect_sound(stage);
    live_stop(&stage->live, SIGINT);
}

static void test_leaves_a_joined_server_running(void **state)
{
    struct stage *stage = *state;
    server_start(&stage->server, stage->live.server, LIVE_PERIOD);
    begin(stage);
    live_stop(&stage->live, SIGINT);
    assert_int_equal(kill(stage->server.pid, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_survives_the_death_of_its_server), TEST(test_a_server_that_hangs_for_a_while),
        TEST(test_a_server_that_hangs_for_good),     TEST(test_ends_while_its_server_hangs),
        TEST(test_joins_a_server_and_survives_it),   TEST(test_leaves_a_joined_server_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
