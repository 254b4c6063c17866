/// The one thing about JSON that is easy to get wrong: strings.
///
/// Thread: any but the audio thread.
#ifndef CONSORT_CONFIG_JSON_H
#define CONSORT_CONFIG_JSON_H

#include <stdio.h>

/// Writes `text` as a JSON string, quotes included. Control characters are escaped; bytes that
/// are not UTF-8 become U+FFFD. NULL is written as `null`.
void json_write_string(FILE *out, const char *text);

/// Writes a number, or `null` for one that JSON has no word for (not finite).
void json_write_number(FILE *out, double number);

#endif
