// The watch: every way in which a file changes is seen, and what is none is not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/watch.h"

static char home[PATH_MAX], folder[64];
static struct watch *watch;

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/// Events of inotify are there as soon as the call that caused them returns.
static bool has_changed(void)
{
    struct pollfd poller = {.fd = watch_fd(watch), .events = POLLIN};
    const bool is_readable = poll(&poller, 1, 0) == 1;
    const bool is_changed = watch_drain(watch);
    assert_true(is_readable || !is_changed);
    return is_changed;
}

static void open_watch(const char *path)
{
    watch = watch_open(path);
    assert_non_null(watch);
    assert_false(has_changed());
}

static void sees_writing_in_place(void **state)
{
    (void)state;
    write_file("a.cfg", "1");
    open_watch("a.cfg");
    write_file("a.cfg", "2");
    assert_true(has_changed());
    assert_false(has_changed());
}

static void sees_a_file_renamed_over_it(void **state)
{
    (void)state;
    write_file("a.cfg", "1");
    open_watch("a.cfg");
    for (int i = 0; i < 3; i++) {
        write_file("a.cfg.new", "2");
        assert_false(has_changed());
        assert_int_equal(rename("a.cfg.new", "a.cfg"), 0);
        assert_true(has_changed());
    }
}

static void sees_it_go_and_come(void **state)
{
    (void)state;
    open_watch("a.cfg");
    write_file("a.cfg", "1");
    assert_true(has_changed());
    assert_int_equal(rename("a.cfg", "a.cfg~"), 0);
    assert_true(has_changed());
    write_file("a.cfg", "2");
    assert_true(has_changed());
    unlink("a.cfg");
    assert_true(has_changed());
}

static void is_not_moved_by_others(void **state)
{
    (void)state;
    write_file("a.cfg", "1");
    open_watch("a.cfg");
    write_file("b.cfg", "1");
    write_file("a.cfg~", "1");
    FILE *reader = fopen("a.cfg", "r");
    assert_int_equal(fgetc(reader), '1');
    fclose(reader);
    assert_false(has_changed());
}

static void sees_behind_links(void **state)
{
    (void)state;
    assert_int_equal(mkdir("one", 0700) | mkdir("two", 0700), 0);
    write_file("one/real.cfg", "1");
    write_file("two/real.cfg", "1");
    assert_int_equal(symlink("one", "now") | symlink("now/real.cfg", "a.cfg"), 0);
    open_watch("a.cfg");
    write_file("one/real.cfg", "2");
    assert_true(has_changed());
    write_file("two/real.cfg", "2");
    assert_false(has_changed());
    // The link in the middle is turned, as a rename, to the other folder.
    assert_int_equal(symlink("two", "next") | rename("next", "now"), 0);
    assert_true(has_changed());
    write_file("one/real.cfg", "3");
    assert_false(has_changed());
    write_file("two/real.cfg", "3");
    assert_true(has_changed());
}

static void sees_its_folder_go_and_come(void **state)
{
    (void)state;
    open_watch("deep/er/a.cfg");
    assert_int_equal(mkdir("deep", 0700), 0);
    assert_true(has_changed());
    assert_int_equal(mkdir("deep/er", 0700), 0);
    assert_true(has_changed());
    write_file("deep/er/a.cfg", "1");
    assert_true(has_changed());
    assert_int_equal(rename("deep", "away"), 0);
    assert_true(has_changed());
    write_file("away/er/a.cfg", "2");
    assert_false(has_changed());
    assert_int_equal(rename("away", "deep"), 0);
    assert_true(has_changed());
    write_file("deep/er/a.cfg", "3");
    assert_true(has_changed());
}

static void is_independent_of_the_working_folder(void **state)
{
    (void)state;
    open_watch("a.cfg");
    assert_int_equal(chdir("/"), 0);
    char path[96];
    snprintf(path, sizeof path, "%s/a.cfg", folder);
    write_file(path, "1");
    assert_true(has_changed());
    assert_int_equal(chdir(folder), 0);
}

static void circles_and_long_paths_end(void **state)
{
    (void)state;
    assert_int_equal(symlink("b", "a") | symlink("a", "b"), 0);
    open_watch("a/x.cfg");
    write_file("other", "1");
    assert_false(has_changed());
    char path[2 * PATH_MAX];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    errno = 0;
    assert_null(watch_open(path));
    assert_int_equal(errno, ENAMETOOLONG);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/consort-watch-XXXXXX");
    return getcwd(home, sizeof home) && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {
        "a.cfg",        "a.cfg~",       "b.cfg",        "a", "b", "other", "now",
        "one/real.cfg", "two/real.cfg", "deep/er/a.cfg"};
    static const char *const folders[] = {"one", "two", "deep/er", "deep"};
    watch_close(watch);
    watch = NULL;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        rmdir(folders[i]);
    return chdir(home) == 0 ? rmdir(folder) : -1;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(sees_writing_in_place),
        IN_FOLDER(sees_a_file_renamed_over_it),
        IN_FOLDER(sees_it_go_and_come),
        IN_FOLDER(is_not_moved_by_others),
        IN_FOLDER(sees_behind_links),
        IN_FOLDER(sees_its_folder_go_and_come),
        IN_FOLDER(is_independent_of_the_working_folder),
        IN_FOLDER(circles_and_long_paths_end),
    };
    watch_close(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
