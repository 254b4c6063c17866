// Get, set, play and the commands, message by message, against a fake box.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/osc_reply.h"
#include "tests/net/desk.h"

static int begin(void **state)
{
    *state = desk_create();
    return 0;
}

static int end(void **state)
{
    desk_destroy(*state);
    return 0;
}

static void get(struct desk *desk, const char *address)
{
    desk_forget(desk);
    desk_tell(desk, address, "", 0, 0, 0);
}

static void set(struct desk *desk, const char *address, const char *type, double number)
{
    desk_forget(desk);
    desk_tell(desk, address, type, number, 0, 0);
}

/// Every row of the table can be asked for, and so can its place in its range.
static void test_gets_every_parameter(void **state)
{
    struct desk *desk = *state;
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        const struct param *row = param_row(i);
        char path[64], expected[128];
        param_path(i, path, sizeof path);
        desk->now_ns += MS;
        get(desk, path);
        assert_int_equal(desk->count, 1);
        assert_true(strncmp(desk_last(desk), path, strlen(path)) == 0);
        assert_true(osc_sender_is_same(&desk->heard[0].to, &desk_app));
        const char type = desk_last(desk)[strlen(path) + 1];
        assert_int_equal(type, "fiiss"[row->type]);

        strcat(path, "/normalized");
        desk->now_ns += 100 * MS;
        get(desk, path);
        assert_int_equal(desk->count, 1);
        snprintf(expected, sizeof expected, "%s f:%g", path,
                 (float)param_normalize(row, desk->box.values[i].number));
        if (row->type == PARAM_TEXT)
            assert_true(strncmp(desk_last(desk), "/error", 6) == 0);
        else
            assert_string_equal(desk_last(desk), expected);
    }
}

static void test_sets_with_every_type(void **state)
{
    struct desk *desk = *state;
    const double *volume = &desk->box.values[PARAM_CH_VOLUME + 2].number;
    set(desk, "/ch/3/volume", "i", 12);
    assert_true(*volume == 12);
    set(desk, "/ch/3/volume", "f", 12.6);
    assert_true(*volume == 13);
    set(desk, "/ch/3/volume", "d", 99);
    assert_true(*volume == 99);
    set(desk, "/ch/3/volume/normalized", "f", 1);
    assert_true(*volume == 127);
    set(desk, "/ch/3/mute", "T", 0);
    assert_true(desk->box.values[PARAM_CH_MUTE + 2].number == 1);
    set(desk, "/ch/3/mute", "F", 0);
    assert_true(desk->box.values[PARAM_CH_MUTE + 2].number == 0);
    set(desk, "/master/gain", "f", -3.5);
    assert_true(desk->box.values[PARAM_MASTER_GAIN].number == -3.5);
    set(desk, "/synth/quality", "i", 1);
    assert_true(desk->box.values[PARAM_SYNTH_QUALITY].number == 1);
    desk_tell_text(desk, "/synth/quality", "sinc");
    assert_true(desk->box.values[PARAM_SYNTH_QUALITY].number == 3);
    desk_tell_text(desk, "/synth/font", "Flügel.sf2");
    assert_string_equal(desk->box.values[PARAM_SYNTH_FONT].text, "Flügel.sf2");
    assert_int_equal(desk->box.last_setting.frame, EVENT_NOW);
    assert_int_equal(desk->count, 0); // what succeeds is not answered
}

