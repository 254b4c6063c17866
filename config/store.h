/// The current value of every parameter, with the serial of its last change.
///
/// Owner: the daemon. Thread: any but the audio thread; one mutex inside, held only for a copy.
/// Indices are flat and below PARAM_COUNT (config/param.h).
#ifndef CONSORT_CONFIG_STORE_H
#define CONSORT_CONFIG_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "config/param.h"

struct store;

/// A store in which everything has its default. Returns NULL with errno ENOMEM.
struct store *store_create(void);

/// No other thread may use it any more. NULL is welcome.
void store_destroy(struct store *store);

/// Copies the value of a parameter.
void store_get(struct store *store, unsigned index, struct param_value *value);

/// The number of a parameter; 0 for TEXT.
double store_number(struct store *store, unsigned index);

/// Copies the text of a TEXT parameter, "" for the others. Returns its length, as snprintf.
int store_text(struct store *store, unsigned index, char *text, size_t bytes);

/// Sets a parameter of any kind: the box reports its STATE through here too. Returns 1 when the
/// value changed, 0 when it was the same already, -ERANGE for a number out of range or a text
/// that is too long, -EINVAL for a number that is not whole where the type asks for it, not a
/// number, a text that is not UTF-8 or holds control characters, or no such index. Never clamps;
/// an error changes nothing.
int store_set(struct store *store, unsigned index, const struct param_value *value);

/// The serial of the last change of a parameter, 0 if it never changed.
uint64_t store_changed(struct store *store, unsigned index);

/// The serial of the newest change of all, 0 before the first.
uint64_t store_serial(struct store *store);

#endif
