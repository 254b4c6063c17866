// The page and the JSON. The config file is in config/reference_config.c.
#include "config/reference.h"

#include <stdbool.h>
#include <string.h>

#include "config/json.h"
#include "config/param.h"
#include "config/text.h"

static const char *const type_names[] = {
    [PARAM_FLOAT] = "float", [PARAM_INT] = "int",   [PARAM_BOOL] = "switch",
    [PARAM_ENUM] = "choice", [PARAM_TEXT] = "text",
};

/// What a person wants to know of the flags: when can it be set, who else changes it.
static const char *describe_flags(const struct param *row)
{
    if (row->flags & PARAM_FLAG_STATE)
        return "read only";
    if (row->flags & PARAM_FLAG_RESTART)
        return "restart";
    if (row->flags & PARAM_FLAG_CONTROLLER)
        return "live, at its frame; MIDI";
    return row->flags & PARAM_FLAG_ENGINE ? "live, at its frame" : "live";
}

/// The key with N for the part: "chN.volume".
static void format_row_key(const struct param *row, char *key, size_t bytes)
{
    param_key(row->index, key, bytes);
    if (row->flags & PARAM_FLAG_PER_PART)
        *strchr(key, '1') = 'N';
}

static void format_default(const struct param *row, char *text, size_t bytes)
{
    struct param plain = *row;
    struct param_value value;
    plain.unit = "";
    param_default(row->index, &value);
    if (row->flags & PARAM_FLAG_FROM_PART)
        snprintf(text, bytes, "1 to 16, by part");
    else
        param_format(&plain, &value, text, bytes);
}

/// A cell of a table, in which a bar must not end it.
static void write_cell(FILE *out, const char *text)
{
    fputs(" ", out);
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
    fputs(" |", out);
}

static void write_code_cell(FILE *out, const char *text)
{
    char code[PARAM_TEXT_MAX * 2 + 8];
    snprintf(code, sizeof code, "`%s`", text);
    write_cell(out, *text ? code : "");
}

static void write_row(FILE *out, const struct param *row)
{
    char text[PARAM_TEXT_MAX * 2 + 4];
    struct param plain = *row;
    plain.unit = "";
    fputs("|", out);
    write_code_cell(out, row->path);
    format_row_key(row, text, sizeof text);
    write_code_cell(out, row->flags & PARAM_FLAG_CONFIG ? text : "");
    write_cell(out, type_names[row->type]);
    param_format_range(&plain, text, sizeof text);
    write_cell(out, text);
    format_default(row, text, sizeof text);
    write_code_cell(out, text);
    write_cell(out, row->unit);
    write_cell(out, row->sentence);
    write_cell(out, describe_flags(row));
    fputs("\n", out);
}

/// Bytes of the group at the start of a path: "audio" of "/audio/rate".
static size_t group_bytes(const struct param *row) { return strcspn(row->path + 1, "/"); }

static bool begins_group(const struct param *row)
{
    const size_t bytes = group_bytes(row);
    return row == param_rows || group_bytes(row - 1) != bytes ||
           memcmp(row[-1].path, row->path, bytes + 1) != 0;
}

void reference_write_markdown(FILE *out)
{
    fputs("# Parameters\n\n"
          "Everything that can be set or watched, written by `consort params` from\n"
          "`config/params.def`. Each has an OSC address and most have a key in the config file;\n"
          "N stands for the parts 1 to 16. A parameter is *live* (changes at once), *live, at its\n"
          "frame* (changes at an exact sample, without a gap), *restart* (taken when the box\n"
          "starts) or *read only* (what the box reports). *MIDI*: keyboards change it too.\n",
          out);
    for (const struct param *row = param_rows; row < param_rows + param_row_count; row++) {
        if (begins_group(row))
            fprintf(
                out,
                "\n## %.*s\n\n"
                "| address | config key | type | range | default | unit | what it does | set |\n"
                "|---|---|---|---|---|---|---|---|\n",
                (int)group_bytes(row), row->path + 1);
        write_row(out, row);
    }
}

static void write_json_choices(FILE *out, const struct param *row)
{
    char name[64];
    fputs(", \"choices\": [", out);
    for (int i = 0; i < param_choice_count(row); i++) {
        param_choice_name(row, i, name, sizeof name);
        fputs(i ? ", " : "", out);
        json_write_string(out, name);
    }
    fputs("]", out);
}

/// The default as the config file takes it.
static void write_json_default(FILE *out, const struct param *row)
{
    char name[64];
    fputs(", \"default\": ", out);
    if (row->type == PARAM_TEXT)
        json_write_string(out, row->text);
    else if (row->type == PARAM_BOOL)
        fputs(row->standard != 0 ? "true" : "false", out);
    else if (row->type == PARAM_ENUM && param_choice_name(row, (int)row->standard, name, 64) >= 0)
        json_write_string(out, name);
    else
        json_write_number(out, row->standard);
}

static void write_json_field(FILE *out, const char *name, const char *text)
{
    fprintf(out, ", \"%s\": ", name);
    json_write_string(out, text);
}

static void write_json_flag(FILE *out, const struct param *row, enum param_flag flag,
                            const char *name)
{
    fprintf(out, ", \"%s\": %s", name, row->flags & flag ? "true" : "false");
}

static void write_json_row(FILE *out, const struct param *row)
{
    char key[96];
    format_row_key(row, key, sizeof key);
    fputs("  {\"path\": ", out);
    json_write_string(out, row->path);
    write_json_field(out, "key", row->flags & PARAM_FLAG_CONFIG ? key : NULL);
    fprintf(out, ", \"parts\": %d", row->flags & PARAM_FLAG_PER_PART ? 16 : 0);
    write_json_field(out, "type", type_names[row->type]);
    if (row->type == PARAM_TEXT)
        fprintf(out, ", \"maximum_bytes\": %d", PARAM_TEXT_MAX - 1);
    else if (row->type == PARAM_ENUM)
        write_json_choices(out, row);
    else if (row->type != PARAM_BOOL) {
        fputs(", \"minimum\": ", out);
        json_write_number(out, row->minimum);
        fputs(", \"maximum\": ", out);
        json_write_number(out, row->maximum);
    }
    write_json_default(out, row);
    write_json_flag(out, row, PARAM_FLAG_FROM_PART, "default_by_part");
    write_json_field(out, "unit", row->unit);
    write_json_flag(out, row, PARAM_FLAG_STATE, "read_only");
    write_json_flag(out, row, PARAM_FLAG_RESTART, "restart");
    write_json_flag(out, row, PARAM_FLAG_ENGINE, "engine");
    write_json_flag(out, row, PARAM_FLAG_CONTROLLER, "controller");
    write_json_field(out, "label", row->label);
    write_json_field(out, "sentence", row->sentence);
    fputs("}", out);
}

void reference_write_json(FILE *out)
{
    fputs("[\n", out);
    for (size_t i = 0; i < param_row_count; i++) {
        write_json_row(out, &param_rows[i]);
        fputs(i + 1 < param_row_count ? ",\n" : "\n", out);
    }
    fputs("]\n", out);
}