static void test_refuses_with_the_range(void **state)
{
    struct desk *desk = *state;
    const uint64_t before = desk->box.serial;
    set(desk, "/synth/polyphony", "i", 99999);
    assert_string_equal(desk_last(desk),
                        "/error s:/synth/polyphony s:99999: must be 16 to 2048 voices");
    set(desk, "/ch/3/volume/normalized", "f", 1.5);
    assert_string_equal(desk_last(desk), "/error s:/ch/3/volume/normalized s:1.5: must be 0 to 1");
    set(desk, "/master/gain", "f", NAN);
    assert_string_equal(desk_last(desk),
                        "/error s:/master/gain s:the argument is not a finite number");
    set(desk, "/master/gain", "f", INFINITY);
    assert_string_equal(desk_last(desk),
                        "/error s:/master/gain s:the argument is not a finite number");
    set(desk, "/audio/xruns", "i", 0);
    assert_string_equal(desk_last(desk),
                        "/error s:/audio/xruns s:is read only: the box reports it");
    desk_tell_text(desk, "/synth/quality", "best");
    assert_non_null(strstr(desk_last(desk), "best: must be none, linear, cubic or sinc"));
    desk_tell_text(desk, "/synth/font", "\xc3\x28");
    assert_non_null(strstr(desk_last(desk), "UTF-8"));
    set(desk, "/synth/font", "i", 3);
    assert_non_null(strstr(desk_last(desk), "text"));
    desk_forget(desk);
    desk_tell(desk, "/master/gain", "ff", 1, 2, 0);
    assert_string_equal(desk_last(desk), "/error s:/master/gain s:takes one argument, not 2");
    desk->box.is_full = true;
    set(desk, "/master/gain", "f", 1);
    assert_string_equal(desk_last(desk), "/error s:/master/gain s:the box is busy: try again");
    desk->box.is_full = false;
    assert_int_equal(desk->box.serial, before);
}

static void test_names_the_nearest_address(void **state)
{
    struct desk *desk = *state;
    get(desk, "/synth/polyfony");
    assert_non_null(strstr(desk_last(desk), "the nearest is /synth/polyphony"));
    get(desk, "/pannic");
    assert_non_null(strstr(desk_last(desk), "the nearest is /panic"));
    get(desk, "/ch/12/not");
    assert_non_null(strstr(desk_last(desk), "the nearest is /ch/12/note"));
    get(desk, "/ch/17/note");
    assert_non_null(strstr(desk_last(desk), "no such address"));
    get(desk, "/zzzzzzzzzzzzz");
    assert_non_null(strstr(desk_last(desk), "/dump lists all"));
}

static void test_patterns_get_and_set(void **state)
{
    struct desk *desk = *state;
    get(desk, "/ch/{1,12}/volume");
    assert_int_equal(desk->count, 2);
    assert_string_equal(desk->heard[0].text, "/ch/1/volume i:100");
    assert_string_equal(desk->heard[1].text, "/ch/12/volume i:100");
    assert_int_equal(desk->datagrams, 1);
    set(desk, "/ch/[1-4]/pan", "i", 3);
    for (unsigned part = 0; part < PARTS; part++)
        assert_true(desk->box.values[PARAM_CH_PAN + part].number == (part < 4 ? 3 : 64));
    set(desk, "/ch/*/volume/normalized", "f", 0);
    for (unsigned part = 0; part < PARTS; part++)
        assert_true(desk->box.values[PARAM_CH_VOLUME + part].number == 0);
    get(desk, "/c?/1/{volume,pan}/normalized");
    assert_int_equal(desk->count, 2);
    get(desk, "/nothing/*");
    assert_non_null(strstr(desk_last(desk), "matches no address"));
    get(desk, "/ch/[");
    assert_non_null(strstr(desk_last(desk), "brackets"));
}

static void test_answers_fit_into_one_datagram(void **state)
{
    struct desk *desk = *state;
    get(desk, "/*/*/*");
    assert_int_equal(desk->datagrams, 1);
    assert_true(desk->count > 20);
    assert_non_null(strstr(desk_last(desk), "do not fit into one datagram"));
}

static const struct event *played(const struct desk *desk)
{
    assert_true(desk->box.played_count > 0);
    return &desk->box.played[desk->box.played_count - 1];
}

