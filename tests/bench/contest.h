/// The two sides of a benchmark: our engine and a bare libfluidsynth, brought to play the same
/// notes of the same font at 48 kHz in periods of 64 frames, without effects.
///
/// Thread: the main thread of a benchmark. Whatever fails ends the program with a sentence.
#ifndef CONSORT_TESTS_BENCH_CONTEST_H
#define CONSORT_TESTS_BENCH_CONTEST_H

#include <fluidsynth.h>
#include <stdint.h>

#include "dsp/engine/engine.h"
#include "dsp/synth/font.h"

enum {
    CONTEST_RATE_HZ = 48000,
    CONTEST_PERIOD = 64,
    CONTEST_PRIORITY = 60, ///< of both sides' threads: libfluidsynth's own choice
};

struct ours {
    struct engine *engine;
    int ring;
    uint64_t frame; ///< rendered so far
    float left[CONTEST_PERIOD], right[CONTEST_PERIOD];
};

/// The limiter is off and no part plays drums, all else is at its default.
void ours_init(struct ours *ours, struct font *font, int shards, int polyphony, int workers);
void ours_finish(struct ours *ours);
void ours_push(struct ours *ours, const struct event *event);
void ours_program(struct ours *ours, int part, int program);
void ours_control(struct ours *ours, int part, int number, int value);
void ours_note(struct ours *ours, uint64_t frame, int part, int key, int velocity); ///< 0 ends it
void ours_run(struct ours *ours);                                                   ///< one period
uint32_t ours_voices(struct ours *ours);

struct rival {
    fluid_settings_t *settings;
    fluid_synth_t *synth;
    float left[CONTEST_PERIOD], right[CONTEST_PERIOD];
};

/// One stereo group, reverb and chorus off, no drums, no locks: the least that the library can
/// cost.
void rival_init(struct rival *rival, const char *font, int polyphony, int cores);
void rival_finish(struct rival *rival);
void rival_run(struct rival *rival, uint32_t frames); ///< 1 to 64

/// The font, loaded by our loader.
struct font *contest_font(const char *path);

#endif
