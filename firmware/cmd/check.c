// consort check: every mistake of a config file, with its line and what is allowed.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "firmware/cmd/commands.h"

static const char usage[] =
    "usage: consort check [--json] FILE...\n"
    "Checks config files and lists every mistake. Exit 0: all good, 1: not.\n";

struct result {
    const char *path;
    bool is_ok;
    unsigned keys; // that the file sets
    struct config_report report;
};

static void print_plain(const struct result *result)
{
    config_report_print(&result->report, stdout);
    if (result->is_ok)
        printf("%s: ok, %u key%s set\n", result->path, result->keys, result->keys == 1 ? "" : "s");
}

static void print_json_error(const struct config_error *error)
{
    fputs("{\"line\": ", stdout);
    if (error->line)
        printf("%u", error->line);
    else
        fputs("null", stdout);
    fputs(", \"message\": ", stdout);
    json_write_string(stdout, error->message);
    fputs("}", stdout);
}

static void print_json(const struct result *result)
{
    fputs("  {\"file\": ", stdout);
    json_write_string(stdout, result->path);
    printf(", \"ok\": %s, \"keys\": %u, \"errors\": [", result->is_ok ? "true" : "false",
           result->keys);
    for (size_t i = 0; i < result->report.count; i++) {
        fputs(i ? ",\n    " : "\n    ", stdout);
        print_json_error(&result->report.error[i]);
    }
    fputs("]}", stdout);
}

/// Checks one file and says what was found. Returns whether it is good.
static bool check_file(const char *path, struct config_values *values, bool is_json)
{
    struct result result = {.path = path};
    result.is_ok = config_load(path, values, &result.report) == 0;
    result.keys = config_count(values);
    (is_json ? print_json : print_plain)(&result);
    config_report_finish(&result.report);
    return result.is_ok;
}

static bool check_files(char **paths, int count, struct config_values *values, bool is_json)
{
    bool is_ok = true;
    fputs(is_json ? "[\n" : "", stdout);
    for (int i = 0; i < count; i++) {
        is_ok = check_file(paths[i], values, is_json) && is_ok;
        fputs(!is_json ? "" : i + 1 < count ? ",\n" : "\n", stdout);
    }
    fputs(is_json ? "]\n" : "", stdout);
    return is_ok;
}

int command_check(int argc, char **argv)
{
    const bool is_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    int first = is_json ? 2 : 1;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return COMMAND_DONE;
    }
    if (first < argc && strcmp(argv[first], "--") == 0)
        first++;
    else if (first < argc && argv[first][0] == '-')
        first = argc;
    if (first >= argc) {
        fputs(usage, stderr);
        return COMMAND_USAGE;
    }
    struct config_values *values = malloc(sizeof *values);
    if (!values) {
        perror("consort check");
        return COMMAND_FAILED;
    }
    const bool is_ok = check_files(argv + first, argc - first, values, is_json);
    free(values);
    return is_ok ? COMMAND_DONE : COMMAND_FAILED;
}
