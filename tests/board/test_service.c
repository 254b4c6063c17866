/// Word to systemd, heard on a socket as systemd hears it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/service.h"

static const int64_t SECOND_NS = 1000000000;

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int ear = -1;

static int set_up(void **state)
{
    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/consort-notify-%d", getpid());
    ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return bind(ear, (struct sockaddr *)&address, sizeof address);
}

static int tear_down(void **state)
{
    (void)state;
    close(ear);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    return unlink(address.sun_path);
}

static void expect(const char *words)
{
    char heard[256];
    ssize_t count = recv(ear, heard, sizeof heard - 1, 0);
    assert_true(count >= 0);
    heard[count] = '\0';
    assert_string_equal(heard, words);
}

static void test_says_what_happens(void **state)
{
    (void)state;
    service_ready("playing on dummy");
    expect("READY=1\nSTATUS=playing on dummy");
    service_status("looking for a card");
    expect("STATUS=looking for a card");
    service_stopping();
    expect("STOPPING=1");
}

static void test_feeds_only_while_sound_is_made(void **state)
{
    (void)state;
    struct service service;
    setenv("WATCHDOG_USEC", "9000000", 1);
    service_init(&service);
    int64_t now_ns = 100 * SECOND_NS;
    assert_true(service_watch(&service, now_ns, 1000, false));
    expect("WATCHDOG=1");
    assert_false(service_watch(&service, now_ns + SECOND_NS, 2000, false)); // not yet
    assert_true(service_watch(&service, now_ns + 3 * SECOND_NS, 3000, false));
    assert_false(service_watch(&service, now_ns + 6 * SECOND_NS, 3000, false)); // stuck
    assert_false(service_watch(&service, now_ns + 9 * SECOND_NS, 3000, false));
    assert_true(service_watch(&service, now_ns + 9 * SECOND_NS, 3001, false));
    assert_true(service_watch(&service, now_ns + 12 * SECOND_NS, 3001, true)); // no server
}

static void test_no_watchdog_no_food(void **state)
{
    (void)state;
    struct service service;
    service_init(&service);
    assert_false(service_watch(&service, 100 * SECOND_NS, 1000, true));
}

static void test_silent_without_systemd(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    service_ready("playing");
    service_stopping();
    char heard[8];
    assert_int_equal(recv(ear, heard, sizeof heard, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_says_what_happens),
        TEST(test_feeds_only_while_sound_is_made),
        TEST(test_no_watchdog_no_food),
        TEST(test_silent_without_systemd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
