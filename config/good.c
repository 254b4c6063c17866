// Config files on disk: read within bounds, the last good one kept. The rest of config/config.h.
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/scan.h"

struct text {
    char *bytes;
    size_t count;
};

/// Opens a regular file that may be read. Returns its descriptor or a negative errno. A pipe
/// must not make us wait.
static int open_regular(const char *path)
{
    struct stat status;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return -errno;
    int error = 0;
    if (fstat(file, &status) < 0)
        error = -errno;
    else if (S_ISDIR(status.st_mode))
        error = -EISDIR;
    else if (!S_ISREG(status.st_mode))
        error = -ENOTSUP;
    if (!error)
        return file;
    close(file);
    return error;
}

/// Reads to the end, or to one byte more than is allowed.
static int read_all(int file, struct text *text)
{
    text->bytes = malloc(SCAN_BYTES_MAX + 1);
    if (!text->bytes)
        return -ENOMEM;
    while (text->count <= SCAN_BYTES_MAX) {
        const ssize_t count =
            read(file, text->bytes + text->count, SCAN_BYTES_MAX + 1 - text->count);
        if (count == 0)
            return 0;
        if (count < 0 && errno != EINTR)
            return -errno;
        text->count += count > 0 ? (size_t)count : 0;
    }
    return 0; // too long: the scan says so
}

/// Reads a file whole; `text->bytes` is the caller's to free, NULL after an error.
static int read_file(const char *path, struct text *text)
{
    *text = (struct text){0};
    const int file = open_regular(path);
    if (file < 0)
        return file;
    const int error = read_all(file, text);
    close(file);
    if (error) {
        free(text->bytes);
        *text = (struct text){0};
    }
    return error;
}

static const char *describe(int error)
{
    switch (error) {
    case -EISDIR:
        return "is a directory, not a config file";
    case -ENOTSUP:
        return "is not a regular file";
    case -ENOENT:
        return "there is no such file";
    default:
        return strerror(-error);
    }
}

/// Reads and checks a file; its text is the caller's to free, also after an error.
static int load(const char *path, struct text *text, struct config_values *values,
                struct config_report *report)
{
    config_defaults(values);
    const int error = read_file(path, text);
    if (error) {
        config_report_add(report, path, 0, "%s", describe(error));
        return error;
    }
    return config_load_text(text->bytes, text->count, path, values, report);
}

int config_load(const char *path, struct config_values *values, struct config_report *report)
{
    struct text text;
    const int error = load(path, &text, values, report);
    free(text.bytes);
    return error;
}

int config_load_or_good(const char *path, const char *good_path, struct config_values *values,
                        struct config_report *report)
{
    const int error = config_load(path, values, report);
    if (!error)
        return 0;
    struct config_report good_report = {0};
    const int good_error = config_load(good_path, values, &good_report);
    // That there is no copy yet is no news.
    for (size_t i = 0; good_error != -ENOENT && i < good_report.count; i++)
        config_report_add(report, good_report.error[i].file, good_report.error[i].line, "%s",
                          good_report.error[i].message);
    config_report_finish(&good_report);
    return good_error ? error : 1;
}

static int write_all(int file, const struct text *text)
{
    for (size_t written = 0; written < text->count;) {
        const ssize_t count = write(file, text->bytes + written, text->count - written);
        if (count < 0 && errno != EINTR)
            return -errno;
        written += count > 0 ? (size_t)count : 0;
    }
    return fsync(file) < 0 ? -errno : 0;
}

/// Makes a rename in the directory of `path` last.
static int sync_directory(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    const int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    const int error = fsync(directory) < 0 ? -errno : 0;
    close(directory);
    return error;
}

/// Writes a file so that at any moment the old or the new one is there, whole.
static int replace_file(const char *path, const struct text *text)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    const int file =
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (file < 0)
        return -errno;
    int error = write_all(file, text);
    close(file);
    if (!error && rename(temporary, path) < 0)
        error = -errno;
    if (error)
        unlink(temporary);
    return error ? error : sync_directory(path);
}

/// Whether a file has this text already: flash memory is not written for nothing.
static bool has_text(const char *path, const struct text *text)
{
    struct text old;
    if (read_file(path, &old) != 0)
        return false;
    const bool is_same = old.count == text->count && memcmp(old.bytes, text->bytes, old.count) == 0;
    free(old.bytes);
    return is_same;
}

int config_save_good(const char *path, const char *good_path)
{
    struct config_values *values = malloc(sizeof *values);
    struct config_report report = {0};
    struct text text;
    if (!values)
        return -ENOMEM;
    int error = load(path, &text, values, &report);
    if (!error && !has_text(good_path, &text))
        error = replace_file(good_path, &text);
    free(text.bytes);
    free(values);
    config_report_finish(&report);
    return error;
}
