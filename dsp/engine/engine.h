/// The engine: events in, sound out. The only way sound is made, live and offline alike.
///
/// Owner: whoever creates it. Thread: `engine_run` the audio thread alone; all others any thread
/// but the audio thread, unless said otherwise. The engine knows no JACK, no network and no clock:
/// its time is a count of frames. Its output is a pure function, bit for bit, of its settings, the
/// event stream and the sound files; the length of a period and the number of threads do not
/// change it.
#ifndef CONSORT_DSP_ENGINE_ENGINE_H
#define CONSORT_DSP_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "dsp/base/ring.h"
#include "dsp/base/rt.h"
#include "dsp/effects/schedule.h"
#include "dsp/engine/event.h"

struct engine;
struct font;
struct response;
struct smf;

struct engine_settings {
    double sample_rate_hz; ///< 8000..192000
    uint32_t max_frames;   ///< longest period that `engine_run` will be asked for, 1..8192
    int shards;            ///< 1..16
    int polyphony;         ///< voices per shard
    int workers;           ///< threads beside the audio thread, 0..15
    int priority;          ///< SCHED_FIFO priority of the workers, 0 for ordinary threads
    int modes;             ///< of the resonance, 256..32768; 0 is 256
    int tail_workers;      ///< threads for the reverb's tail; 0: within `engine_run`, exactly
    int tail_priority;     ///< SCHED_FIFO priority of these
};

/// What the engine tells the other threads, once a period.
struct engine_state {
    uint64_t frame;               ///< frames rendered so far
    uint64_t events;              ///< events that took effect so far
    uint64_t late_events;         ///< of them: stamped with a frame already past
    uint64_t live_notes;          ///< note-ons so far by others than the player
    uint32_t voices;              ///< sounding now
    uint32_t last_source;         ///< the source of the last note, SOURCES_MAX before any
    uint64_t applied[16];         ///< EVENT_PARAM events that took effect, by ring
    uint32_t font_generation;     ///< of the font that takes new notes, 0 for none
    bool is_playing;              ///< the piece set by `engine_play` goes on
    uint8_t bank_is_drums[PARTS]; ///< whether the part plays a drum kit
    float value[PARAM_COUNT];     ///< all PARAM_FLAG_ENGINE parameters, native
};

/// Returns NULL with errno: EINVAL for settings out of range, ENOMEM, EAGAIN (no thread).
struct engine *engine_create(const struct engine_settings *settings);

/// No thread may be in `engine_run`. NULL is welcome.
void engine_destroy(struct engine *engine);

/// Renders the next `frames` of the two output channels, overwriting them. Returns the number of
/// events that took effect. RT safe.
RT int engine_run(struct engine *engine, float *const out[2], uint32_t frames);

/// Latency that the engine adds by look-ahead, in frames; constant over its life.
uint32_t engine_latency_frames(const struct engine *engine);

/// A ring of events for one producer thread (at most 16), given back with the engine. Room for
/// `capacity` events. Returns its number 0..15 or -ENOSPC, -ENOMEM. Not while `engine_run` runs
/// on another thread, except that opening is safe at any time.
int engine_open_ring(struct engine *engine, uint32_t capacity);

/// Puts an event into a ring. Thread: the ring's producer, the audio thread too. Returns false
/// when the ring is full: try again after the next period. RT safe.
RT bool engine_push(struct engine *engine, int ring, const struct event *event);

/// Copies the newest state. Thread: any.
void engine_read_state(const struct engine *engine, struct engine_state *state);

/// Hands over a font: new notes play it, old voices ring out in the one before. The engine gives
/// the old one back in `engine_collect_font` when its last voice has ended. Builds the shards on
/// the calling thread (a loader), which takes some milliseconds. Returns 0, -ENOMEM, or -EBUSY
/// while as many fonts as fit are still ringing out (try again later).
int engine_set_font(struct engine *engine, struct font *font);

/// Frees what rang out on the calling thread and returns a font that the engine no longer needs,
/// or NULL. Thread: the one that calls `engine_set_font`.
struct font *engine_collect_font(struct engine *engine);

/// Plays a piece from its start at `frame` (EVENT_NOW: at once) as source `source`; NULL stops.
/// The engine borrows the piece until `engine_collect_piece` returns it. Returns 0 or -EBUSY.
int engine_play(struct engine *engine, const struct smf *piece, uint16_t source, uint64_t frame);
const struct smf *engine_collect_piece(struct engine *engine);

/// Another space for the reverb (dsp/effects/response.h), cut by `engine_space_schedule` and at
/// most `engine_space_frames_max` long; NULL is none. Cross-fades; the engine holds the response
/// until it is no longer heard, which `engine_collect_space` finds out: call it now and then; it
/// returns whether a change is still going on. Returns 0, -EINVAL or -ENOMEM. Thread: one, any but
/// audio.
int engine_set_space(struct engine *engine, struct response *response);
bool engine_collect_space(struct engine *engine);
struct schedule engine_space_schedule(const struct engine *engine);
uint32_t engine_space_frames_max(const struct engine *engine);

/// Blocks of the reverb's tail that came too late and were left out. Thread: any.
uint32_t engine_late_blocks(const struct engine *engine);

/// All that a fresh engine needs to go on where this one was: programs, controllers, values.
/// For a change of sample rate. Neither engine may run.
void engine_copy_state(struct engine *to, const struct engine *from);

#endif