static void test_plays(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/3/note", "ii", 60, 100, 0);
    assert_int_equal(played(desk)->type, EVENT_PART_NOTE_ON);
    assert_int_equal(played(desk)->channel, 2);
    assert_int_equal(played(desk)->frame, EVENT_NOW);
    assert_int_equal(played(desk)->note.key, 60);
    assert_int_equal(played(desk)->note.velocity, 100);
    assert_string_equal(desk->box.last_name, "osc 10.0.0.7:4711");
    const unsigned source = played(desk)->source;
    desk_tell(desk, "/ch/3/note", "ff", 60, 0, 0);
    assert_int_equal(played(desk)->type, EVENT_PART_NOTE_OFF);
    assert_int_equal(played(desk)->source, source);
    desk_tell(desk, "/ch/16/cc", "ii", 64, 127, 0);
    assert_int_equal(played(desk)->type, EVENT_PART_CONTROL);
    assert_int_equal(played(desk)->channel, 15);
    assert_int_equal(played(desk)->control.number, 64);
    assert_int_equal(played(desk)->control.value, 127);
    desk_tell(desk, "/ch/1/bend", "f", 1, 0, 0);
    assert_int_equal(played(desk)->bend, 8191);
    desk_tell(desk, "/ch/1/bend", "f", -1, 0, 0);
    assert_int_equal(played(desk)->bend, -8192);
    desk_tell(desk, "/ch/1/bend", "i", -100, 0, 0);
    assert_int_equal(played(desk)->bend, -100);
    desk_tell(desk, "/ch/1/pressure", "i", 5, 0, 0);
    assert_int_equal(played(desk)->type, EVENT_PART_CHANNEL_PRESSURE);
    assert_int_equal(played(desk)->pressure, 5);
    desk_tell(desk, "/ch/1/keypressure", "ii", 60, 7, 0);
    assert_int_equal(played(desk)->type, EVENT_PART_KEY_PRESSURE);
    desk_forget(desk);
    desk_tell(desk, "/ch/{2,4}/note", "ii", 60, 1, 0);
    assert_int_equal(desk->box.played_count, 2);
    assert_int_equal(desk->box.played[1].channel, 3);
    assert_int_equal(desk->count, 0);
}

static void test_refuses_to_play(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/ch/1/note", "ii", 128, 1, 0);
    assert_string_equal(desk_last(desk), "/error s:/ch/1/note s:key 128: must be 0 to 127");
    desk_tell(desk, "/ch/1/note", "ii", -1, 1, 0);
    desk_tell(desk, "/ch/1/note", "i", 60, 0, 0);
    assert_string_equal(desk_last(desk), "/error s:/ch/1/note s:takes 2 or 3 arguments, not 1");
    desk_tell(desk, "/ch/1/note", "iii", 60, 1, 30001);
    desk_tell(desk, "/ch/1/bend", "f", 1.5, 0, 0);
    desk_tell(desk, "/ch/1/bend", "i", 8192, 0, 0);
    desk_tell(desk, "/ch/1/cc", "if", 7, NAN, 0);
    desk_tell_text(desk, "/ch/1/pressure", "loud");
    assert_int_equal(desk->count, 8);
    desk_tell(desk, "/ch/17/note", "ii", 60, 1, 0);
    desk_tell(desk, "/ch/0/note", "ii", 60, 1, 0);
    desk_tell(desk, "/ch/01/note", "ii", 60, 1, 0);
    assert_int_equal(desk->count, 11);
    assert_int_equal(desk->box.played_count, 0);
}

static void test_commands(void **state)
{
    struct desk *desk = *state;
    get(desk, "/ping");
    assert_string_equal(desk_last(desk), "/pong");
    get(desk, "/info");
    assert_string_equal(desk_last(desk), "/info s:consort s:1.2 i:9000");
    get(desk, "/panic");
    assert_int_equal(played(desk)->type, EVENT_PANIC);
    set(desk, "/subscribe", "i", 99999);
    assert_string_equal(desk_last(desk),
                        "/error s:/subscribe s:takes one argument at most: seconds, 1 to 3600");
}

static void test_answers_are_never_answered(void **state)
{
    struct desk *desk = *state;
    desk_forget(desk);
    desk_tell_text(desk, "/error", "x");
    desk_tell(desk, "/pong", "", 0, 0, 0);
    desk_tell_text(desk, "/info", "consort");
    desk_tell(desk, "/error", "", 0, 0, 0);
    assert_int_equal(desk->count, 0);
}

