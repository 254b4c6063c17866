/// The router: from what sources play on MIDI channels to what the sixteen parts sound.
///
/// Layers, splits, transposition and velocity curves by parameters; ownership of notes and pedals;
/// banks, drum parts and the resets of General MIDI, GS and XG; active sensing. Parameters that
/// MIDI can change too (volume, program, ...) are kept up to date in `value`.
/// Owner: the engine. Thread: audio.
#ifndef CONSORT_DSP_ENGINE_ROUTER_H
#define CONSORT_DSP_ENGINE_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "dsp/base/rt.h"
#include "dsp/engine/event.h"
#include "dsp/engine/ownership.h"
#include "dsp/engine/strings.h"
#include "dsp/synth/synth.h"

struct router {
    struct synth *synth;
    float *value; ///< of all parameters, by flat index; the engine's
    struct ownership ownership;
    struct strings *strings;        ///< told what piano parts hold; the chain's
    bool rings[PARTS][KEYS];        ///< keys that the strings were told of
    bool is_rhythm[PARTS];          ///< made a drum part by a message (GS, XG), beside its kind
    uint64_t is_sensing;            ///< sources that send active sensing, as bits
    uint64_t heard[SOURCES_MAX];    ///< frame of each source's last event
    uint64_t sensing_frames;        ///< silence after which a sensing source is gone
    float master_volume;            ///< by message: 0..1, linear gain
    float fine_cents, coarse_cents; ///< master tuning by message
    uint32_t last_source;           ///< of the last note-on; SOURCES_MAX before any
};

/// `router` must be all zero.
void router_init(struct router *router, struct synth *synth, struct strings *strings, float *value,
                 double rate_hz);

/// Lets an event (but EVENT_PARAM) take effect at `frame`. RT safe.
RT void router_run(struct router *router, const struct event *event, uint64_t frame);

/// Lets a changed parameter take effect. RT safe.
RT void router_set(struct router *router, unsigned index, uint64_t frame);

/// The frame at which the next source counts as gone if it stays silent; UINT64_MAX if none can.
RT uint64_t router_deadline(const struct router *router);

/// Releases the sources whose active sensing has stopped by `frame`. RT safe.
RT void router_watch(struct router *router, uint64_t frame);

/// The parts that play a piano, as bits. RT safe.
RT uint16_t router_piano_parts(const struct router *router);

/// Whether an event starts notes, and so needs the shards rendered up to its 64 frames.
RT bool router_starts_notes(const struct event *event);

#endif
