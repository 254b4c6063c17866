/// Builds a piece from events in musical time: collects them in ticks, in any order, then puts
/// them in the order of time and turns ticks into nanoseconds by the tempo map.
///
/// A plain struct, owned by the caller. Thread: any but the audio thread. One builder, one piece.
#ifndef CONSORT_DSP_ENGINE_SMF_BUILDER_H
#define CONSORT_DSP_ENGINE_SMF_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/event.h"
#include "dsp/engine/smf.h"

/// What a tick is: `nanoseconds` / `divisor`, where the first follows the tempo or not.
struct smf_tick {
    uint64_t nanoseconds; ///< of a quarter note, or of `divisor` ticks
    uint32_t divisor;     ///< 1..32767
    bool follows_tempo;
};

struct smf_builder {
    struct smf_event *items; ///< until it is finished, `time_ns` counts ticks
    size_t count, capacity;
};

/// A tick of metrical time; at first, 120 quarter notes a minute.
struct smf_tick smf_tick_metrical(uint32_t ticks_per_quarter);

/// A tick of SMPTE time: 24, 25, 29 (29.97, drop frame) or 30 frames a second.
struct smf_tick smf_tick_smpte(uint32_t frames_per_second, uint32_t ticks_per_frame);

void smf_builder_init(struct smf_builder *builder);

/// Adds an event, a change of tempo (1..16777215 us a quarter note), or an end, behind all others
/// of its tick. The piece lasts until its last item. `place` is what `smf_builder_finish` names
/// when the item is out of bounds. Returns 0, -EFBIG (SMF_EVENTS_MAX) or -ENOMEM.
int smf_builder_add(struct smf_builder *builder, uint64_t tick, size_t place,
                    const struct event *event);
int smf_builder_add_tempo(struct smf_builder *builder, uint64_t tick, size_t place,
                          uint32_t us_per_quarter);
int smf_builder_add_end(struct smf_builder *builder, uint64_t tick, size_t place);

/// Makes the piece and empties the builder, also on failure. Returns 0, -ENOMEM, or -EFBIG when
/// the item of `place` lies beyond SMF_SECONDS_MAX.
int smf_builder_finish(struct smf_builder *builder, struct smf_tick tick, const char *title,
                       struct smf **piece, size_t *place);

/// Throws away what was collected.
void smf_builder_discard(struct smf_builder *builder);

#endif
