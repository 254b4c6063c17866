/// Child processes: their words, their end, and that nothing of them is left.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/child.h"
#include "board/clock.h"

static char said[65536];
static int lines;

static void hear(void *data, const char *line)
{
    (void)data;
    lines++;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static void start_shell(struct child *child, const char *script)
{
    const char *arguments[] = {"sh", "-c", script, NULL};
    said[0] = '\0';
    lines = 0;
    child_init(child);
    assert_int_equal(child_start(child, arguments, "CONSORT_TEST=yes"), 0);
}

static void wait_for_end(struct child *child, int64_t limit_ms)
{
    int64_t until_ns = clock_now_ns() + limit_ms * 1000000;
    while (child_service(child, clock_now_ns(), hear, NULL)) {
        assert_true(clock_now_ns() < until_ns);
        usleep(2000);
    }
}

static void expect_end(const struct child *child, const char *expected)
{
    char end[64];
    child_describe_end(child, end, sizeof end);
    assert_string_equal(end, expected);
}

static void test_hears_both_outputs(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child,
                "echo one; echo two >&2; echo; printf three; echo $CONSORT_TEST >&2; exit 7");
    wait_for_end(&child, 2000);
    assert_string_equal(said, "one\ntwo\nthreeyes\n");
    expect_end(&child, "exit code 7");
    assert_int_equal(child.output, -1);
}

static void test_names_a_missing_program(void **state)
{
    (void)state;
    struct child child;
    const char *arguments[] = {"consort-no-such-program", NULL};
    child_init(&child);
    assert_int_equal(child_start(&child, arguments, NULL), -ENOENT);
    assert_int_equal(child.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no zombie either
    assert_int_equal(errno, ECHILD);
}

static void test_a_flood_is_cut(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done");
    wait_for_end(&child, 4000);
    assert_in_range(lines, 1, 150);
}

static void test_long_lines_and_odd_bytes(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child, "head -c 1000 /dev/zero | tr '\\0' x; printf '\\033[1m\\n'");
    wait_for_end(&child, 2000);
    assert_int_equal(lines, 4); // 255 + 255 + 255 + 235 and the rest
    assert_null(strchr(said, '\033'));
}

static void test_stops_when_asked(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child, "exec sleep 60");
    assert_true(child_service(&child, clock_now_ns(), hear, NULL));
    child_stop(&child, clock_now_ns());
    wait_for_end(&child, 1000);
    expect_end(&child, "signal 15");
}

static void test_kills_what_does_not_stop(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child, "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
    while (lines == 0)
        child_service(&child, clock_now_ns(), hear, NULL);
    int64_t begin_ns = clock_now_ns();
    child_stop(&child, begin_ns);
    wait_for_end(&child, 4000);
    assert_true(clock_now_ns() - begin_ns >= 1900000000);
    expect_end(&child, "signal 9");
}

static void test_finish_leaves_nothing(void **state)
{
    (void)state;
    struct child child;
    start_shell(&child, "exec sleep 60");
    pid_t pid = child.pid;
    child_finish(&child);
    assert_int_equal(child.pid, 0);
    assert_int_equal(kill(pid, 0), -1);
    child_finish(&child); // twice is once
}

/// The kernel ends a child whose parent was killed.
static void test_dies_with_its_parent(void **state)
{
    (void)state;
    int pids[2];
    pid_t grandchild = 0;
    assert_int_equal(pipe(pids), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct child child;
        const char *arguments[] = {"sleep", "60", NULL};
        child_init(&child);
        child_start(&child, arguments, NULL);
        (void)!write(pids[1], &child.pid, sizeof child.pid);
        pause();
    }
    assert_int_equal(read(pids[0], &grandchild, sizeof grandchild), sizeof grandchild);
    assert_int_equal(kill(grandchild, 0), 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    close(pids[0]);
    close(pids[1]);
    // Whoever adopts it may leave it a zombie for a while.
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", grandchild);
    for (int i = 0; i < 200; i++) {
        FILE *file = fopen(path, "r");
        if (!file)
            return;
        (void)!fgets(line, sizeof line, file);
        fclose(file);
        if (strstr(line, ") Z "))
            return;
        usleep(10000);
    }
    fail_msg("process %d lives on: %s", grandchild, line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hears_both_outputs),
        cmocka_unit_test(test_names_a_missing_program),
        cmocka_unit_test(test_a_flood_is_cut),
        cmocka_unit_test(test_long_lines_and_odd_bytes),
        cmocka_unit_test(test_stops_when_asked),
        cmocka_unit_test(test_kills_what_does_not_stop),
        cmocka_unit_test(test_finish_leaves_nothing),
        cmocka_unit_test(test_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
