/// What the box plays by itself: the file that PARAM_PLAYER_FILE names, and the demo.
///
/// Owner: the daemon. Thread: main.
#ifndef CONSORT_FIRMWARE_PIECES_H
#define CONSORT_FIRMWARE_PIECES_H

#include <stdbool.h>

#include "dsp/engine/engine.h"
#include "firmware/control.h"
#include "firmware/registry.h"

struct pieces;

/// Returns NULL with errno.
struct pieces *pieces_create(struct control *control, struct registry *registry);

/// No engine may play any more. NULL is welcome.
void pieces_destroy(struct pieces *pieces);

/// Plays the demo on the engine that `control` has. Returns 0 or a negative errno.
int pieces_play_demo(struct pieces *pieces);

/// Whether the demo plays; it stops by itself when somebody else strikes a key.
bool pieces_is_demo(const struct pieces *pieces);

/// One turn: follows the parameter, collects what was played. `state` is the engine's.
void pieces_service(struct pieces *pieces, const struct engine_state *state);

#endif
