// The values of a parameter: choices, ranges, words. The other half of config/param.h.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/param.h"
#include "config/text.h"

/// The choice at `place`, its length in `bytes`, or NULL.
static const char *choice_at(const struct param *row, int place, size_t *bytes)
{
    const char *name = row->choices;
    if (row->type != PARAM_ENUM || place < 0)
        return NULL;
    for (; place > 0; place--) {
        if (!(name = strchr(name, '|')))
            return NULL;
        name++;
    }
    *bytes = strcspn(name, "|");
    return name;
}

int param_choice_find(const struct param *row, const char *name)
{
    size_t bytes;
    const char *choice;
    for (int place = 0; (choice = choice_at(row, place, &bytes)); place++)
        if (strlen(name) == bytes && memcmp(name, choice, bytes) == 0)
            return place;
    return -ENOENT;
}

int param_choice_name(const struct param *row, int choice, char *name, size_t bytes)
{
    size_t choice_bytes;
    const char *found = choice_at(row, choice, &choice_bytes);
    if (!found)
        return -ENOENT;
    return snprintf(name, bytes, "%.*s", (int)choice_bytes, found);
}

int param_choice_count(const struct param *row)
{
    size_t bytes;
    int count = 0;
    while (choice_at(row, count, &bytes))
        count++;
    return count;
}

bool param_is_valid(const struct param *row, double number)
{
    if (row->type == PARAM_TEXT || !(number >= row->minimum && number <= row->maximum))
        return false;
    return row->type == PARAM_FLOAT || number == trunc(number);
}

double param_clamp(const struct param *row, double number)
{
    if (isnan(number))
        return row->standard;
    if (row->type != PARAM_FLOAT)
        number = round(number);
    return fmin(fmax(number, row->minimum), row->maximum);
}

double param_normalize(const struct param *row, double number)
{
    const double span = row->maximum - row->minimum;
    return span > 0 ? (param_clamp(row, number) - row->minimum) / span : 0;
}

double param_denormalize(const struct param *row, double normalized)
{
    return param_clamp(row, row->minimum + normalized * (row->maximum - row->minimum));
}

/// "128 frames", "128".
static int format_with_unit(const struct param *row, double number, char *text, size_t bytes)
{
    char digits[32];
    text_format_number(number, digits, sizeof digits);
    return snprintf(text, bytes, "%s%s%s", digits, *row->unit ? " " : "", row->unit);
}

int param_format(const struct param *row, const struct param_value *value, char *text, size_t bytes)
{
    switch (row->type) {
    case PARAM_BOOL:
        return snprintf(text, bytes, "%s", value->number != 0 ? "on" : "off");
    case PARAM_TEXT:
        return text_quote(value->text, text, bytes);
    case PARAM_ENUM:
        if (param_is_valid(row, value->number))
            return param_choice_name(row, (int)value->number, text, bytes);
    }
    return format_with_unit(row, value->number, text, bytes);
}

/// "auto, start or join".
static int format_choices(const struct param *row, char *text, size_t bytes)
{
    char list[256] = "";
    const int count = param_choice_count(row);
    for (int i = 0; i < count; i++) {
        char name[64];
        param_choice_name(row, i, name, sizeof name);
        const size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s",
                 i == 0           ? ""
                 : i == count - 1 ? " or "
                                  : ", ",
                 name);
    }
    return snprintf(text, bytes, "%s", list);
}

int param_format_range(const struct param *row, char *text, size_t bytes)
{
    char low[32], high[64];
    switch (row->type) {
    case PARAM_BOOL:
        return snprintf(text, bytes, "on or off");
    case PARAM_TEXT:
        return snprintf(text, bytes, "text of at most %d bytes", PARAM_TEXT_MAX - 1);
    case PARAM_ENUM:
        return format_choices(row, text, bytes);
    }
    text_format_number(row->minimum, low, sizeof low);
    format_with_unit(row, row->maximum, high, sizeof high);
    return snprintf(text, bytes, "%s to %s", low, high);
}
