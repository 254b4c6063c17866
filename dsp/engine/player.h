/// The player: gives out the events of a piece, each at its frame.
///
/// A plain struct on the audio thread, owned by the engine, which asks for the events due in each
/// period when it merges its rings. Every function is RT safe.
#ifndef CONSORT_DSP_ENGINE_PLAYER_H
#define CONSORT_DSP_ENGINE_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/engine/event.h"
#include "dsp/engine/smf.h"

struct player {
    const struct smf *piece; ///< borrowed until the player is no longer playing
    size_t next;             ///< place of the next event in the piece
    uint64_t start_frame;
    uint64_t end_frame; ///< where the release stands that ends the piece
    double rate_hz;
    uint16_t source;
    bool is_playing;
};

/// Stands still, without a piece.
RT void player_init(struct player *player);

/// Starts a piece: an event of time t comes at `start_frame` + round(t * `rate_hz`), as events of
/// `source`. A piece that still plays is forgotten with its notes: stop it and take its release
/// first.
RT void player_start(struct player *player, const struct smf *piece, uint16_t source,
                     uint64_t start_frame, double rate_hz);

/// Takes the next event that is due before `before_frame`, with its frame and source. Returns
/// false when none is. The last event of every piece is EVENT_RELEASE at its end, so that no note
/// of it hangs; the player has stopped when it is given out.
RT bool player_next(struct player *player, uint64_t before_frame, struct event *event);

/// Ends the piece at `frame`, or where it ends anyway if that is sooner: only EVENT_RELEASE is
/// still to come.
RT void player_stop(struct player *player, uint64_t frame);

/// The place in the piece at `frame`, 0 up to its length; 0 when nothing plays.
RT double player_position_seconds(const struct player *player, uint64_t frame);

/// The length of the piece that plays, or 0.
RT double player_length_seconds(const struct player *player);

#endif
