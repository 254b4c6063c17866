/// Judges one setting of a config file: is there such a key, may it stand there, is its value
/// allowed. Knows nothing of libconfig.
///
/// Thread: any one.
#ifndef CONSORT_CONFIG_CHECK_H
#define CONSORT_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

enum { CHECK_KEY_BYTES = 128 }; ///< of a key in messages; longer ones are cut

/// A value as it stands in the file.
enum literal_kind {
    LITERAL_INT,
    LITERAL_FLOAT,
    LITERAL_BOOL,
    LITERAL_TEXT,
    LITERAL_LIST,
    LITERAL_GROUP
};

struct literal {
    enum literal_kind kind;
    double number;    ///< INT, FLOAT, BOOL
    const char *text; ///< TEXT, any bytes
};

/// A check under way.
struct check {
    const char *name; ///< of the file
    struct config_values *values;
    struct config_report *report;
};

/// Takes the value of a key, or adds an error.
void check_value(struct check *check, unsigned line, const char *key,
                 const struct literal *literal);

/// Whether there is a group of that name. If not, adds an error; `guess` gets the name that was
/// probably meant ("" if none), under which the settings inside can still be checked.
bool check_group(struct check *check, unsigned line, const char *group,
                 char guess[CHECK_KEY_BYTES]);

/// Whether the key is one of a parameter.
bool check_is_key(const char *key);

/// What can only be seen when all keys are read: values that contradict one another.
void check_together(struct check *check);

#endif
