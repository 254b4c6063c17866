/// The chain: from the buses of sixteen parts to what leaves the box.
///
///     part -> equaliser -> fader ----------------------> mix -> gain -> equaliser -> compressor
///                               `-> sends -> reverb, chorus, delay, strings -^      -> limiter ->
///                               out
///
/// Sends are behind the fader; the strings hear the parts that play a piano. Every parameter moves
/// without a click, and nothing here depends on how periods are cut. Owner: the engine. Thread:
/// audio; init, finish and the change of spaces any one other.
#ifndef CONSORT_DSP_ENGINE_CHAIN_H
#define CONSORT_DSP_ENGINE_CHAIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/meter.h"
#include "dsp/base/rt.h"
#include "dsp/effects/chorus.h"
#include "dsp/effects/compressor.h"
#include "dsp/effects/convolver.h"
#include "dsp/effects/delay.h"
#include "dsp/effects/equaliser.h"
#include "dsp/effects/limiter.h"
#include "dsp/engine/event.h"
#include "dsp/engine/strings.h"
#include "dsp/engine/strip.h"

enum { CHAIN_FRAMES_MAX = 1024 }; ///< of one run

/// The parameters that switch the effects, the equalisers of the parts aside: with all of them 0
/// the parts are mixed and no more.
enum { CHAIN_SWITCHES = 14 };
extern const unsigned chain_switches[CHAIN_SWITCHES];

enum chain_send { SEND_REVERB, SEND_CHORUS, SEND_DELAY, SEND_STRINGS, SENDS };

struct chain {
    const float *value; ///< of all parameters, by flat index; the engine's
    double rate_hz;
    struct strip faders[PARTS], sends[SENDS][PARTS], returns[SENDS], master;
    float bus[SENDS][2][CHAIN_FRAMES_MAX]; ///< what the sends bring, then what the effects give
    struct equaliser part_equalisers[PARTS];
    uint16_t piano_parts; ///< as bits: heard by the strings
    struct strings strings;
    float silence[2][CHAIN_FRAMES_MAX]; ///< for parts whose equaliser rings on
    struct chorus chorus;
    struct delay delay;
    struct tail *tail;                     ///< NULL: the space is computed at once (offline)
    _Atomic(struct convolver *) convolver; ///< NULL until a space was first set
    bool has_space;                        ///< the audio thread has seen it
    struct equaliser equaliser;
    struct compressor compressor;
    struct limiter limiter;
    struct meter part_meters[PARTS][2], meters[2];
};

/// `chain` must be all zero. `modes` is the size of the bank of strings. `tail_workers` 0 computes
/// the tail of the space within the run, for work that may take its time. Returns 0, or a negative
/// errno; `chain_finish` welcomes both.
int chain_init(struct chain *chain, const float *value, double rate_hz, uint32_t modes,
               int tail_workers, int tail_priority);
void chain_finish(struct chain *chain);

/// Lets a changed parameter take effect; `message_volume` 0..1 is a gain beside the master's.
RT void chain_set(struct chain *chain, unsigned index, float message_volume);

/// Takes all parameters over.
RT void chain_set_all(struct chain *chain, float message_volume);

/// Mixes the `parts` (bits) that have sound in `bus` to `out`, overwriting it. At most
/// CHAIN_FRAMES_MAX frames, the first of them `frame`. The buses may be changed. RT safe; may wake
/// a worker.
RT void chain_run(struct chain *chain, uint64_t frame, uint16_t parts, float *bus[PARTS][2],
                  float *const out[2], uint32_t frames);

/// The parts that play a piano, as bits.
RT void chain_set_pianos(struct chain *chain, uint16_t parts);

/// How late sound leaves.
RT uint32_t chain_delay_frames(const struct chain *chain);

/// The schedule by which responses for this chain are cut, and how long they may be.
struct schedule chain_schedule(const struct chain *chain);
uint32_t chain_response_frames_max(const struct chain *chain);

/// Another space, cut by `chain_schedule`; NULL is none. Cross-fades. Returns 0, -EINVAL, -ENOMEM.
int chain_set_space(struct chain *chain, struct response *response);

/// Lets go of spaces no longer heard. Returns whether a change is still going on.
bool chain_collect_space(struct chain *chain);

/// Blocks of the space's tail that came too late.
uint32_t chain_late_blocks(const struct chain *chain);

#endif
