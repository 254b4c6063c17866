// Config text read with libconfig: the only file that knows it. libconfig owns the names
// config_read, config_write, config_init, config_destroy, config_lookup and config_setting_*:
// nothing of ours may be called so. libconfig 1.5 forgets to free some texts (the one it had read
// last before a syntax error for one): a small, bounded leak for each broken file.
#include <errno.h>
#include <libconfig.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/config.h"
#include "config/scan.h"
#include "config/text.h"

static struct literal literal_of(const config_setting_t *setting)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        return (struct literal){LITERAL_INT, config_setting_get_int(setting), NULL};
    case CONFIG_TYPE_INT64:
        return (struct literal){LITERAL_INT, (double)config_setting_get_int64(setting), NULL};
    case CONFIG_TYPE_FLOAT:
        return (struct literal){LITERAL_FLOAT, config_setting_get_float(setting), NULL};
    case CONFIG_TYPE_BOOL:
        return (struct literal){LITERAL_BOOL, config_setting_get_bool(setting), NULL};
    case CONFIG_TYPE_STRING:
        return (struct literal){LITERAL_TEXT, 0, config_setting_get_string(setting)};
    case CONFIG_TYPE_GROUP:
        return (struct literal){LITERAL_GROUP, 0, NULL};
    default:
        return (struct literal){LITERAL_LIST, 0, NULL};
    }
}

static void join(const char *group, const char *name, char key[CHECK_KEY_BYTES])
{
    char shown[CHECK_KEY_BYTES / 2];
    text_show(name, strlen(name), shown, sizeof shown);
    snprintf(key, CHECK_KEY_BYTES, "%.60s%s%s", group, *group ? "." : "", shown);
}

// The depth of recursion is bounded by SCAN_DEPTH_MAX.
static void walk(struct check *check, const config_setting_t *group, const char *group_key)
{
    const int length = config_setting_length(group);
    for (int i = 0; i < length; i++) {
        const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
        const struct literal literal = literal_of(setting);
        const unsigned line = setting->line;
        char key[CHECK_KEY_BYTES], guess[CHECK_KEY_BYTES];
        join(group_key, config_setting_name(setting), key);
        if (literal.kind != LITERAL_GROUP || check_is_key(key))
            check_value(check, line, key, &literal);
        else if (check_group(check, line, key, guess))
            walk(check, setting, key);
        else if (*guess)
            walk(check, setting, guess);
    }
}

/// The start of a line of the text, for messages.
static void show_line(const char *text, unsigned line, char *shown, size_t bytes)
{
    while (line > 1 && (text = strchr(text, '\n'))) {
        text++;
        line--;
    }
    text = text ? text + strspn(text, " \t") : "";
    text_show(text, strcspn(text, "\r\n"), shown, bytes);
}

/// Whether a line sets a key as messages call it, "audio.rate = 44100".
static bool is_dotted(const char *shown) { return memchr(shown, '.', strcspn(shown, "=: ")); }

static void report_syntax(const config_t *config, const char *text, struct check *check)
{
    const unsigned line = config_error_line(config) > 0 ? (unsigned)config_error_line(config) : 0;
    const char *reason = config_error_text(config) ? config_error_text(config) : "error";
    char shown[64];
    show_line(text, line, shown, sizeof shown);
    if (strcmp(reason, "duplicate setting name") == 0)
        config_report_add(check->report, check->name, line, "stands in its group twice: %s", shown);
    else if (is_dotted(shown))
        config_report_add(check->report, check->name, line,
                          "%s: keys stand in groups, group: { key = value; }; not: %s", reason,
                          shown);
    else
        config_report_add(check->report, check->name, line, "%s, here or just before: %s", reason,
                          *shown ? shown : "end of line");
}

/// Reads what the scan let through.
static void parse(const char *text, struct check *check)
{
    config_t config;
    config_init(&config);
    // Nothing can be opened below a file: an @include that slipped through would find nothing.
    config_set_include_dir(&config, "/dev/null");
    if (config_read_string(&config, text) == CONFIG_TRUE) {
        walk(check, config_root_setting(&config), "");
        check_together(check);
    } else {
        report_syntax(&config, text, check);
    }
    config_destroy(&config);
}

int config_load_text(const char *text, size_t bytes, const char *name, struct config_values *values,
                     struct config_report *report)
{
    const size_t first = report->count, lost = report->lost;
    struct check check = {name, values, report};
    config_defaults(values);
    char *clean = scan_text(text, bytes, name, report);
    if (!clean)
        return -errno;
    parse(clean, &check);
    free(clean);
    if (report->count == first && report->lost == lost)
        return 0;
    config_report_sort(report, first);
    config_defaults(values);
    return -EINVAL;
}
