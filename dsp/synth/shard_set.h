/// All shards that play one font: built by the loader, played by the audio thread, handed back
/// when its last voice has rung out.
///
/// Owner: the loader until handed to the synth and again after it came back. Thread: create and
/// destroy the loader, all others audio.
#ifndef CONSORT_DSP_SYNTH_SHARD_SET_H
#define CONSORT_DSP_SYNTH_SHARD_SET_H

#include "dsp/synth/part.h"
#include "dsp/synth/placement.h"
#include "dsp/synth/shard.h"

enum { SHARD_KEYS = 128 };

struct shard_set {
    const struct font *font;
    int count;
    struct shard *shards[PLACEMENT_MAX];
    struct placement placement;                ///< as the audio thread plans it
    uint16_t holders[SHARD_PARTS][SHARD_KEYS]; ///< shards in which the key was struck, as bits
    uint8_t home[SHARD_PARTS];                 ///< the shard of notes that must share one
    uint16_t preset[SHARD_PARTS];              ///< of the font
    uint64_t last_border[PLACEMENT_MAX];       ///< where each shard's newest note starts
    uint16_t sounding_parts[PLACEMENT_MAX];    ///< latched, and what started since
    struct part told[SHARD_PARTS];             ///< the state that the shards have been brought to
};

/// Builds `count` idle shards and brings them to the state of `parts`. Returns NULL with errno.
struct shard_set *shard_set_create(const struct font *font, int count, double sample_rate_hz,
                                   int polyphony, uint32_t bus_frames, const struct part *parts,
                                   uint8_t quality);
void shard_set_destroy(struct shard_set *set);

/// Sends a command to every shard. RT safe.
RT void shard_set_push(struct shard_set *set, const struct shard_command *command);

/// Brings the shards from the state `from` of a part to the state `to`. RT safe.
RT void shard_set_replay(struct shard_set *set, uint8_t number, const struct part *from,
                         const struct part *to, uint64_t frame);

/// Takes the part's kind, bank and program in, and tells the shards. RT safe.
RT void shard_set_program(struct shard_set *set, uint8_t number, const struct part *part,
                          uint64_t frame);

RT void shard_set_note_on(struct shard_set *set, uint8_t number, const struct part *part,
                          uint8_t key, uint8_t velocity, float detune_cents, uint64_t frame);
RT void shard_set_note_off(struct shard_set *set, uint8_t number, uint8_t key, uint64_t frame);

/// Looks at the shards anew, rendered up to `frame`: which are idle, how many voices they have. On
/// multiples of 64 only, so that placement does not depend on how periods are cut. RT safe.
RT void shard_set_latch(struct shard_set *set, uint64_t frame);

/// Whether nothing sounds and nothing waits. RT safe.
RT bool shard_set_is_silent(const struct shard_set *set);

RT int shard_set_voices(const struct shard_set *set);

#endif
