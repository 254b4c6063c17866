#include "config/json.h"

#include <math.h>

#include "config/text.h"

static void write_character(FILE *out, const char *text, size_t bytes)
{
    const unsigned char first = (unsigned char)*text;
    if (bytes == 0)
        fputs("\\ufffd", out);
    else if (first == '"' || first == '\\')
        fprintf(out, "\\%c", first);
    else if (first == '\n')
        fputs("\\n", out);
    else if (first == '\t')
        fputs("\\t", out);
    else if (first < 0x20 || first == 0x7f)
        fprintf(out, "\\u%04x", first);
    else
        fwrite(text, 1, bytes, out);
}

void json_write_string(FILE *out, const char *text)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while (*text) {
        const size_t bytes = text_character_bytes(text);
        write_character(out, text, bytes);
        text += bytes ? bytes : 1;
    }
    fputc('"', out);
}

void json_write_number(FILE *out, double number)
{
    char text[32];
    text_format_number(number, text, sizeof text);
    fputs(isfinite(number) ? text : "null", out);
}
