// The reference: the committed files are what the table says, and the tools say it too.
// Run from the root of the repository.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "config/config.h"
#include "config/reference.h"
#include "firmware/cmd/commands.h"

static struct config_values values, defaults;
static struct config_report report;

static char *written_by(void (*write)(FILE *out))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    write(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_in_sync(const char *path, void (*write)(FILE *out))
{
    char *expected = written_by(write);
    const size_t bytes = strlen(expected);
    char *found = calloc(1, bytes + 2);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fread(found, 1, bytes + 1, file), bytes);
    assert_string_equal(found, expected);
    fclose(file);
    free(found);
    free(expected);
}

static void the_config_file_is_in_sync(void **state)
{
    (void)state;
    assert_in_sync("config/consort.cfg", reference_write_config);
}

static void the_page_is_in_sync(void **state)
{
    (void)state;
    assert_in_sync("config/PARAMETERS.md", reference_write_markdown);
}

static void the_config_file_is_all_defaults(void **state)
{
    (void)state;
    config_defaults(&defaults);
    assert_int_equal(config_load("config/consort.cfg", &values, &report), 0);
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        const bool is_shown =
            (param_row(index)->flags & PARAM_FLAG_CONFIG) && param_part(index) <= 1;
        assert_int_equal(values.is_set[index], is_shown);
        assert_true(values.value[index].number == defaults.value[index].number);
        assert_string_equal(values.value[index].text, defaults.value[index].text);
    }
}

static void the_page_and_the_json_name_every_row(void **state)
{
    (void)state;
    char *page = written_by(reference_write_markdown), *json = written_by(reference_write_json);
    for (size_t i = 0; i < param_row_count; i++) {
        char quoted[128];
        snprintf(quoted, sizeof quoted, "| `%s` |", param_rows[i].path);
        assert_non_null(strstr(page, quoted));
        snprintf(quoted, sizeof quoted, "{\"path\": \"%s\",", param_rows[i].path);
        assert_non_null(strstr(json, quoted));
    }
    free(page);
    free(json);
}

/// What a command writes to standard output, and its exit status.
static char *output_of(int (*command)(int, char **), char **argv, int *status)
{
    static char text[1 << 17];
    int argc = 0;
    while (argv[argc])
        argc++;
    FILE *file = tmpfile();
    fflush(stdout);
    const int terminal = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    *status = command(argc, argv);
    fflush(stdout);
    dup2(terminal, STDOUT_FILENO);
    close(terminal);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

#define OUTPUT_OF(command, status, ...) output_of(command, (char *[]){__VA_ARGS__, NULL}, status)

static void check_says_what_it_finds(void **state)
{
    (void)state;
    int status;
    char path[] = "/tmp/consort-check-XXXXXX", expected[512];
    const int file = mkstemp(path);
    assert_int_equal(dprintf(file, "audio: {\n rate = 1;\n};\nx = 1;\n") < 0, 0);
    close(file);
    snprintf(expected, sizeof expected,
             "%s:2: audio.rate = 1: must be 22050 to 192000 Hz\n%s:4: x: unknown key\n", path,
             path);
    assert_string_equal(OUTPUT_OF(command_check, &status, "check", path), expected);
    assert_int_equal(status, COMMAND_FAILED);
    assert_non_null(strstr(OUTPUT_OF(command_check, &status, "check", "config/consort.cfg"),
                           "config/consort.cfg: ok, "));
    assert_int_equal(status, COMMAND_DONE);
    const char *json = OUTPUT_OF(command_check, &status, "check", "--json", path);
    assert_non_null(strstr(json, "{\"line\": 4, \"message\": \"x: unknown key\"}]}\n]\n"));
    OUTPUT_OF(command_check, &status, "check", "config/consort.cfg", path);
    assert_int_equal(status, COMMAND_FAILED);
    unlink(path);
}

static void params_writes_each_format(void **state)
{
    (void)state;
    int status;
    char *page = written_by(reference_write_markdown);
    assert_string_equal(OUTPUT_OF(command_params, &status, "params"), page);
    assert_string_equal(OUTPUT_OF(command_params, &status, "params", "--markdown"), page);
    assert_int_equal(status, COMMAND_DONE);
    free(page);
    char *config = written_by(reference_write_config);
    assert_string_equal(OUTPUT_OF(command_params, &status, "params", "--config"), config);
    free(config);
    assert_int_equal(*OUTPUT_OF(command_params, &status, "params", "--json"), '[');
}

static void wrong_usage_is_told_apart(void **state)
{
    (void)state;
    int status;
    OUTPUT_OF(command_check, &status, "check");
    assert_int_equal(status, COMMAND_USAGE);
    OUTPUT_OF(command_check, &status, "check", "--jsn", "config/consort.cfg");
    assert_int_equal(status, COMMAND_USAGE);
    OUTPUT_OF(command_params, &status, "params", "--xml");
    assert_int_equal(status, COMMAND_USAGE);
}

static int tear_down(void **state)
{
    (void)state;
    config_report_finish(&report);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_config_file_is_in_sync),
        cmocka_unit_test(the_page_is_in_sync),
        cmocka_unit_test(the_config_file_is_all_defaults),
        cmocka_unit_test(the_page_and_the_json_name_every_row),
        cmocka_unit_test(check_says_what_it_finds),
        cmocka_unit_test(params_writes_each_format),
        cmocka_unit_test(wrong_usage_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
