/// An engine on a bench: a font in it, a ring of events, and its sound in memory.
#ifndef CONSORT_TESTS_ENGINE_BOX_H
#define CONSORT_TESTS_ENGINE_BOX_H

#include <stdint.h>

#include "dsp/engine/engine.h"
#include "dsp/synth/font.h"

enum { BOX_RATE_HZ = 48000, BOX_PERIOD_MAX = 8192 };

struct box {
    struct engine *engine;
    int ring;
    uint64_t frame;  ///< rendered so far
    uint32_t period; ///< may be changed at any time
};

/// With 64 voices a shard and a period of 64; of the effects only the limiter is on. `font` stays
/// the caller's.
void box_create(struct box *box, struct font *font, int shards, int workers);
void box_destroy(struct box *box);

/// Renders `frames` more; `left` and `right` may be NULL.
void box_render(struct box *box, float *left, float *right, uint64_t frames);

/// Renders, and pushes each of the events (in the order of their frames) in the period in which
/// its frame falls. Returns how many were pushed.
size_t box_play(struct box *box, const struct event *events, size_t count, float *left,
                float *right, uint64_t frames);

void box_push(struct box *box, const struct event *event);
void box_note(struct box *box, uint64_t frame, unsigned source, unsigned channel, unsigned key,
              unsigned velocity);
void box_control(struct box *box, uint64_t frame, unsigned source, unsigned channel,
                 unsigned number, unsigned value);
void box_program(struct box *box, uint64_t frame, unsigned channel, unsigned program);
void box_param(struct box *box, uint64_t frame, unsigned index, double value);

struct engine_state box_state(const struct box *box);

/// Renders until no voice sounds, at most `frames`. Returns the voices left.
uint32_t box_settle(struct box *box, uint64_t frames);

/// A font by name, or the end of the test program as skipped.
struct font *box_font_or_skip(const char *name);

/// The latency of the engine and of a voice of TONES_STEP: from an event to its first sample.
uint32_t box_step_latency_frames(const struct box *box, struct font *tones);

uint64_t box_hash(const float *samples, size_t count, uint64_t hash);

#endif
