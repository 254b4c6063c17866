/// The supervisor with the real jackd. The sound cards alone are played: their list by this
/// program, and `jackd -d alsa` by a script that runs the dummy driver while a card "works".
//
// The thread sanitizer ends with JACK's own threads.
// variants: release asan
// alone: it measures how long a step takes
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/audio.h"
#include "board/child.h"
#include "board/jackd.h"

enum {
    PATIENCE_S = 40,
    HASTE = 3, // the supervisor's time runs faster than ours
};

static char server[64], directory[64], script[80], said[16384];
static struct card cards[4];
static int card_count;
static int64_t worst_ns; ///< longest call of jackd_service

static int list_cards(struct card *list, int most)
{
    int count = card_count < most ? card_count : most;
    memcpy(list, cards, (size_t)count * sizeof *list);
    return count;
}

static void plug(const char *name)
{
    snprintf(cards[card_count].name, sizeof cards[0].name, "%s", name);
    snprintf(cards[card_count].title, sizeof cards[0].title, "Card %s", name);
    card_count++;
}

static void hear(void *data, const char *line)
{
    (void)data;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

/// The card named Good works; any other fails as a busy one does.
static const char script_text[] =
    "#!/bin/sh\n"
    "for a in \"$@\"; do case $a in -nconsort*) name=$a;; esac; done\n"
    "case \"$*\" in\n"
    "*'-d alsa -dhw:Good'*) exec jackd -r \"$name\" -d dummy -r 48000 -p 1024;;\n"
    "*'-d alsa'*) echo 'device busy' >&2; exit 255;;\n"
    "*) exec jackd \"$@\";;\n"
    "esac\n";

static int set_up(void **state)
{
    (void)state;
    static int number;
    snprintf(server, sizeof server, "consort-%d-%d", getpid(), number++);
    setenv("JACK_DEFAULT_SERVER", server, 1);
    strcpy(directory, "/tmp/consort-jackd-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(script, sizeof script, "%s/jackd", directory);
    int descriptor = open(script, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    if (write(descriptor, script_text, sizeof script_text - 1) < 0)
        return -1;
    close(descriptor);
    card_count = 0;
    worst_ns = 0;
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(script);
    return rmdir(directory);
}

static struct jackd_settings settings_for(enum jackd_mode mode)
{
    return (struct jackd_settings){
        .mode = mode,
        .cards = "",
        .name = "consort-beside",
        .rate_hz = 48000,
        .period_frames = 512,
        .periods = 2,
        .priority = 0,
        .program = script,
        .list_cards = list_cards,
        .is_running = audio_probe,
        .log = hear,
    };
}

static int64_t fast_now_ns(void) { return HASTE * clock_now_ns(); }

static void service(struct jackd *jackd, int64_t now_ns)
{
    int64_t begin_ns = clock_now_ns();
    jackd_service(jackd, now_ns);
    int64_t spent_ns = clock_now_ns() - begin_ns;
    worst_ns = spent_ns > worst_ns ? spent_ns : worst_ns;
}

/// Turns the machine until it is in `wanted`, on the dummy driver or not.
static struct jackd_status run_until(struct jackd *jackd, enum jackd_state wanted, bool is_dummy)
{
    struct jackd_status status;
    int64_t until_ns = clock_now_ns() + PATIENCE_S * INT64_C(1000000000);
    do {
        service(jackd, fast_now_ns());
        jackd_read_status(jackd, &status);
        usleep(5000);
        if (clock_now_ns() > until_ns)
            fail_msg("state %d, dummy %d, waited in vain:\n%s", status.state, status.is_dummy,
                     said);
    } while (status.state != wanted || status.is_dummy != is_dummy);
    return status;
}

static void expect_said(const char *words)
{
    if (!strstr(said, words))
        fail_msg("\"%s\" was not said:\n%s", words, said);
}

static void test_starts_the_dummy_without_a_card(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    settings.program = "jackd";
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, true);
    assert_string_equal(status.server, server);
    assert_string_equal(status.card, "dummy");
    assert_false(status.is_joined);
    assert_true(jackd_descriptor(jackd) >= 0);
    assert_true(audio_probe(server));
    jackd_destroy(jackd);
    assert_false(audio_probe(server));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no process is left
    assert_true(worst_ns < 50000000);
}

static void test_comes_back_after_a_kill(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, true);
    assert_int_equal(status.starts, 1);
    jackd_report_lost(jackd, fast_now_ns());
    run_until(jackd, JACKD_WAITING, true);
    expect_said("ended: signal 9");
    status = run_until(jackd, JACKD_RUNNING, true);
    assert_int_equal(status.starts, 2);
    assert_true(audio_probe(status.server));
    jackd_destroy(jackd);
}

static void test_tries_cards_in_turn(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    plug("Good");
    plug("Busy");
    settings.cards = "Absent, Busy ,Good";
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, false);
    assert_string_equal(status.card, "Good: Card Good");
    expect_said("starting jackd on the card, Busy: Card Busy");
    expect_said("jackd: device busy");
    expect_said("ended: exit code 255");
    assert_null(strstr(said, "Absent"));
    jackd_destroy(jackd);
}

