/// The sampler: sixteen parts over a pool of shards, and the change of fonts without a gap.
///
/// Owner: the engine. Thread: audio, but for create, destroy, `synth_set_font` and
/// `synth_collect_font`, which belong to one other thread, the loader. Frames are absolute; events
/// come in their order and not before the frame rendered so far. Everything sounds
/// `synth_latency_frames` late, by which notes reach borders on either side of their frame.
#ifndef CONSORT_DSP_SYNTH_SYNTH_H
#define CONSORT_DSP_SYNTH_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/synth/part.h"
#include "dsp/synth/tuning.h"

struct synth;
struct font;

struct synth_settings {
    double sample_rate_hz;
    int shards;          ///< 1..16
    int polyphony;       ///< voices per shard
    int workers;         ///< 0..15
    int priority;        ///< SCHED_FIFO, 0 for ordinary threads
    uint32_t max_frames; ///< longest run of `synth_render`
};

/// Returns NULL with errno.
struct synth *synth_create(const struct synth_settings *settings);

/// Fonts still in use stay the caller's. NULL is welcome.
void synth_destroy(struct synth *synth);

uint32_t synth_latency_frames(const struct synth *synth);

// The loader's side.

/// Builds the shards of a font and offers them. Returns 0, -ENOMEM, or -EBUSY while an earlier
/// offer still waits for older fonts to ring out.
int synth_set_font(struct synth *synth, const struct font *font);

/// Frees shards that rang out and returns a font that nothing plays any more, or NULL.
const struct font *synth_collect_font(struct synth *synth);

// The audio thread's side. All RT safe.

/// Takes an offered font in. Once a period.
RT void synth_begin(struct synth *synth, uint64_t frame);

/// Before the events of a run of 64 frames that starts at `frame`, a multiple of 64.
RT void synth_latch(struct synth *synth, uint64_t frame);

RT void synth_note_on(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key,
                      uint8_t velocity);
RT void synth_note_off(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key);
RT void synth_key_pressure(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key,
                           uint8_t pressure);
RT void synth_control(struct synth *synth, uint64_t frame, uint8_t part, uint8_t number,
                      uint8_t value);
RT void synth_pressure(struct synth *synth, uint64_t frame, uint8_t part, uint8_t pressure);
RT void synth_bend(struct synth *synth, uint64_t frame, uint8_t part, int16_t bend);

/// Bank and program take effect together; `is_drums` chooses among the font's drum kits.
RT void synth_program(struct synth *synth, uint64_t frame, uint8_t part, uint16_t bank,
                      uint8_t program, bool is_drums);

/// Power-on state of all parts; kinds, banks and programs are set anew by the caller.
RT void synth_reset(struct synth *synth, uint64_t frame);

/// All voices of a part, or of all (255), end at once.
RT void synth_sound_off(struct synth *synth, uint64_t frame, uint8_t part);

/// One key of a tuning program; sounding notes follow if `is_realtime`.
RT void synth_tune_key(struct synth *synth, uint64_t frame, uint8_t program, uint8_t key,
                       float semitones, bool is_realtime);

/// Six notes of the octave from `first` on, for the parts whose bits are set.
RT void synth_tune_octave(struct synth *synth, uint64_t frame, uint16_t parts, uint8_t first,
                          const int16_t cents_64[6], bool is_realtime);

/// The whole box, by parameter or (`is_message`) by system exclusive message.
RT void synth_tune_master(struct synth *synth, uint64_t frame, float cents, bool is_message);

/// 0 none, 1 linear, 2 cubic, 3 sinc.
RT void synth_quality(struct synth *synth, uint64_t frame, int quality);

/// Renders [start, start + frames) and points `bus` at the two channels of each part that has
/// sound, valid until the next call. Returns these parts as bits.
RT uint16_t synth_render(struct synth *synth, uint64_t start, uint32_t frames, float *bus[16][2]);

RT const struct part *synth_part(const struct synth *synth, uint8_t part);
RT int synth_voices(const struct synth *synth);

/// Counts the fonts taken in; 0 before the first.
RT uint32_t synth_font_generation(const struct synth *synth);

/// Brings a fresh synth to the state of another. Neither may run.
void synth_copy_state(struct synth *to, const struct synth *from);

#endif
