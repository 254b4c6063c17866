/// The box by OSC, with tools that know nothing of it (oscsend, oscdump, liblo itself) and with its
/// own (consort get, set, watch, panic).
// timeout: 180
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/param.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"

struct stage {
    struct live live;
    struct phone *phone;
    char said[65536]; ///< by the last tool
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    return 0;
}

static void begin(struct stage *stage)
{
    live_configure(&stage->live, &(struct live_config){.rest = "ch1: { program = 19; };"}); // organ
    live_start(&stage->live);
    stage->phone = phone_create(stage->live.port, 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    phone_destroy(stage->phone);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

/// Runs a tool; it must end with `status` and say `words`.
static void run(struct stage *stage, const char *command, int status, const char *words)
{
    int got = live_run(&stage->live, command, stage->said, sizeof stage->said);
    if (got != status || !strstr(stage->said, words))
        fail_msg("%s: exit %d instead of %d, or \"%s\" is not in: %s", command, got, status, words,
                 stage->said);
}

static void test_get_and_set(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *phone = stage->phone;
    assert_true(phone_number(phone, "/ch/3/volume") == 100);
    phone_send_number(phone, "/ch/3/volume", 64);
    phone_expect(phone, "/ch/3/volume", 64, 64, 1000);
    phone_send_number(phone, "/ch/3/volume/normalized", 1);
    phone_expect(phone, "/ch/3/volume", 127, 127, 1000);
    phone_send_text(phone, "/synth/quality", "linear");
    for (int i = 0; i < 100 && strcmp(phone_text(phone, "/synth/quality"), "linear"); i++)
        phone_listen(phone, 10);
    assert_string_equal(phone_text(phone, "/synth/quality"), "linear");
    assert_string_equal(phone_text(phone, "/audio/state"), "dummy");
    assert_string_equal(phone_text(phone, "/ch/1/preset"), "Church Organ");
    phone_send_number(phone, "/ch/*/mute", 1);
    phone_expect(phone, "/ch/16/mute", 1, 1, 1000);
    assert_true(phone_number(phone, "/ch/1/mute") == 1);
}

static void expect_error(struct phone *phone, const char *words)
{
    const struct phone_value *error = NULL;
    for (int i = 0; i < 100 && !error; i++) {
        phone_listen(phone, 20);
        error = phone_heard(phone, "/error");
    }
    if (!error || !strstr(error->text, words))
        fail_msg("no error with \"%s\", but: %s", words, error ? error->text : "none");
    phone_forget(phone);
}

static void test_errors_name_address_and_reason(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *phone = stage->phone;
    phone_send(phone, "/synth/polyfony");
    expect_error(phone, "/synth/polyphony");
    phone_send_number(phone, "/master/gain", 13);
    expect_error(phone, "-60 to 12 dB");
    phone_send_text(phone, "/synth/quality", "best");
    expect_error(phone, "none, linear, cubic or sinc");
    phone_send_number(phone, "/audio/xruns", 0);
    expect_error(phone, "read only");
    phone_send_number(phone, "/synth/shards", 4);
    expect_error(phone, "taken at start only");
    phone_note(phone, 17, 60, 100);
    expect_error(phone, "");
    phone_note(phone, 1, 128, 100);
    expect_error(phone, "127");
    assert_true(phone_number(phone, "/master/gain") == 0);
    assert_true(phone_number(phone, "/synth/voices") == 0);
}

static void test_a_dump_is_the_whole_state(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *phone = stage->phone;
    phone_send(phone, "/dump");
    phone_listen(phone, 1500);
    assert_int_equal(phone_heard_addresses(phone), PARAM_COUNT);
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        char path[64];
        param_path(i, path, sizeof path);
        if (!phone_heard(phone, path))
            fail_msg("%s is not in the dump", path);
    }
}

static void test_subscribers_see_changes(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *watcher = phone_create(stage->live.port, 0);
    phone_send(watcher, "/subscribe");
    phone_listen(watcher, 1500);
    assert_int_equal(phone_heard_addresses(watcher), PARAM_COUNT);
    phone_expect(stage->phone, "/osc/clients", 1, 1, 1000);
    phone_forget(watcher);
    phone_send_number(stage->phone, "/ch/7/pan", 12);
    phone_control(stage->phone, 8, 7, 33); // a controller is a parameter too
    phone_listen(watcher, 500);
    const struct phone_value *pan = phone_heard(watcher, "/ch/7/pan");
    const struct phone_value *volume = phone_heard(watcher, "/ch/8/volume");
    assert_true(pan && pan->number == 12 && pan->count == 1);
    assert_true(volume && volume->number == 33 && volume->count == 1);
    // A storm arrives as at most 30 a second, the last value in any case.
    phone_forget(watcher);
    for (int i = 0; i <= 400; i++) {
        phone_send_number(stage->phone, "/ch/7/gain", -i / 40.0);
        live_sleep_ms(2);
    }
    phone_listen(watcher, 300);
    const struct phone_value *gain = phone_heard(watcher, "/ch/7/gain");
    assert_true(gain && gain->number == -10);
    assert_in_range(gain->count, 5, 60);
    phone_send(watcher, "/unsubscribe");
    phone_expect(stage->phone, "/osc/clients", 0, 0, 1000);
    phone_destroy(watcher);
}

static void test_oscsend_plays(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *phone = stage->phone;
    assert_true(phone_number(phone, "/master/peak/left") < -100);
    run(stage, "oscsend localhost $PORT /ch/1/note iii 57 110 20000", 0, "");
    phone_expect(phone, "/master/peak/left", -60, 0, 2000);
    phone_expect(phone, "/ch/1/level", -60, 0, 1000);
    phone_expect(phone, "/synth/voices", 1, 20, 1000);
    phone_send(phone, "/panic");
    phone_expect(phone, "/synth/voices", 0, 0, 1000);
    // The meter falls 20 dB a second: nothing sounds on.
    phone_expect(phone, "/master/peak/left", -120, -60, 5000);
}

static void test_oscsend_by_tcp(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    run(stage, "oscsend osc.tcp://localhost:$PORT /master/gain f 2.5", 0, "");
    phone_expect(stage->phone, "/master/gain", 2.5, 2.5, 2000);
}

static void test_oscdump_sees_changes(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    struct phone *before = phone_create(stage->live.port, 0);
    char command[512];
    // A subscription is a port's: oscdump takes over the one that asked.
    phone_send(before, "/subscribe");
    phone_listen(before, 800);
    snprintf(command, sizeof command,
             "sh -c 'timeout 3 oscdump -L %u & sleep 1; oscsend localhost $PORT /ch/5/reverb i 99; "
             "wait'",
             phone_port(before));
    phone_destroy(before);
    run(stage, command, 0, "/ch/5/reverb i 99");
}

static void test_the_tools_of_the_box(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    run(stage, "$CONSORT get --port $PORT /master/gain", 0, "/master/gain 0\n");
    run(stage, "$CONSORT get --json --port $PORT /audio/state", 0,
        "{\"address\": \"/audio/state\", \"value\": \"dummy\"}\n");
    run(stage, "$CONSORT set --port $PORT /master/gain -4.5", 0, "/master/gain -4.5\n");
    assert_true(phone_number(stage->phone, "/master/gain") == -4.5);
    run(stage, "$CONSORT set --port $PORT /master/gain 99", 1, "-60 to 12 dB");
    run(stage, "$CONSORT get --port $PORT /no/such/thing", 1, "no such address");
    run(stage, "$CONSORT get --port $PORT", 2, "usage");
    run(stage, "$CONSORT get --port 1 /master/gain", 1, "is Consort running");
    run(stage,
        "sh -c '$CONSORT watch --port $PORT \"/ch/2/*\" > seen & sleep 1; "
        "$CONSORT set --port $PORT /ch/2/transpose 7; sleep 0.5; kill -TERM $!; wait $!; "
        "echo ended with $?; cat seen'",
        0, "ended with 0\n");
    assert_non_null(strstr(stage->said, "/ch/2/volume 100\n"));
    assert_non_null(strstr(stage->said, "/ch/2/transpose 0\n"));
    assert_non_null(strstr(stage->said, "/ch/2/transpose 7\n"));
    assert_null(strstr(stage->said, "/ch/3/"));
    phone_note(stage->phone, 1, 60, 100);
    phone_note(stage->phone, 1, 64, 100);
    phone_expect(stage->phone, "/synth/voices", 2, 40, 2000);
    run(stage, "$CONSORT panic --port $PORT", 0, "");
    phone_expect(stage->phone, "/synth/voices", 0, 0, 1000);
}

/// Closing the phone does not end its notes at once, since UDP knows no end; TCP does.
static void test_the_end_of_a_connection_ends_its_notes(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    phone_note(stage->phone, 1, 48, 100);
    phone_expect(stage->phone, "/synth/voices", 1, 20, 2000);
    double before = phone_number(stage->phone, "/synth/voices");
    run(stage, "oscsend osc.tcp://localhost:$PORT /ch/1/note ii 72 100", 0, "");
    phone_listen(stage->phone, 1500);
    phone_expect(stage->phone, "/synth/voices", before, before, 3000);
    live_stop(&stage->live, SIGINT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_get_and_set),
        TEST(test_errors_name_address_and_reason),
        TEST(test_a_dump_is_the_whole_state),
        TEST(test_subscribers_see_changes),
        TEST(test_oscsend_plays),
        TEST(test_oscsend_by_tcp),
        TEST(test_oscdump_sees_changes),
        TEST(test_the_tools_of_the_box),
        TEST(test_the_end_of_a_connection_ends_its_notes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
