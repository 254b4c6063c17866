/// OSC address patterns: `?` one character, `*` any run, `[a-f]` and `[!x]` one of a set,
/// `{on,off}` one of some words. None of them matches a slash.
///
/// Pure. Thread: any. The work is bounded by the length of the pattern times the length of the
/// address, whatever the pattern is: all places that the pattern has reached in the address are
/// carried along at once, as the bits of one word.
#ifndef CONSORT_NET_OSC_PATTERN_H
#define CONSORT_NET_OSC_PATTERN_H

#include <stdbool.h>

enum { OSC_MATCHED_MAX = 64 }; ///< bytes of an address that can be matched, its zero included

/// Whether an address holds one of the characters that make it a pattern.
bool osc_pattern_is(const char *address);

/// Whether the brackets and braces of a pattern are closed and not nested.
bool osc_pattern_is_valid(const char *pattern);

/// Whether the whole address matches. False for a pattern that is not valid.
bool osc_pattern_match(const char *pattern, const char *address);

#endif
