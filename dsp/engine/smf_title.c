#include "dsp/engine/smf_title.h"

#include <stdbool.h>
#include <string.h>

#include "config/text.h"

enum { RAW_BYTES = 512 }; // more than any title needs, zero included

// Copies the front of a name without its zero bytes, not cutting a UTF-8 character.
static void copy_raw(char raw[RAW_BYTES], const uint8_t *bytes, size_t count)
{
    size_t used = 0;
    if (count >= RAW_BYTES)
        for (count = RAW_BYTES - 1; count && (bytes[count] & 0xC0) == 0x80;)
            count--;
    for (size_t i = 0; i < count; i++)
        if (bytes[i])
            raw[used++] = (char)bytes[i];
    raw[used] = '\0';
}

static size_t latin1_to_utf8(char byte, char utf8[2])
{
    const unsigned code = (unsigned char)byte;
    if (code < 0x80) {
        utf8[0] = byte;
        return 1;
    }
    utf8[0] = (char)(0xC0 | code >> 6);
    utf8[1] = (char)(0x80 | (code & 0x3F));
    return 2;
}

// C0, delete and C1; the latter begin with C2 in UTF-8.
static bool is_control(const char *character, size_t length)
{
    const unsigned char first = (unsigned char)character[0];
    if (length == 1)
        return first < 0x20 || first == 0x7F;
    return length == 2 && first == 0xC2 && (unsigned char)character[1] < 0xA0;
}

void smf_title_set(char title[SMF_TITLE_BYTES], const uint8_t *bytes, size_t count)
{
    char raw[RAW_BYTES], converted[2];
    copy_raw(raw, bytes, count);
    const bool is_utf8 = text_is_utf8(raw);
    size_t used = 0;
    for (const char *from = raw; *from;) {
        const char *character = is_utf8 ? from : converted;
        size_t length = is_utf8 ? text_character_bytes(from) : latin1_to_utf8(*from, converted);
        from += is_utf8 ? length : 1;
        if (is_control(character, length) || (used == 0 && character[0] == ' '))
            continue;
        if (used + length >= SMF_TITLE_BYTES)
            break;
        memcpy(title + used, character, length);
        used += length;
    }
    while (used && title[used - 1] == ' ')
        used--;
    title[used] = '\0';
}
