/// The box as its controllers see it: parameters go down to the engine, its state comes up.
///
/// All that is set, by OSC, config or the box itself, passes `control_set`. Engine parameters are
/// events; what the engine then reports is the truth, since keyboards change it too. Owner: the
/// daemon. Thread: any but the audio thread; one mutex inside.
#ifndef CONSORT_FIRMWARE_CONTROL_H
#define CONSORT_FIRMWARE_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/store.h"
#include "dsp/engine/engine.h"

/// The rings of the engine, one per producer thread, in the order in which they are opened.
enum control_ring { RING_JACK, RING_SEQUENCER, RING_NET, RING_MAIN, RINGS };

struct control {
    pthread_mutex_t lock;
    struct store *store;
    struct engine *engine;  ///< NULL before audio first runs
    uint64_t pushed[RINGS]; ///< EVENT_PARAM events put into each ring of this engine
    struct {
        enum control_ring ring;
        uint64_t count; ///< what `pushed` was behind the newest change
    } pending[PARAM_COUNT];
};

/// Returns 0 or -ENOMEM.
int control_init(struct control *control);
void control_finish(struct control *control);

/// Takes another engine, with open rings, and brings it to what is set; NULL takes it away. When
/// it returns no other thread uses the old one by way of `control`.
void control_use_engine(struct control *control, struct engine *engine);

/// Sets a parameter at a frame (EVENT_NOW: at once). `ring` is the calling thread's. Returns 0,
/// -EACCES for what cannot be set now, -ERANGE, -EINVAL, -EAGAIN when the ring is full.
int control_set(struct control *control, enum control_ring ring, unsigned index,
                const struct param_value *value, uint64_t frame);

/// Sends an event. Returns 0, or -EAGAIN when there is no engine or no room.
int control_play(struct control *control, enum control_ring ring, const struct event *event);

/// The box's own reports, STATE parameters.
void control_report(struct control *control, unsigned index, double number);
void control_report_text(struct control *control, unsigned index, const char *text);

/// Copies the engine's state, and takes its values over to the store. Returns false without one.
bool control_refresh(struct control *control, struct engine_state *state);

#endif
