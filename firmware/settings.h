/// The config file of a running box: read at start, read again when it changes, never believed
/// without a check.
///
/// Owner: the daemon. Thread: main.
#ifndef CONSORT_FIRMWARE_SETTINGS_H
#define CONSORT_FIRMWARE_SETTINGS_H

#include <stdint.h>

#include "firmware/control.h"

struct settings;

/// Reads the file into the store; when it has errors, all of them are said and the last good copy
/// serves, or the defaults. Returns NULL with errno.
struct settings *settings_load(const char *path, struct control *control);

/// NULL is welcome.
void settings_destroy(struct settings *settings);

/// Readable when the file may have changed; -1 if it cannot be watched.
int settings_descriptor(const struct settings *settings);

/// Takes a changed file in once it has been quiet for 200 ms. Call it when the descriptor is
/// readable and at the time it returned last, INT64_MAX for no need.
int64_t settings_service(struct settings *settings, int64_t now_ns);

/// Reads the file now (SIGHUP).
void settings_reload(struct settings *settings);

#endif
