// A file of the disk into memory, then to the parser; and what became of it, in words.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/text.h"
#include "dsp/engine/smf.h"

static int refuse(struct smf_error *error, int status, const char *reason)
{
    error->offset = 0;
    error->has_offset = false;
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return status;
}

static int refuse_errno(struct smf_error *error)
{
    int number = errno;
    return refuse(error, -number, strerror(number));
}

// Reads up to `count` bytes, fewer only at the end of the file.
static ssize_t read_all(int file, uint8_t *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t got = read(file, bytes + done, count - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int parse_file(int file, size_t size, struct smf **piece, struct smf_error *error)
{
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes)
        return refuse(error, -ENOMEM, "out of memory");
    ssize_t count = read_all(file, bytes, size);
    int status = count < 0 ? refuse_errno(error) : smf_parse(bytes, (size_t)count, piece, error);
    free(bytes);
    return status;
}

int smf_load(const char *path, struct smf **piece, struct smf_error *error)
{
    // A FIFO would make open() wait for its writer.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0)
        return refuse_errno(error);
    struct stat stat;
    int status;
    if (fstat(file, &stat) < 0)
        status = refuse_errno(error);
    else if (!S_ISREG(stat.st_mode))
        status = refuse(error, -EINVAL, "not a regular file");
    else if (stat.st_size > SMF_BYTES_MAX)
        status = refuse(error, -EFBIG, "larger than 64 MiB");
    else
        status = parse_file(file, (size_t)stat.st_size, piece, error);
    close(file);
    return status;
}

int smf_error_format(const struct smf_error *error, const char *path, char *text, size_t bytes)
{
    char shown[512];
    text_show(path, strlen(path), shown, sizeof shown);
    if (error->has_offset)
        return snprintf(text, bytes, "%s: byte %zu: %s", shown, error->offset, error->reason);
    return snprintf(text, bytes, "%s: %s", shown, error->reason);
}
