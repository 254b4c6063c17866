// The config file of config/reference.h: every key at its default, explained.
#include <stdbool.h>
#include <string.h>

#include "config/param.h"
#include "config/reference.h"
#include "config/text.h"

enum { LINE_BYTES = 96, KEY_BYTES = 96, INDENT = 4 };

/// The file so far: which groups are open.
struct page {
    FILE *out;
    char group[KEY_BYTES]; // "master.limiter", "" outside
    int depth;
};

static void indent(const struct page *page) { fprintf(page->out, "%*s", page->depth * INDENT, ""); }

/// A comment, broken between words into lines that fit.
static void write_comment(const struct page *page, const char *text)
{
    const size_t room = LINE_BYTES - (size_t)(page->depth * INDENT) - strlen("# ");
    while (*text) {
        size_t bytes = strlen(text);
        if (bytes > room) {
            bytes = room;
            while (bytes > 1 && text[bytes] != ' ')
                bytes--;
        }
        indent(page);
        fprintf(page->out, "# %.*s\n", (int)bytes, text);
        text += bytes + (text[bytes] == ' ');
    }
}

static void close_group(struct page *page)
{
    char *dot = strrchr(page->group, '.');
    *(dot ? dot : page->group) = '\0';
    page->depth--;
    indent(page);
    fputs("};\n", page->out);
}

static void open_group(struct page *page, const char *name, size_t bytes)
{
    const size_t length = strlen(page->group);
    fputs("\n", page->out);
    if (strncmp(name, "ch1", bytes) == 0 && page->depth == 0)
        write_comment(page, "Part 1. The other parts, ch2 to ch16, take the same keys.");
    indent(page);
    fprintf(page->out, "%.*s: {\n", (int)bytes, name);
    snprintf(page->group + length, sizeof page->group - length, "%s%.*s", length ? "." : "",
             (int)bytes, name);
    page->depth++;
}

/// Whether `group` is `inner` or lies in it; everything lies in "".
static bool is_in(const char *group, const char *inner)
{
    const size_t bytes = strlen(inner);
    return bytes == 0 ||
           (strncmp(group, inner, bytes) == 0 && (group[bytes] == '.' || group[bytes] == '\0'));
}

/// Closes and opens groups until the page is in `group`.
static void move_to(struct page *page, const char *group)
{
    while (!is_in(group, page->group))
        close_group(page);
    while (strcmp(group, page->group) != 0) {
        const char *rest = group + strlen(page->group) + (page->depth > 0);
        open_group(page, rest, strcspn(rest, "."));
    }
}

/// A value as the config file takes it.
static void format_value(const struct param *row, const struct param_value *value, char *text,
                         size_t bytes)
{
    char name[64] = "";
    if (row->type == PARAM_TEXT) {
        text_quote(value->text, text, bytes);
    } else if (row->type == PARAM_BOOL) {
        snprintf(text, bytes, "%s", value->number != 0 ? "true" : "false");
    } else if (row->type == PARAM_ENUM) {
        param_choice_name(row, (int)value->number, name, sizeof name);
        text_quote(name, text, bytes);
    } else {
        text_format_number(value->number, text, bytes);
    }
}

/// "16 to 4096 frames; default 128; taken at start only".
static void write_facts(const struct page *page, const struct param *row, const char *standard)
{
    char range[256], facts[1024];
    param_format_range(row, range, sizeof range);
    snprintf(facts, sizeof facts, "%s; default %s%s%s",
             row->type == PARAM_BOOL ? "true or false" : range, standard,
             row->flags & PARAM_FLAG_FROM_PART ? " in ch1, 2 in ch2 and so on" : "",
             row->flags & PARAM_FLAG_RESTART ? "; taken at start only" : "");
    write_comment(page, facts);
}

static void write_key(struct page *page, const struct param *row)
{
    char key[KEY_BYTES], text[2 * PARAM_TEXT_MAX + 4];
    struct param_value value;
    param_key(row->index, key, sizeof key);
    char *name = strrchr(key, '.');
    *name++ = '\0';
    const bool is_first = strcmp(page->group, key) != 0;
    move_to(page, key);
    if (!is_first)
        fputs("\n", page->out);
    param_default(row->index, &value);
    format_value(row, &value, text, sizeof text);
    write_comment(page, row->sentence);
    write_facts(page, row, text);
    indent(page);
    fprintf(page->out, "%s = %s;\n", name, text);
}

void reference_write_config(FILE *out)
{
    struct page page = {.out = out};
    fputs(
        "# The settings of a Consort box, all at their defaults: a key left out has its default.\n"
        "# `consort check FILE` lists every mistake. A running box takes changes over as soon as\n"
        "# the file is saved, without a gap; what is taken at start only waits for the next "
        "start.\n"
        "# Written by `consort params --config` from config/params.def.\n",
        out);
    for (size_t i = 0; i < param_row_count; i++)
        if (param_rows[i].flags & PARAM_FLAG_CONFIG)
            write_key(&page, &param_rows[i]);
    move_to(&page, "");
}
