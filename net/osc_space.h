/// The address space: which messages there are, which of them a pattern means, and which is nearest
/// in spelling to one that there is not.
///
/// Pure. Thread: any.
#ifndef CONSORT_NET_OSC_SPACE_H
#define CONSORT_NET_OSC_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/param.h"
#include "net/osc_check.h"

enum osc_command {
    OSC_COMMAND_PANIC,
    OSC_COMMAND_DUMP,
    OSC_COMMAND_SUBSCRIBE,
    OSC_COMMAND_UNSUBSCRIBE,
    OSC_COMMAND_PING,
    OSC_COMMAND_INFO,
    OSC_COMMANDS
};

/// The command of an address, or -ENOENT.
int osc_space_command(const char *address);

/// An address that means parameters: its own name, or a pattern of names.
struct osc_target {
    char path[OSC_ADDRESS_MAX]; ///< without "/normalized"
    bool is_normalized;
    bool is_pattern;
};

/// Splits an address.
void osc_space_target(const char *address, struct osc_target *target);

/// The first flat index at or after `from` that a target means, or PARAM_COUNT.
unsigned osc_space_next(const struct osc_target *target, unsigned from);

/// Splits "/ch/N/note" and the like. Returns the method (net/osc_play.h) and the pattern or the
/// plain text before the last slash in `parts`, or -ENOENT.
int osc_space_method(const char *address, char parts[OSC_ADDRESS_MAX]);

/// Whether `parts` means part 1..16.
bool osc_space_is_part(const char *parts, unsigned part);

/// The address nearest in spelling. Returns false when none is near.
bool osc_space_nearest(const char *address, char nearest[OSC_ADDRESS_MAX]);

#endif
