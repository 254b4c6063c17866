/// How far apart two spellings are, for "did you mean".
///
/// Pure functions. Thread: any but the audio thread.
#ifndef CONSORT_CONFIG_SPELLING_H
#define CONSORT_CONFIG_SPELLING_H

#include <stdbool.h>
#include <stddef.h>

enum { SPELLING_MAX = 64 }; ///< bytes compared; what is beyond counts as equal

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other,
/// upper and lower case alike (optimal string alignment).
unsigned spelling_distance(const char *a, const char *b);

/// Whether a word so far from `name` is still worth suggesting: at most a third of it is wrong.
bool spelling_is_close(const char *name, unsigned distance);

#endif
