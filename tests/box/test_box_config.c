/// The config of a running box: changes are taken at once, mistakes change nothing and are named.
// timeout: 180
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/box/live.h"
#include "tests/box/phone.h"

enum { SOON_MS = 3000 };

struct stage {
    struct live live;
    char piece[PATH_MAX]; ///< a MIDI file
    struct phone *phone;
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    assert_non_null(realpath("tests/data/consort_gm.mid", stage->piece));
    return 0;
}

static void begin(struct stage *stage)
{
    live_configure(&stage->live, &(struct live_config){.master = "gain = -3.0;"});
    live_start(&stage->live);
    stage->phone = phone_create(stage->live.port, 0);
    assert_true(phone_number(stage->phone, "/master/gain") == -3);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    phone_destroy(stage->phone);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

static void write_text(struct stage *stage, const char *text)
{
    FILE *file = fopen(stage->live.config, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void rewrite(struct stage *stage, const char *master, const char *rest)
{
    live_mark(&stage->live);
    live_configure(&stage->live, &(struct live_config){.master = master, .rest = rest});
}

static void test_a_saved_file_is_taken(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    rewrite(stage, "gain = -6.0;", "ch3: { volume = 11; };");
    live_expect(&stage->live, "read again, 2 changes\n", SOON_MS);
    phone_expect(stage->phone, "/master/gain", -6, -6, 1000);
    phone_expect(stage->phone, "/ch/3/volume", 11, 11, 1000);
    // A key that has gone goes back to its default.
    rewrite(stage, "gain = -6.0;", NULL);
    live_expect(&stage->live, "read again, 1 changes\n", SOON_MS);
    phone_expect(stage->phone, "/ch/3/volume", 100, 100, 1000);
}

static void test_what_the_file_does_not_change_stays(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    phone_send_number(stage->phone, "/ch/4/volume", 44);
    phone_send_number(stage->phone, "/master/gain", -9);
    phone_expect(stage->phone, "/master/gain", -9, -9, 1000);
    rewrite(stage, "gain = -3.0; tune = 5.0;", NULL);
    live_expect(&stage->live, "read again, 1 changes\n", SOON_MS);
    phone_expect(stage->phone, "/master/tune", 5, 5, 1000);
    assert_true(phone_number(stage->phone, "/ch/4/volume") == 44);
    assert_true(phone_number(stage->phone, "/master/gain") == -9);
}

static void test_sighup_reads_it_again(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    live_mark(&stage->live);
    kill(stage->live.pid, SIGHUP);
    live_expect(&stage->live, "read again, 0 changes\n", SOON_MS);
    // At once, without the quiet time after a save.
    rewrite(stage, "gain = -12.0;", NULL);
    kill(stage->live.pid, SIGHUP);
    phone_expect(stage->phone, "/master/gain", -12, -12, 1000);
    live_stop(&stage->live, SIGTERM);
}

static void expect_refused(struct stage *stage, const char *text, const char *const *words)
{
    live_mark(&stage->live);
    write_text(stage, text);
    live_expect(&stage->live, "is not used; everything stays as it is\n", SOON_MS);
    for (; *words; words++)
        if (!live_has_said(&stage->live, *words))
            fail_msg("\"%s\" was not said", *words);
    assert_true(phone_number(stage->phone, "/master/gain") == -3);
    assert_true(phone_number(stage->phone, "/ch/3/volume") == 100);
}

static void test_mistakes_are_named_and_change_nothing(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    expect_refused(stage, "master: { gain = -9.0;\n", (const char *[]){"consort.cfg:", NULL});
    expect_refused(stage, "master: {\n  gain = -9.0;\n  gian = -9.0;\n};\n",
                   (const char *[]){"consort.cfg:3: ", "gian", "master.gain", NULL});
    expect_refused(stage,
                   "master: { gain = -9.0; };\n"
                   "ch3: { volume = 128; };\n"
                   "ch17: { volume = 1; };\n"
                   "synth: { quality = \"best\"; };\n"
                   "audio: { period = \"short\"; };\n",
                   (const char *[]){"consort.cfg:2: ", "0 to 127", "consort.cfg:3: ",
                                    "consort.cfg:4: ", "none, linear, cubic or sinc",
                                    "consort.cfg:5: ", "16 to 4096", NULL});
    live_mark(&stage->live);
    remove(stage->live.config);
    live_expect(&stage->live, "there is no such file", SOON_MS);
    assert_true(phone_number(stage->phone, "/master/gain") == -3);
    rewrite(stage, "gain = -4.0;", NULL);
    live_expect(&stage->live, "read again, 1 changes\n", SOON_MS);
    phone_expect(stage->phone, "/master/gain", -4, -4, 1000);
}

static void test_keys_for_the_next_start_say_so(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    live_mark(&stage->live);
    live_configure(&stage->live,
                   &(struct live_config){.master = "gain = -3.0;", .synth = "shards = 3;"});
    live_expect(&stage->live, "synth.shards takes effect at the next start\n", SOON_MS);
    live_expect(&stage->live, "read again, 1 changes\n", SOON_MS);
    assert_true(phone_number(stage->phone, "/synth/shards") == 8);
    live_stop(&stage->live, SIGINT);
    live_start(&stage->live);
    phone_destroy(stage->phone);
    stage->phone = phone_create(stage->live.port, 0);
    assert_true(phone_number(stage->phone, "/synth/shards") == 3);
}

static void test_the_last_good_file_is_used_at_start(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    rewrite(stage, "gain = -7.0;", NULL);
    live_expect(&stage->live, "read again, 1 changes\n", SOON_MS);
    live_stop(&stage->live, SIGINT);
    live_mark(&stage->live);
    write_text(stage, "master: { gain = 99.0; };\n");
    live_start(&stage->live);
    assert_true(live_has_said(&stage->live, "consort.cfg:1: "));
    assert_true(live_has_said(&stage->live, "is not used; the last good one is\n"));
    phone_destroy(stage->phone);
    stage->phone = phone_create(stage->live.port, 0);
    assert_true(phone_number(stage->phone, "/master/gain") == -7);
    live_stop(&stage->live, SIGINT);
}

/// What was set stays, and there is sound again.
static void expect_playing(struct stage *stage)
{
    phone_expect(stage->phone, "/ch/1/gain", -2, -2, 2000);
    phone_expect(stage->phone, "/ch/1/transpose", 12, 12, 2000);
    phone_note(stage->phone, 1, 60, 100);
    phone_expect(stage->phone, "/ch/1/level", -60, 0, 2000);
}

static void test_a_new_period_and_rate_restart_the_server(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    pid_t before = live_jackd(&stage->live);
    double latency_ms = phone_number(stage->phone, "/audio/latency");
    phone_send_number(stage->phone, "/ch/1/gain", -2);
    phone_send_number(stage->phone, "/ch/1/transpose", 12);
    expect_playing(stage);
    live_mark(&stage->live);
    live_configure(&stage->live, &(struct live_config){.master = "gain = -3.0;", .period = 1024});
    live_expect(&stage->live, "starting jackd afresh with the new settings\n", SOON_MS);
    live_expect(&stage->live, "audio: dummy, 48000 Hz, 1024 frames per period\n", 10000);
    live_expect_gone(before);
    phone_expect(stage->phone, "/audio/latency", latency_ms + 10, latency_ms + 100, 2000);
    expect_playing(stage);
    // Another rate takes another engine, whatever the one before plays and holds.
    phone_send_text(stage->phone, "/player/file", stage->piece);
    phone_expect(stage->phone, "/player/position", 0.1, 100, 3000);
    live_configure(&stage->live,
                   &(struct live_config){.master = "gain = -3.0;", .audio = "rate = 44100;"});
    live_expect(&stage->live, "audio: dummy, 44100 Hz, 256 frames per period\n", 10000);
    expect_playing(stage);
    live_stop(&stage->live, SIGINT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_a_saved_file_is_taken),
        TEST(test_what_the_file_does_not_change_stays),
        TEST(test_sighup_reads_it_again),
        TEST(test_mistakes_are_named_and_change_nothing),
        TEST(test_keys_for_the_next_start_say_so),
        TEST(test_the_last_good_file_is_used_at_start),
        TEST(test_a_new_period_and_rate_restart_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
