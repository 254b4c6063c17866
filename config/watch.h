/// Tells that a file was changed, replaced, removed or put back, however an editor does it.
///
/// Every step of the way to the file is watched, its directories and symbolic links too.
/// Owner: the caller. Thread: one at a time, any but the audio thread.
#ifndef CONSORT_CONFIG_WATCH_H
#define CONSORT_CONFIG_WATCH_H

#include <stdbool.h>

struct watch;

/// Watches a file, which need not exist yet. Returns NULL with errno (of inotify; ENAMETOOLONG).
struct watch *watch_open(const char *path);

/// NULL is welcome.
void watch_close(struct watch *watch);

/// Becomes readable when something near the file happened. Never read it: call `watch_drain`.
int watch_fd(const struct watch *watch);

/// Takes in what happened; never waits. Returns whether it can have changed the file. One save
/// may cause several: wait for some 200 ms of quiet before reading it.
bool watch_drain(struct watch *watch);

#endif
