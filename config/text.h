/// Text from outside: UTF-8 checked, shown safely, numbers written short.
///
/// Pure functions over the caller's memory. Thread: any but the audio thread.
#ifndef CONSORT_CONFIG_TEXT_H
#define CONSORT_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/// Bytes of the UTF-8 character at `text`, 1..4, or 0 where none is well formed (overlong forms,
/// surrogates and code points beyond U+10FFFF are not; RFC 3629). `text` ends with a zero.
size_t text_character_bytes(const char *text);

/// Whether all of `text` is UTF-8.
bool text_is_utf8(const char *text);

/// Whether `text` holds a control character: C0, delete or, in UTF-8, C1.
bool text_has_control(const char *text);

/// Copies at most `raw_bytes` of any bytes (a zero ends them sooner) for a person to read: what is
/// not plain UTF-8 becomes "\xNN", what does not fit "...". A zero follows `raw` somewhere;
/// `bytes` is at least 8.
void text_show(const char *raw, size_t raw_bytes, char *shown, size_t bytes);

/// The shortest decimal that reads back as the same number; of a number that is exactly a float,
/// as the same float ("0.1" for 0.1f). Never with a unit. Returns its length, as snprintf.
int text_format_number(double number, char *text, size_t bytes);

/// `raw` between quotes, quotes and backslashes escaped as the config file and JSON want them.
/// Returns its length, as snprintf.
int text_quote(const char *raw, char *text, size_t bytes);

#endif
