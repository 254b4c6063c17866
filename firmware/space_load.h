/// One space for the reverb, made or read and then cut for the engine.
///
/// Takes up to a second. Thread: any but the audio thread.
#ifndef CONSORT_FIRMWARE_SPACE_LOAD_H
#define CONSORT_FIRMWARE_SPACE_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "config/param.h"
#include "dsp/effects/impulse.h"
#include "dsp/effects/response.h"

/// What the reverb parameters ask for.
struct space_wish {
    int space;                 ///< the choice of PARAM_REVERB_SPACE
    char file[PARAM_TEXT_MAX]; ///< an impulse response; "" for the space
    struct impulse_shape shape;
};

/// Reads the wish out of values given by `get`.
void space_wish_read(struct space_wish *wish,
                     void (*get)(void *context, unsigned index, struct param_value *value),
                     void *context);

/// The response for an engine of that rate and schedule, at most `frames_max` long: what is longer
/// is faded out there. Returns the caller's response, with what it is in `said`, or NULL with the
/// reason there.
struct response *space_load(const struct space_wish *wish, uint32_t rate_hz,
                            const struct schedule *schedule, uint32_t frames_max, char *said,
                            size_t said_bytes);

#endif
