/// One OSC message, read and built by liblo.
///
/// Owner: the caller. Thread: any.
#ifndef CONSORT_NET_OSC_MESSAGE_H
#define CONSORT_NET_OSC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/osc_check.h"

/// An argument: `number` holds i, h, f, d, c and, as 1 and 0, T and F; `text` holds s and S. Of
/// the other types only the letter is kept.
struct osc_argument {
    char type;
    double number;
    const char *text;
};

struct osc_message {
    const char *address;
    unsigned count;
    struct osc_argument arguments[OSC_ARGUMENTS_MAX];
    void *storage; ///< what the texts live in
};

/// Reads a message that `osc_visit_packet` gave. The address points into `bytes`. Returns 0,
/// -EBADMSG or -ENOMEM; after 0 it is to be finished.
int osc_message_init(struct osc_message *message, const void *data, size_t bytes);
void osc_message_finish(struct osc_message *message);

/// Writes a message with `count` arguments of the types i, f, d, s, T, F. Returns its bytes, or 0
/// when it is longer than `room`.
size_t osc_message_build(void *to, size_t room, const char *address,
                         const struct osc_argument *arguments, unsigned count);

/// Whether an argument is a number (or a switch), finite.
bool osc_argument_is_number(const struct osc_argument *argument);

/// Arguments to build with.
struct osc_argument osc_int(int32_t value);
struct osc_argument osc_float(double value);
struct osc_argument osc_text(const char *text);

#endif
