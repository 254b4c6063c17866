/// A growing list of what is wrong with a config, each with its place.
///
/// Owner: the caller; all zero is an empty list. Thread: one at a time.
#ifndef CONSORT_CONFIG_REPORT_H
#define CONSORT_CONFIG_REPORT_H

#include <stddef.h>
#include <stdio.h>

struct config_error {
    unsigned line; ///< counted from 1; 0 for the file as a whole
    char file[256];
    char message[512]; ///< "audio.period = 7: must be 16 to 4096 frames"
};

struct config_report {
    struct config_error *error;
    size_t count, capacity;
    size_t lost; ///< errors for which there was no memory
};

/// Adds one error.
void config_report_add(struct config_report *report, const char *file, unsigned line,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/// Orders the errors from the `first`-th on by line, those of one line as they were added.
void config_report_sort(struct config_report *report, size_t first);

/// Writes "consort.cfg:12: message" for each error, as compilers do.
void config_report_print(const struct config_report *report, FILE *out);

/// Frees the list; it is empty again.
void config_report_finish(struct config_report *report);

#endif