static void test_follows_a_card_away_and_back(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    plug("Good");
    struct jackd *jackd = jackd_create(&settings);
    run_until(jackd, JACKD_RUNNING, false);
    card_count = 0; // jackd itself notices nothing
    run_until(jackd, JACKD_RUNNING, true);
    expect_said("the card Good is gone");
    plug("Good");
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, false);
    assert_string_equal(status.card, "Good: Card Good");
    assert_int_equal(status.starts, 3);
    jackd_destroy(jackd);
}

static void start_server(struct child *child, const char *name)
{
    char named[80];
    snprintf(named, sizeof named, "-n%s", name);
    const char *arguments[] = {"jackd", "-r", named, "-d", "dummy", "-p", "1024", NULL};
    child_init(child);
    assert_int_equal(child_start(child, arguments, NULL), 0);
    for (int i = 0; i < 500 && !audio_probe(name); i++)
        usleep(10000);
}

static void test_joins_and_replaces_a_server(void **state)
{
    (void)state;
    struct child other;
    start_server(&other, server);
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, false);
    assert_true(status.is_joined);
    assert_int_equal(status.starts, 0);
    assert_int_equal(jackd_descriptor(jackd), -1);
    child_finish(&other);
    jackd_report_lost(jackd, fast_now_ns());
    status = run_until(jackd, JACKD_RUNNING, true);
    assert_false(status.is_joined);
    assert_int_equal(status.starts, 1);
    jackd_destroy(jackd);
}

static void test_joins_only_when_told_so(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_JOIN);
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status;
    int64_t begin_ns = clock_now_ns();
    while (clock_now_ns() - begin_ns < 1000000000) {
        service(jackd, fast_now_ns());
        usleep(5000);
    }
    jackd_read_status(jackd, &status);
    assert_int_equal(status.starts, 0);
    struct child other;
    start_server(&other, server);
    status = run_until(jackd, JACKD_RUNNING, false);
    assert_true(status.is_joined);
    jackd_destroy(jackd);
    assert_true(audio_probe(server)); // it is not ours to end
    child_finish(&other);
}

static void test_starts_beside_a_server(void **state)
{
    (void)state;
    struct child other;
    start_server(&other, server);
    struct jackd_settings settings = settings_for(JACKD_START);
    char beside[80];
    snprintf(beside, sizeof beside, "%s-beside", server);
    settings.name = beside;
    struct jackd *jackd = jackd_create(&settings);
    struct jackd_status status = run_until(jackd, JACKD_RUNNING, true);
    assert_string_equal(status.server, beside);
    assert_true(audio_probe(beside));
    jackd_destroy(jackd);
    child_finish(&other);
}

static void test_a_hanging_server_hangs_nobody(void **state)
{
    (void)state;
    struct child other;
    start_server(&other, server);
    kill(other.pid, SIGSTOP);
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    struct jackd *jackd = jackd_create(&settings);
    // Seven seconds for the supervisor, some tens of milliseconds for us.
    int64_t now_ns = fast_now_ns();
    for (int i = 0; i < 70; i++) {
        service(jackd, now_ns += 100000000);
        usleep(1000);
    }
    expect_said("hangs: it takes calls and does not answer");
    assert_true(worst_ns < 50000000);
    kill(other.pid, SIGKILL);
    child_finish(&other);
    run_until(jackd, JACKD_RUNNING, true);
    jackd_destroy(jackd);
}

static void test_a_missing_program_is_named(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    settings.program = "/nowhere/jackd";
    struct jackd *jackd = jackd_create(&settings);
    int64_t begin_ns = clock_now_ns();
    while (!strstr(said, "cannot be run") && clock_now_ns() - begin_ns < 3000000000) {
        service(jackd, fast_now_ns());
        usleep(5000);
    }
    expect_said("/nowhere/jackd cannot be run: No such file or directory");
    struct jackd_status status;
    jackd_read_status(jackd, &status);
    assert_int_equal(status.state, JACKD_WAITING);
    jackd_destroy(jackd);
}

static void test_new_settings_start_it_afresh(void **state)
{
    (void)state;
    struct jackd_settings settings = settings_for(JACKD_AUTO);
    struct jackd *jackd = jackd_create(&settings);
    run_until(jackd, JACKD_RUNNING, true);
    jackd_configure(jackd, &settings, fast_now_ns()); // nothing new
    struct jackd_status status;
    jackd_read_status(jackd, &status);
    assert_int_equal(status.state, JACKD_RUNNING);
    settings.rate_hz = 44100;
    jackd_configure(jackd, &settings, fast_now_ns());
    jackd_read_status(jackd, &status);
    assert_int_equal(status.state, JACKD_STOPPING);
    status = run_until(jackd, JACKD_RUNNING, true);
    assert_int_equal(status.starts, 2);
    jackd_destroy(jackd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    audio_set_log(NULL, NULL);
    const struct CMUnitTest tests[] = {
        TEST(test_starts_the_dummy_without_a_card),
        TEST(test_comes_back_after_a_kill),
        TEST(test_tries_cards_in_turn),
        TEST(test_follows_a_card_away_and_back),
        TEST(test_joins_and_replaces_a_server),
        TEST(test_joins_only_when_told_so),
        TEST(test_starts_beside_a_server),
        TEST(test_a_hanging_server_hangs_nobody),
        TEST(test_a_missing_program_is_named),
        TEST(test_new_settings_start_it_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
