#include "net/osc_pattern.h"

#include <stdint.h>
#include <string.h>

/// Bit n: the pattern so far matches the first n characters of the address.
typedef uint64_t places;

bool osc_pattern_is(const char *address) { return strpbrk(address, "?*[{") != NULL; }

bool osc_pattern_is_valid(const char *pattern)
{
    char closing = 0;

    for (; *pattern; pattern++) {
        if (closing && strchr("[{*?/", *pattern))
            return false;
        if (*pattern == closing)
            closing = 0;
        else if (*pattern == '[')
            closing = ']';
        else if (*pattern == '{')
            closing = '}';
        else if (!closing && strchr("]},", *pattern))
            return false;
    }
    return closing == 0;
}

/// Whether a character is in the set that begins after its '['.
static bool is_in_set(const char *set, char character)
{
    const bool is_negated = *set == '!';
    bool is_found = false;

    for (set += is_negated; *set != ']'; set++) {
        if (set[1] == '-' && set[2] != ']') {
            is_found |= set[0] <= character && character <= set[2];
            set += 2;
        } else {
            is_found |= *set == character;
        }
    }
    return is_found != is_negated;
}

/// One step of every place whose next character fits the one-character element of the pattern.
static places step_one(places at, const char *element, const char *address)
{
    places next = 0;

    for (unsigned n = 0; address[n]; n++) {
        if (!(at >> n & 1))
            continue;
        const bool fits = *element == '?' ? address[n] != '/'
                          : *element == '['
                              ? address[n] != '/' && is_in_set(element + 1, address[n])
                              : address[n] == *element;
        if (fits)
            next |= (places)2 << n;
    }
    return next;
}

/// Every place runs on to the next slash.
static places step_run(places at, const char *address)
{
    for (unsigned n = 0; address[n]; n++)
        if ((at >> n & 1) && address[n] != '/')
            at |= (places)2 << n;
    return at;
}

/// Every place tries each of the words of `{one,two}`.
static places step_words(places at, const char *words, const char *address)
{
    places next = 0;

    for (const char *word = words + 1;;) {
        const size_t length = strcspn(word, ",}");
        for (unsigned n = 0; n < OSC_MATCHED_MAX; n++) {
            if ((at >> n & 1) && strncmp(address + n, word, length) == 0)
                next |= (places)1 << (n + length);
            if (address[n] == 0)
                break;
        }
        if (word[length] == '}')
            return next;
        word += length + 1;
    }
}

bool osc_pattern_match(const char *pattern, const char *address)
{
    const size_t length = strlen(address);
    places at = 1;

    if (length >= OSC_MATCHED_MAX || !osc_pattern_is_valid(pattern))
        return false;
    while (*pattern && at) {
        if (*pattern == '*')
            at = step_run(at, address);
        else if (*pattern == '{')
            at = step_words(at, pattern, address);
        else
            at = step_one(at, pattern, address);
        if (*pattern == '[')
            pattern = strchr(pattern, ']');
        else if (*pattern == '{')
            pattern = strchr(pattern, '}');
        pattern++;
    }
    return at >> length & 1;
}
