#include "config/spelling.h"

#include <ctype.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static int fold(char c) { return tolower((unsigned char)c); }

unsigned spelling_distance(const char *a, const char *b)
{
    const size_t a_bytes = strnlen(a, SPELLING_MAX), b_bytes = strnlen(b, SPELLING_MAX);
    unsigned char row[3][SPELLING_MAX + 1]; // this row of the table and the two above it
    for (size_t j = 0; j <= b_bytes; j++)
        row[0][j] = (unsigned char)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        unsigned char *now = row[i % 3];
        const unsigned char *above = row[(i + 2) % 3], *above_that = row[(i + 1) % 3];
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            const bool is_equal = fold(a[i - 1]) == fold(b[j - 1]);
            unsigned cost = least(above[j - 1] + !is_equal, least(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                cost = least(cost, above_that[j - 2] + 1);
            now[j] = (unsigned char)cost;
        }
    }
    return row[a_bytes % 3][b_bytes];
}

bool spelling_is_close(const char *name, unsigned distance)
{
    const size_t bytes = strnlen(name, SPELLING_MAX);
    return distance <= 1 || distance * 3 <= bytes;
}