static void test_packets_are_all_or_nothing(void **state)
{
    struct desk *desk = *state;
    uint8_t packet[256];
    struct osc_reply bundle;
    size_t bytes;
    const struct osc_argument value = osc_int(1);
    osc_reply_start(&bundle);
    osc_reply_add(&bundle, 0, "/ch/1/volume", &value, 1);
    osc_reply_add(&bundle, 0, "/ch/2/volume", &value, 1);
    const void *whole = osc_reply_bytes(&bundle, &bytes);
    assert_true(bytes <= sizeof packet);
    memcpy(packet, whole, bytes);
    packet[bytes - 6] = '!'; // within the types of the second
    desk_receive(desk, &desk_app, packet, bytes);
    assert_true(desk->box.values[PARAM_CH_VOLUME].number == 100);
    assert_true(strncmp(desk_last(desk), "/error s:#packet s:byte ", 24) == 0);
}

static void test_floods_are_dropped(void **state)
{
    struct desk *desk = *state;
    struct osc_counts counts;
    struct osc_sender other = desk_app;
    other.port++;
    for (int i = 0; i < 5000; i++) {
        desk->now_ns += 1000;
        desk_tell(desk, "/ch/1/volume", "i", i % 128, 0, 0);
    }
    osc_session_read_counts(desk->session, &counts);
    assert_int_equal(counts.packets, 5000);
    assert_in_range(counts.dropped, 4480, 4500); // 500 at once and 2000 a second
    desk_tell_from(desk, &other, "/ping", "", 0, 0, 0);
    assert_string_equal(desk_last(desk), "/pong"); // others are heard
    desk->now_ns += 1000 * MS;
    get(desk, "/ping");
    assert_string_equal(desk_last(desk), "/pong");
}

static void test_errors_are_few(void **state)
{
    struct desk *desk = *state;
    for (int i = 0; i < 400; i++)
        desk_tell(desk, "/wrong", "", 0, 0, 0);
    assert_in_range(desk->count, 20, 41);
}

static void test_random_packets_do_no_harm(void **state)
{
    static const char *const addresses[] = {"/ch/1/note",
                                            "/ch/*/note",
                                            "/ch/1/volume",
                                            "/*/*/*",
                                            "/subscribe",
                                            "/dump",
                                            "/synth/font",
                                            "/synth/quality",
                                            "/panic",
                                            "/ch/[",
                                            "/ch/1/cc",
                                            "/unsubscribe",
                                            "/ch/1/keypressure",
                                            "/master/gain/normalized"};
    struct desk *desk = *state;
    srand(11);
    for (int i = 0; i < 8000; i++) {
        char types[4] = "";
        struct osc_sender sender = desk_app;
        sender.port = (uint16_t)(rand() % 50);
        for (int n = rand() % 4; n > 0; n--)
            types[n - 1] = "ifdTF"[rand() % 5]; // from the last to the first
        const double numbers[] = {0, 1, 60, 127, -1, 1e9, NAN, 0.5};
        desk->box.is_full = rand() % 50 == 0;
        desk_tell_from(desk, &sender, addresses[(unsigned)rand() % 14], types, numbers[rand() % 8],
                       numbers[rand() % 8], numbers[rand() % 8]);
        desk->count = 0;
        desk->now_ns += (uint64_t)(rand() % 20) * MS;
        if (rand() % 5 == 0)
            desk_turn(desk);
        if (rand() % 500 == 0)
            desk->now_ns += 31000 * MS;
    }
    desk->box.is_full = false;
    desk_pass(desk, 60000 * MS);
    for (int i = 0; i < SOURCES_MAX; i++)
        assert_false(desk->box.is_open[i]); // all gone silent, all released
    assert_true(desk->largest <= OSC_REPLY_MAX);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_gets_every_parameter),
        DESK_TEST(test_sets_with_every_type),
        DESK_TEST(test_refuses_with_the_range),
        DESK_TEST(test_names_the_nearest_address),
        DESK_TEST(test_patterns_get_and_set),
        DESK_TEST(test_answers_fit_into_one_datagram),
        DESK_TEST(test_plays),
        DESK_TEST(test_refuses_to_play),
        DESK_TEST(test_commands),
        DESK_TEST(test_answers_are_never_answered),
        DESK_TEST(test_packets_are_all_or_nothing),
        DESK_TEST(test_floods_are_dropped),
        DESK_TEST(test_errors_are_few),
        DESK_TEST(test_random_packets_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
