/// The config file: read, checked whole, compared, kept.
///
/// Owner: the caller. Thread: any one that may touch files; never the audio thread. Nothing here
/// changes anything but its outputs. The text is libconfig's; groups follow the keys of
/// config/param.h: `master: { limiter: { on = true; }; };` is "master.limiter.on".
#ifndef CONSORT_CONFIG_CONFIG_H
#define CONSORT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/param.h"
#include "config/report.h"

/// A value for each parameter: from the file, or else its default. About 90 KB: not for stacks.
struct config_values {
    bool is_set[PARAM_COUNT];   ///< stands in the file
    unsigned line[PARAM_COUNT]; ///< where; 0 if not
    struct param_value value[PARAM_COUNT];
};

/// Every parameter at its default, none set.
void config_defaults(struct config_values *values);

/// How many keys the file sets.
unsigned config_count(const struct config_values *values);

/// Reads a file. Returns 0, or a negative errno with every error in the report: -EINVAL for what
/// stands in the file, -ENOENT, -EACCES, -EISDIR, -EFBIG (over 1 MiB), -ENOTSUP (a pipe or
/// device), -ENOMEM. After an error `values` has the defaults.
int config_load(const char *path, struct config_values *values, struct config_report *report);

/// The same for text in memory; `name` stands for the file in messages.
int config_load_text(const char *text, size_t bytes, const char *name, struct config_values *values,
                     struct config_report *report);

/// Reads a file or, when it has errors, the last good copy of it. Returns 0, or 1 when the copy
/// was used, or a negative errno with the defaults when neither is good. The report has the
/// errors of the file, and those of the copy if there is one with errors.
int config_load_or_good(const char *path, const char *good_path, struct config_values *values,
                        struct config_report *report);

/// Keeps a copy of a config file as the last good one. What is written was checked again: returns
/// -EINVAL, and keeps the copy of before, if the file has errors by now. The copy is whole or not
/// there at any moment, also if the power fails. Returns 0 or a negative errno.
int config_save_good(const char *path, const char *good_path);

/// What is to be done with a value that differs. `needs_restart`: it cannot take effect now.
typedef void config_apply_function(void *user, unsigned index, const struct param_value *value,
                                   bool needs_restart);

/// Calls `apply` for each CONFIG parameter that differs between two loads, in the order of the
/// table. `old` NULL stands for the defaults. Returns the number of calls.
unsigned config_apply(const struct config_values *new_values, const struct config_values *old,
                      config_apply_function *apply, void *user);

#endif
