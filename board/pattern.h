/// Which ports are wanted: a POSIX extended regular expression from the config, with the word
/// "none" for no port at all.
///
/// Owner: whoever keeps it. Thread: one at a time.
#ifndef CONSORT_BOARD_PATTERN_H
#define CONSORT_BOARD_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

struct pattern {
    enum { PATTERN_EMPTY, PATTERN_NONE, PATTERN_REGEX } kind;
    regex_t regex;
};

/// Reads `text`: "" is PATTERN_EMPTY, "none" PATTERN_NONE. Returns 0, or -EINVAL with the reason
/// in `error`; the pattern is then PATTERN_NONE and needs no `pattern_finish`.
int pattern_init(struct pattern *pattern, const char *text, char *error, size_t bytes);
void pattern_finish(struct pattern *pattern);

/// Whether a name matches. Neither the empty pattern nor "none" matches anything.
bool pattern_matches(const struct pattern *pattern, const char *name);

#endif
