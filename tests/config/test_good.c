// Config files on disk: what cannot be read says why, the last good copy is kept and used.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

static struct config_values values;
static struct config_report report;
static char folder[64], path[96], good[96];

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_one_error(const char *message)
{
    assert_int_equal(report.count, 1);
    assert_int_equal(report.error[0].line, 0);
    assert_string_equal(report.error[0].message, message);
}

static void what_is_no_file_says_so(void **state)
{
    (void)state;
    assert_int_equal(config_load(path, &values, &report), -ENOENT);
    assert_one_error("there is no such file");
    config_report_finish(&report);
    assert_int_equal(config_load(folder, &values, &report), -EISDIR);
    assert_one_error("is a directory, not a config file");
    config_report_finish(&report);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(config_load(path, &values, &report), -ENOTSUP);
    assert_one_error("is not a regular file");
    assert_true(values.value[PARAM_AUDIO_RATE].number == 48000);
}

static void a_huge_file_is_refused(void **state)
{
    (void)state;
    write_file(path, "audio: { };\n");
    assert_int_equal(truncate(path, 3l << 30), 0); // sparse
    assert_int_equal(config_load(path, &values, &report), -EFBIG);
    assert_one_error("larger than 1 MiB: this is not a config file");
}

static void links_are_followed(void **state)
{
    (void)state;
    write_file(good, "audio: { rate = 44100; };\n");
    assert_int_equal(symlink(good, path), 0);
    assert_int_equal(config_load(path, &values, &report), 0);
    assert_true(values.value[PARAM_AUDIO_RATE].number == 44100);
}

static void the_last_good_one_is_used(void **state)
{
    (void)state;
    write_file(path, "audio: { rate = 44100; };\n");
    assert_int_equal(config_load_or_good(path, good, &values, &report), 0);
    assert_int_equal(config_save_good(path, good), 0);
    write_file(path, "audio: {\n rate = 1; };\n");
    assert_int_equal(config_load_or_good(path, good, &values, &report), 1);
    assert_true(values.value[PARAM_AUDIO_RATE].number == 44100);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.error[0].line, 2);
    assert_string_equal(report.error[0].file, path);
    unlink(path);
    config_report_finish(&report);
    assert_int_equal(config_load_or_good(path, good, &values, &report), 1);
    assert_one_error("there is no such file");
}

static void with_none_there_are_defaults(void **state)
{
    (void)state;
    write_file(path, "audio: { rate = 1; };\n");
    assert_int_equal(config_load_or_good(path, good, &values, &report), -EINVAL);
    assert_int_equal(report.count, 1);
    write_file(good, "audio: { rate = 2; };\n");
    config_report_finish(&report);
    assert_int_equal(config_load_or_good(path, good, &values, &report), -EINVAL);
    assert_int_equal(report.count, 2);
    assert_string_equal(report.error[1].file, good);
    assert_true(values.value[PARAM_AUDIO_RATE].number == 48000);
    assert_int_equal(config_count(&values), 0);
}

static void a_bad_file_is_never_kept(void **state)
{
    (void)state;
    write_file(path, "audio: { rate = 44100; };\n");
    assert_int_equal(config_save_good(path, good), 0);
    write_file(path, "audio: { rate = 1; };\n");
    assert_int_equal(config_save_good(path, good), -EINVAL);
    assert_int_equal(config_load(good, &values, &report), 0);
    assert_true(values.value[PARAM_AUDIO_RATE].number == 44100);
    unlink(path);
    assert_int_equal(config_save_good(path, good), -ENOENT);
    write_file(path, "");
    assert_int_equal(config_save_good(path, "/nonexistent/good.cfg"), -ENOENT);
}

static void the_copy_is_replaced_whole_and_only_when_needed(void **state)
{
    (void)state;
    struct stat first, second, third;
    write_file(path, "audio: { rate = 44100; };\n");
    assert_int_equal(config_save_good(path, good), 0);
    assert_int_equal(stat(good, &first), 0);
    assert_int_equal(config_save_good(path, good), 0);
    assert_int_equal(stat(good, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    FILE *reader = fopen(good, "r"); // a reader keeps the old one, whole
    write_file(path, "audio: { rate = 96000; };\n");
    assert_int_equal(config_save_good(path, good), 0);
    assert_int_equal(stat(good, &third), 0);
    assert_int_not_equal(first.st_ino, third.st_ino);
    char line[64];
    assert_non_null(fgets(line, sizeof line, reader));
    assert_string_equal(line, "audio: { rate = 44100; };\n");
    fclose(reader);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/consort-good-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/consort.cfg", folder);
    snprintf(good, sizeof good, "%s/good.cfg", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    config_report_finish(&report);
    unlink(path);
    unlink(good);
    return rmdir(folder); // nothing else was left behind
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_is_no_file_says_so),
        IN_FOLDER(a_huge_file_is_refused),
        IN_FOLDER(links_are_followed),
        IN_FOLDER(the_last_good_one_is_used),
        IN_FOLDER(with_none_there_are_defaults),
        IN_FOLDER(a_bad_file_is_never_kept),
        IN_FOLDER(the_copy_is_replaced_whole_and_only_when_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
