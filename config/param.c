#include "config/param.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/spelling.h"

enum { PARTS = 16, NAME_MAX_BYTES = 96 };

#define CONFIG PARAM_FLAG_CONFIG
#define ENGINE PARAM_FLAG_ENGINE
#define RESTART PARAM_FLAG_RESTART
#define STATE PARAM_FLAG_STATE
#define PER_PART PARAM_FLAG_PER_PART
#define FROM_PART PARAM_FLAG_FROM_PART
#define CONTROLLER PARAM_FLAG_CONTROLLER

// The default of a row is a number or, for TEXT, a string.
#define STANDARD_FLOAT(value) .text = "", .standard = (value)
#define STANDARD_INT(value) STANDARD_FLOAT(value)
#define STANDARD_BOOL(value) STANDARD_FLOAT(value)
#define STANDARD_ENUM(value) STANDARD_FLOAT(value)
#define STANDARD_TEXT(value) .text = (value), .standard = 0

#define PARAM(id_, path_, type_, unit_, minimum_, maximum_, standard_, choices_, flags_, label_,   \
              sentence_)                                                                           \
    {.path = path_,                                                                                \
     .unit = unit_,                                                                                \
     .choices = choices_,                                                                          \
     .label = label_,                                                                              \
     .sentence = sentence_,                                                                        \
     STANDARD_##type_(standard_),                                                                  \
     .minimum = minimum_,                                                                          \
     .maximum = maximum_,                                                                          \
     .index = PARAM_##id_,                                                                         \
     .type = PARAM_##type_,                                                                        \
     .flags = flags_},

const struct param param_rows[] = {
#include "config/params.def"
};

const size_t param_row_count = sizeof param_rows / sizeof param_rows[0];

const struct param *param_row(unsigned index)
{
    size_t low = 0, high = param_row_count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (param_rows[middle].index <= index)
            low = middle;
        else
            high = middle;
    }
    return &param_rows[low];
}

unsigned param_part(unsigned index)
{
    const struct param *row = param_row(index);
    return row->flags & PARAM_FLAG_PER_PART ? index - row->index + 1 : 0;
}

int param_path(unsigned index, char *path, size_t bytes)
{
    const char *pattern = param_row(index)->path;
    const char *place = strstr(pattern, "/N/");
    if (!place)
        return snprintf(path, bytes, "%s", pattern);
    return snprintf(path, bytes, "%.*s/%u%s", (int)(place - pattern), pattern, param_part(index),
                    place + 2);
}

int param_key(unsigned index, char *key, size_t bytes)
{
    const char *pattern = param_row(index)->path + 1;
    const char *place = strstr(pattern, "/N/");
    char name[NAME_MAX_BYTES];
    if (place)
        snprintf(name, sizeof name, "%.*s%u%s", (int)(place - pattern), pattern, param_part(index),
                 place + 2);
    else
        snprintf(name, sizeof name, "%s", pattern);
    for (char *slash = name; (slash = strchr(slash, '/'));)
        *slash = '.';
    return snprintf(key, bytes, "%s", name);
}

/// Reads 1..16 without leading zeros and moves past it, or returns 0.
static unsigned read_part(const char **name)
{
    unsigned part = 0;
    const char *digit = *name;
    while (*digit >= '0' + (part == 0) && *digit <= '9' && part <= PARTS)
        part = part * 10 + (unsigned)(*digit++ - '0');
    *name = digit;
    return part <= PARTS ? part : 0;
}

/// The flat index if `name` is a path (`slash` is '/') or a key ('.') of the row, or -ENOENT.
static int match(const struct param *row, const char *name, char slash)
{
    unsigned part = 1;
    for (const char *at = row->path + (slash == '.'); *at; at++) {
        if (strncmp(at, "/N/", 3) == 0) {
            // A path has a slash before the part, a key has nothing: "/ch/3", "ch3".
            if (slash == '/' && *name++ != '/')
                return -ENOENT;
            if ((part = read_part(&name)) == 0)
                return -ENOENT;
            at++;
        } else if (*name++ != (*at == '/' ? slash : *at)) {
            return -ENOENT;
        }
    }
    return *name ? -ENOENT : (int)(row->index + part - 1);
}

static int find(const char *name, char slash)
{
    for (size_t i = 0; i < param_row_count; i++) {
        const int index = match(&param_rows[i], name, slash);
        if (index >= 0)
            return index;
    }
    return -ENOENT;
}

int param_find_path(const char *path) { return find(path, '/'); }

int param_find_key(const char *key) { return find(key, '.'); }

static unsigned nearest(const char *name, int (*write)(unsigned, char *, size_t), unsigned flags)
{
    const size_t bytes = strnlen(name, SPELLING_MAX);
    unsigned best = 0, best_distance = SPELLING_MAX + 1;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        if ((param_row(index)->flags & flags) != flags)
            continue;
        char candidate[NAME_MAX_BYTES];
        const size_t candidate_bytes = (size_t)write(index, candidate, sizeof candidate);
        // The difference in length is the least that the distance can be.
        if (labs((long)candidate_bytes - (long)bytes) >= (long)best_distance)
            continue;
        const unsigned distance = spelling_distance(name, candidate);
        if (distance < best_distance) {
            best = index;
            best_distance = distance;
        }
    }
    return best;
}

unsigned param_nearest_path(const char *path) { return nearest(path, param_path, 0); }

unsigned param_nearest_key(const char *key) { return nearest(key, param_key, PARAM_FLAG_CONFIG); }

void param_default(unsigned index, struct param_value *value)
{
    const struct param *row = param_row(index);
    value->number = row->standard;
    if (row->flags & PARAM_FLAG_FROM_PART)
        value->number += param_part(index) - 1;
    snprintf(value->text, sizeof value->text, "%s", row->text);
}
