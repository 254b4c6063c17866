#include "config/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/spelling.h"
#include "config/text.h"

enum {
    WORDS_BYTES = 256,
    GUESS_BYTES_MAX = 40, // no key is so long that a longer name could be a slip for it
};

bool check_is_key(const char *key) { return param_find_key(key) >= 0; }

/// "7", "true", "\"fast\"": the value as the file has it, short.
static void show_literal(const struct literal *literal, char *text, size_t bytes)
{
    char shown[64];
    switch (literal->kind) {
    case LITERAL_INT:
    case LITERAL_FLOAT:
        text_format_number(literal->number, text, bytes);
        return;
    case LITERAL_BOOL:
        snprintf(text, bytes, "%s", literal->number != 0 ? "true" : "false");
        return;
    case LITERAL_TEXT:
        text_show(literal->text, strlen(literal->text), shown, sizeof shown);
        snprintf(text, bytes, "\"%s\"", shown);
        return;
    case LITERAL_LIST:
        snprintf(text, bytes, "(...)");
        return;
    case LITERAL_GROUP:
        snprintf(text, bytes, "{...}");
    }
}

/// What the row takes, in the words of the file.
static void format_wanted(const struct param *row, char *text, size_t bytes)
{
    if (row->type == PARAM_BOOL)
        snprintf(text, bytes, "true or false");
    else
        param_format_range(row, text, bytes);
}

static bool take_number(const struct param *row, const struct literal *literal,
                        struct param_value *value, char *wanted, size_t bytes)
{
    const bool is_number = literal->kind == LITERAL_INT || literal->kind == LITERAL_FLOAT ||
                           (literal->kind == LITERAL_BOOL && row->type == PARAM_BOOL);
    const bool is_outside = literal->number < row->minimum || literal->number > row->maximum;
    value->number = literal->number;
    if (is_number && param_is_valid(row, literal->number))
        return true;
    // Who wrote a whole number out of range need not hear that it must be whole.
    size_t length = 0;
    if (row->type == PARAM_INT && !(is_number && is_outside))
        length = (size_t)snprintf(wanted, bytes, "a whole number, ");
    format_wanted(row, wanted + length, bytes - length);
    return false;
}

static bool take_choice(const struct param *row, const struct literal *literal,
                        struct param_value *value, char *wanted, size_t bytes)
{
    const int choice = literal->kind == LITERAL_TEXT ? param_choice_find(row, literal->text) : -1;
    value->number = choice;
    format_wanted(row, wanted, bytes);
    return choice >= 0;
}

static bool take_text(const struct param *row, const struct literal *literal,
                      struct param_value *value, char *wanted, size_t bytes)
{
    if (literal->kind != LITERAL_TEXT)
        format_wanted(row, wanted, bytes);
    else if (strlen(literal->text) >= sizeof value->text)
        snprintf(wanted, bytes, "text of at most %zu bytes, this has %zu", sizeof value->text - 1,
                 strlen(literal->text));
    else if (!text_is_utf8(literal->text))
        snprintf(wanted, bytes, "text in UTF-8");
    else if (text_has_control(literal->text))
        snprintf(wanted, bytes, "text without control characters");
    else
        return snprintf(value->text, sizeof value->text, "%s", literal->text) >= 0;
    return false;
}

static bool take(const struct param *row, const struct literal *literal, struct param_value *value,
                 char *wanted, size_t bytes)
{
    switch (row->type) {
    case PARAM_TEXT:
        return take_text(row, literal, value, wanted, bytes);
    case PARAM_ENUM:
        return take_choice(row, literal, value, wanted, bytes);
    default:
        return take_number(row, literal, value, wanted, bytes);
    }
}

/// "; did you mean synth.polyphony?", or nothing when no key is near.
static void format_guess(const char *key, char *text, size_t bytes)
{
    char nearest[CHECK_KEY_BYTES];
    text[0] = '\0';
    if (strlen(key) > GUESS_BYTES_MAX)
        return;
    param_key(param_nearest_key(key), nearest, sizeof nearest);
    if (spelling_is_close(key, spelling_distance(key, nearest)))
        snprintf(text, bytes, "; did you mean %s?", nearest);
}

/// Groups have a key as its beginning: "master", "master.limiter", "ch3".
static bool is_group(const char *name)
{
    const size_t bytes = strlen(name);
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        char key[CHECK_KEY_BYTES];
        param_key(index, key, sizeof key);
        if (strncmp(key, name, bytes) == 0 && key[bytes] == '.')
            return true;
    }
    return false;
}

