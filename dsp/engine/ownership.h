/// Who holds what: every sounding note and every pedal belongs to the source that began it.
///
/// A key that two sources hold sounds until both let go; a pedal is as far down as the source that
/// presses it most. Plain data, no synth. Owner: the router. Thread: audio.
#ifndef CONSORT_DSP_ENGINE_OWNERSHIP_H
#define CONSORT_DSP_ENGINE_OWNERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/engine/event.h"

enum ownership_pedal { PEDAL_SUSTAIN, PEDAL_SOSTENUTO, PEDAL_SOFT, PEDALS };

/// `origin` of a note that was meant for its part, past the router.
enum { ORIGIN_PART = 0xffff };

struct ownership {
    uint64_t held[SOURCES_MAX][PARTS][KEYS / 64];
    uint16_t origin[SOURCES_MAX][PARTS][KEYS]; ///< channel * 128 + key as the source played it
    uint8_t holders[PARTS][KEYS];              ///< how many sources hold the key
    uint8_t pedal[SOURCES_MAX][PARTS][PEDALS]; ///< 0..127
};

/// A source strikes a key of a part. RT safe.
RT void ownership_hold(struct ownership *ownership, unsigned source, unsigned part, unsigned key,
                       uint16_t origin);

/// A source lets a key go. Returns true when nobody holds it any more: the note ends. RT safe.
RT bool ownership_let_go(struct ownership *ownership, unsigned source, unsigned part, unsigned key);

/// The next key of a part, from `key` on, that a source holds; or -1. RT safe.
RT int ownership_next(const struct ownership *ownership, unsigned source, unsigned part,
                      unsigned key);

/// Sets a source's pedal. Returns how far the part's pedal is down by all sources. RT safe.
RT uint8_t ownership_press(struct ownership *ownership, unsigned source, unsigned part,
                           enum ownership_pedal pedal, uint8_t value);

/// Forgets what is held of a part (or all, PARTS), pedals aside. RT safe.
RT void ownership_forget(struct ownership *ownership, unsigned part);

#endif
