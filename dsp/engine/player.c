#include "dsp/engine/player.h"

#include <math.h>
#include <string.h>

static uint64_t frame_of(const struct player *player, uint64_t time_ns)
{
    return player->start_frame + (uint64_t)llround((double)time_ns * player->rate_hz * 1e-9);
}

RT void player_init(struct player *player) { memset(player, 0, sizeof *player); }

RT void player_start(struct player *player, const struct smf *piece, uint16_t source,
                     uint64_t start_frame, double rate_hz)
{
    player->piece = piece;
    player->next = 0;
    player->start_frame = start_frame;
    player->rate_hz = rate_hz;
    player->source = source;
    player->is_playing = true;
    player->end_frame = frame_of(player, piece->length_ns);
}

static bool next_of_piece(struct player *player, uint64_t before_frame, struct event *event)
{
    const struct smf_event *next = &player->piece->events[player->next];
    uint64_t frame = frame_of(player, next->time_ns);
    if (frame >= before_frame)
        return false;
    *event = next->event;
    event->frame = frame;
    event->source = player->source;
    player->next++;
    return true;
}

static bool release(struct player *player, uint64_t before_frame, struct event *event)
{
    if (player->end_frame >= before_frame)
        return false;
    memset(event, 0, sizeof *event);
    event->type = EVENT_RELEASE;
    event->frame = player->end_frame;
    event->source = player->source;
    player->is_playing = false;
    return true;
}

RT bool player_next(struct player *player, uint64_t before_frame, struct event *event)
{
    if (!player->is_playing)
        return false;
    if (player->next < player->piece->count)
        return next_of_piece(player, before_frame, event);
    return release(player, before_frame, event);
}

RT void player_stop(struct player *player, uint64_t frame)
{
    if (!player->is_playing)
        return;
    player->next = player->piece->count;
    if (frame < player->end_frame)
        player->end_frame = frame;
}

RT double player_position_seconds(const struct player *player, uint64_t frame)
{
    if (!player->is_playing || frame <= player->start_frame)
        return 0;
    double seconds = (double)(frame - player->start_frame) / player->rate_hz;
    return fmin(seconds, player_length_seconds(player));
}

RT double player_length_seconds(const struct player *player)
{
    return player->is_playing ? (double)player->piece->length_ns * 1e-9 : 0;
}