static void refuse_key(struct check *check, unsigned line, const char *key)
{
    char guess[WORDS_BYTES];
    format_guess(key, guess, sizeof guess);
    if (is_group(key))
        config_report_add(check->report, check->name, line, "%s: must be a group: %s: { ... };",
                          key, strrchr(key, '.') ? strrchr(key, '.') + 1 : key);
    else
        config_report_add(check->report, check->name, line, "%s: unknown key%s", key, guess);
}

/// Whether the parameter is one for the config file; else adds an error.
static bool check_flags(struct check *check, unsigned line, const char *key, unsigned index)
{
    const struct param *row = param_row(index);
    char path[CHECK_KEY_BYTES];
    param_path(index, path, sizeof path);
    if (row->flags & PARAM_FLAG_CONFIG)
        return true;
    if (row->flags & PARAM_FLAG_STATE)
        config_report_add(check->report, check->name, line,
                          "%s: read only: the box reports it and cannot be told", key);
    else
        config_report_add(check->report, check->name, line,
                          "%s: not for the config file: set it while the box runs, at %s", key,
                          path);
    return false;
}

void check_value(struct check *check, unsigned line, const char *key, const struct literal *literal)
{
    const int index = param_find_key(key);
    if (index < 0) {
        refuse_key(check, line, key);
        return;
    }
    if (!check_flags(check, line, key, (unsigned)index))
        return;
    char wanted[WORDS_BYTES] = "", shown[WORDS_BYTES];
    struct param_value value = {0};
    if (!take(param_row((unsigned)index), literal, &value, wanted, sizeof wanted)) {
        show_literal(literal, shown, sizeof shown);
        config_report_add(check->report, check->name, line, "%s = %s: must be %s", key, shown,
                          wanted);
        return;
    }
    check->values->value[index] = value;
    check->values->is_set[index] = true;
    check->values->line[index] = line;
}

/// The group nearest in spelling, or "".
static void guess_group(const char *group, char guess[CHECK_KEY_BYTES])
{
    unsigned best = SPELLING_MAX;
    guess[0] = '\0';
    if (strlen(group) > GUESS_BYTES_MAX)
        return;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        char name[CHECK_KEY_BYTES];
        param_key(index, name, sizeof name);
        // All groups that a key lies in: "master.limiter.on" is in two.
        for (char *dot; (dot = strrchr(name, '.'));) {
            *dot = '\0';
            const unsigned distance = spelling_distance(group, name);
            if (distance < best && spelling_is_close(group, distance)) {
                best = distance;
                snprintf(guess, CHECK_KEY_BYTES, "%s", name);
            }
        }
    }
}

/// "ch17", "ch0", "ch03": meant as a part.
static bool is_part_like(const char *group)
{
    return strncmp(group, "ch", 2) == 0 && group[2] &&
           strspn(group + 2, "0123456789") == strlen(group + 2);
}

bool check_group(struct check *check, unsigned line, const char *group, char guess[CHECK_KEY_BYTES])
{
    guess[0] = '\0';
    if (is_group(group))
        return true;
    if (is_part_like(group)) {
        config_report_add(check->report, check->name, line,
                          "%s: unknown group: the parts are ch1 to ch16", group);
        return false;
    }
    guess_group(group, guess);
    config_report_add(check->report, check->name, line, "%s: unknown group%s%s%s", group,
                      *guess ? "; did you mean " : "", guess, *guess ? "?" : "");
    return false;
}

static void check_split(struct check *check, unsigned part)
{
    const struct config_values *values = check->values;
    const unsigned low = PARAM_CH_KEY_LOW + part, high = PARAM_CH_KEY_HIGH + part;
    const double lowest = values->value[low].number, highest = values->value[high].number;
    if (lowest <= highest)
        return;
    if (values->is_set[low])
        config_report_add(check->report, check->name, values->line[low],
                          "ch%u.key_low = %.0f: must not be above ch%u.key_high = %.0f", part + 1,
                          lowest, part + 1, highest);
    else
        config_report_add(check->report, check->name, values->line[high],
                          "ch%u.key_high = %.0f: must not be below ch%u.key_low = %.0f", part + 1,
                          highest, part + 1, lowest);
}

void check_together(struct check *check)
{
    const unsigned parts = PARAM_CH_KEY_LOW_LAST_ - PARAM_CH_KEY_LOW + 1;
    for (unsigned part = 0; part < parts; part++)
        check_split(check, part);
}
