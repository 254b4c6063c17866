#include "config/text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Length that the first byte of a character promises, 0 for none; its payload bits in `code`.
static size_t promised_bytes(unsigned char first, uint32_t *code)
{
    if (first < 0x80)
        return *code = first, 1;
    if (first >= 0xc2 && first < 0xe0)
        return *code = first & 0x1f, 2;
    if (first >= 0xe0 && first < 0xf0)
        return *code = first & 0x0f, 3;
    if (first >= 0xf0 && first < 0xf5)
        return *code = first & 0x07, 4;
    return 0;
}

/// As `text_character_bytes`, the code point in `code`.
static size_t decode(const char *text, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t bytes = promised_bytes((unsigned char)text[0], code);
    for (size_t i = 1; i < bytes; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    const bool is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < smallest[bytes] || is_surrogate || *code > 0x10ffff ? 0 : bytes;
}

static bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

size_t text_character_bytes(const char *text)
{
    uint32_t code = 0;
    return decode(text, &code);
}

bool text_is_utf8(const char *text)
{
    while (*text) {
        const size_t bytes = text_character_bytes(text);
        if (bytes == 0)
            return false;
        text += bytes;
    }
    return true;
}

bool text_has_control(const char *text)
{
    while (*text) {
        uint32_t code = 0;
        const size_t bytes = decode(text, &code);
        if (bytes && is_control(code))
            return true;
        text += bytes ? bytes : 1;
    }
    return false;
}

void text_show(const char *raw, size_t raw_bytes, char *shown, size_t bytes)
{
    const char *end = raw + strnlen(raw, raw_bytes);
    size_t length = 0;
    while (raw < end) {
        uint32_t code = 0;
        char piece[8];
        size_t taken = decode(raw, &code);
        if (taken == 0 || is_control(code) || taken > (size_t)(end - raw)) {
            taken = 1;
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned char)*raw);
        } else {
            memcpy(piece, raw, taken);
            piece[taken] = '\0';
        }
        if (length + strlen(piece) + sizeof "..." > bytes) {
            memcpy(shown + length, "...", sizeof "...");
            return;
        }
        memcpy(shown + length, piece, strlen(piece));
        length += strlen(piece);
        raw += taken;
    }
    shown[length] = '\0';
}

static bool is_same(double number, const char *text)
{
    if ((double)(float)number == number)
        return strtof(text, NULL) == (float)number;
    return strtod(text, NULL) == number;
}

int text_format_number(double number, char *text, size_t bytes)
{
    // Adding zero turns -0 into 0.
    if (number == trunc(number) && fabs(number) < 1e15)
        return snprintf(text, bytes, "%.0f", number + 0.0);
    char digits[32];
    int precision = 1;
    do
        snprintf(digits, sizeof digits, "%.*g", precision, number);
    while (!is_same(number, digits) && ++precision <= 17);
    return snprintf(text, bytes, "%s", digits);
}

static void put(char c, char *text, size_t bytes, size_t *length)
{
    if (*length + 1 < bytes)
        text[*length] = c;
    ++*length;
}

int text_quote(const char *raw, char *text, size_t bytes)
{
    size_t length = 0;
    put('"', text, bytes, &length);
    for (; *raw; raw++) {
        if (*raw == '"' || *raw == '\\')
            put('\\', text, bytes, &length);
        put(*raw, text, bytes, &length);
    }
    put('"', text, bytes, &length);
    if (bytes)
        text[length < bytes ? length : bytes - 1] = '\0';
    return (int)length;
}
