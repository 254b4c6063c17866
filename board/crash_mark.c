#include "board/crash_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { CRASHES_MAX = 1000 };

int crash_mark_read(const char *path)
{
    int crashes = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    // A file that is torn or foreign still says that there was a run that did not end well.
    if (fscanf(file, "%4d", &crashes) != 1 || crashes < 1 || crashes > CRASHES_MAX)
        crashes = 1;
    fclose(file);
    return crashes;
}

int crash_mark_set(const char *path, int crashes)
{
    char text[16];
    int count = snprintf(text, sizeof text, "%d\n", crashes + 1), code = 0;
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return -errno;
    if (write(file, text, (size_t)count) != count || fsync(file) != 0)
        code = errno ? -errno : -EIO;
    close(file);
    return code;
}

void crash_mark_clear(const char *path) { unlink(path); }
