#include "config/report.h"

#include <stdarg.h>
#include <stdlib.h>

/// Room for one more error, or NULL.
static struct config_error *next(struct config_report *report)
{
    if (report->count == report->capacity) {
        const size_t capacity = report->capacity ? 2 * report->capacity : 8;
        struct config_error *error = realloc(report->error, capacity * sizeof *error);
        if (!error)
            return NULL;
        report->error = error;
        report->capacity = capacity;
    }
    return &report->error[report->count++];
}

void config_report_add(struct config_report *report, const char *file, unsigned line,
                       const char *format, ...)
{
    struct config_error *error = next(report);
    if (!error) {
        report->lost++;
        return;
    }
    error->line = line;
    snprintf(error->file, sizeof error->file, "%s", file);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
}

// Nearly sorted already: only the cross checks come out of order.
void config_report_sort(struct config_report *report, size_t first)
{
    for (size_t i = first + 1; i < report->count; i++) {
        const struct config_error error = report->error[i];
        size_t place = i;
        for (; place > first && report->error[place - 1].line > error.line; place--)
            report->error[place] = report->error[place - 1];
        report->error[place] = error;
    }
}

void config_report_print(const struct config_report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_error *error = &report->error[i];
        if (error->line)
            fprintf(out, "%s:%u: %s\n", error->file, error->line, error->message);
        else
            fprintf(out, "%s: %s\n", error->file, error->message);
    }
    if (report->lost)
        fprintf(out, "and %zu more: out of memory\n", report->lost);
}

void config_report_finish(struct config_report *report)
{
    free(report->error);
    *report = (struct config_report){0};
}
