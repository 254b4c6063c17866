#include "config/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    STEPS_MAX = 64,
    LINKS_MAX = 16,
    READS_MAX = 64, // of one drain: a busy directory must not hold the caller
};

/// One directory on the way and the name in it that leads on.
struct step {
    int directory; // watch descriptor
    char name[NAME_MAX + 1];
};

struct watch {
    int fd;
    size_t count;
    struct step step[STEPS_MAX];
    char path[PATH_MAX];
};

/// Where a walk along the path has come to.
struct walk {
    char here[PATH_MAX]; // a directory, no link left in it
    char rest[PATH_MAX]; // names still to go
    unsigned links;
};

/// Puts `front/back` in `path`. Returns false, and changes nothing, when it is too long.
static bool join(char path[PATH_MAX], const char *front, const char *back)
{
    char joined[2 * PATH_MAX];
    const int length = snprintf(joined, sizeof joined, "%s/%s", front, back);
    if (length >= PATH_MAX)
        return false;
    memcpy(path, joined, (size_t)length + 1);
    return true;
}

/// Takes the first name off the rest. Returns false at the end of the way.
static bool next_name(struct walk *walk, char name[NAME_MAX + 1])
{
    const char *start = walk->rest + strspn(walk->rest, "/");
    const size_t bytes = strcspn(start, "/");
    if (bytes == 0 || bytes > NAME_MAX)
        return false;
    memcpy(name, start, bytes);
    name[bytes] = '\0';
    memmove(walk->rest, start + bytes, strlen(start + bytes) + 1);
    return true;
}

/// Goes on from `name`: into it, or to where it points if it is a link.
static bool enter(struct walk *walk, const char *name)
{
    char path[PATH_MAX], target[PATH_MAX];
    if (!join(path, walk->here, name))
        return false;
    const ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) {
        memcpy(walk->here, path, sizeof path);
        return true;
    }
    target[length] = '\0';
    if (target[0] == '/')
        memcpy(walk->here, "/", sizeof "/");
    return walk->links++ < LINKS_MAX && join(walk->rest, target, walk->rest);
}

/// Watches `directory` for what happens to `name`. A directory that is not there yet, or not
/// ours to see, is left out: the steps before it tell when that changes.
static void add_step(struct watch *watch, const char *directory, const char *name)
{
    const uint32_t interest =
        IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
    struct step *step = &watch->step[watch->count];
    step->directory = inotify_add_watch(watch->fd, directory, interest);
    if (step->directory < 0)
        return;
    snprintf(step->name, sizeof step->name, "%s", name);
    watch->count++;
}

static void add_steps(struct watch *watch)
{
    struct walk walk = {.here = "/"};
    char name[NAME_MAX + 1];
    memcpy(walk.rest, watch->path, sizeof walk.rest);
    watch->count = 0;
    while (watch->count < STEPS_MAX && next_name(&walk, name)) {
        add_step(watch, walk.here, name);
        if (!enter(&walk, name))
            return;
    }
}

static bool is_watching(const struct watch *watch, int directory)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->step[i].directory == directory)
            return true;
    return false;
}

/// Walks the way anew: a link may lead elsewhere by now, a directory may be another one.
static void rearm(struct watch *watch)
{
    int old[STEPS_MAX];
    const size_t count = watch->count;
    for (size_t i = 0; i < count; i++)
        old[i] = watch->step[i].directory;
    add_steps(watch);
    for (size_t i = 0; i < count; i++)
        if (!is_watching(watch, old[i]))
            inotify_rm_watch(watch->fd, old[i]);
}

/// The path from the root on: the caller may change its directory later.
static int make_absolute(char absolute[PATH_MAX], const char *path)
{
    char directory[PATH_MAX] = "/";
    if (path[0] != '/' && !getcwd(directory, sizeof directory))
        return -errno;
    return join(absolute, directory, path) ? 0 : -ENAMETOOLONG;
}

struct watch *watch_open(const char *path)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    int error = make_absolute(watch->path, path);
    watch->fd = error ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!error && watch->fd < 0)
        error = -errno;
    if (!error)
        add_steps(watch);
    if (!error && watch->count == 0)
        error = -errno;
    if (!error)
        return watch;
    watch_close(watch);
    return errno = -error, NULL;
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch);
}

int watch_fd(const struct watch *watch) { return watch->fd; }

static bool concerns_us(const struct watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW)
        return true;
    for (size_t i = 0; event->len > 0 && i < watch->count; i++)
        if (watch->step[i].directory == event->wd && strcmp(watch->step[i].name, event->name) == 0)
            return true;
    return false;
}

bool watch_drain(struct watch *watch)
{
    _Alignas(struct inotify_event) char buffer[4096];
    bool is_changed = false;
    ssize_t bytes;
    for (int i = 0; i < READS_MAX && (bytes = read(watch->fd, buffer, sizeof buffer)) > 0; i++) {
        const struct inotify_event *event;
        for (char *at = buffer; at < buffer + bytes; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)at;
            is_changed = concerns_us(watch, event) || is_changed;
        }
    }
    if (is_changed)
        rearm(watch);
    return is_changed;
}
