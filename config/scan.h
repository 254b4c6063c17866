/// A look over the characters of a config before libconfig sees them.
///
/// libconfig 1.5 wraps large integers silently, drops what follows a comment that is never
/// closed, opens other files for @include and takes minutes over a hundred thousand keys. Here
/// such text is refused, or put so that libconfig reads what was meant. Thread: any.
#ifndef CONSORT_CONFIG_SCAN_H
#define CONSORT_CONFIG_SCAN_H

#include <stddef.h>

#include "config/report.h"

enum {
    SCAN_BYTES_MAX = 1 << 20, ///< of a config file
    SCAN_DEPTH_MAX = 16,      ///< groups and lists inside one another
    SCAN_KEYS_MAX = 1024,     ///< settings in a file; the table has some 300
};

/// A copy of the text with comments blanked and integers beyond 32 bits marked as long, for the
/// caller to free; lines stay where they are. Returns NULL and adds to the report what libconfig
/// must not see, or NULL with errno ENOMEM and one line in the report.
char *scan_text(const char *text, size_t bytes, const char *name, struct config_report *report);

#endif
