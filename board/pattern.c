#include "board/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int pattern_init(struct pattern *pattern, const char *text, char *error, size_t bytes)
{
    pattern->kind = PATTERN_NONE;
    if (text[0] == '\0')
        pattern->kind = PATTERN_EMPTY;
    if (text[0] == '\0' || strcmp(text, "none") == 0)
        return 0;
    int code = regcomp(&pattern->regex, text, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        char reason[128];
        regerror(code, &pattern->regex, reason, sizeof reason);
        snprintf(error, bytes, "\"%s\" is no regular expression: %s", text, reason);
        return -EINVAL;
    }
    pattern->kind = PATTERN_REGEX;
    return 0;
}

void pattern_finish(struct pattern *pattern)
{
    if (pattern->kind == PATTERN_REGEX)
        regfree(&pattern->regex);
    pattern->kind = PATTERN_NONE;
}

bool pattern_matches(const struct pattern *pattern, const char *name)
{
    return pattern->kind == PATTERN_REGEX && regexec(&pattern->regex, name, 0, NULL, 0) == 0;
}
