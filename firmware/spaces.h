/// The reverb's space: follows the parameters, builds on a thread of its own, and hands over to the
/// engine, which cross-fades. A space that cannot be had leaves the old one sounding.
///
/// Reports by PARAM_REVERB_LOADED and PARAM_REVERB_LATE. Owner: the daemon. Thread: main.
#ifndef CONSORT_FIRMWARE_SPACES_H
#define CONSORT_FIRMWARE_SPACES_H

#include "dsp/engine/engine.h"
#include "firmware/control.h"

struct spaces;

/// Starts the thread. Returns NULL with errno.
struct spaces *spaces_create(struct control *control);

/// NULL is welcome.
void spaces_destroy(struct spaces *spaces);

/// Another engine plays from now on, at that rate; NULL: none. Waits for a hand-over under way.
void spaces_use_engine(struct spaces *spaces, struct engine *engine, uint32_t rate_hz);

#endif
