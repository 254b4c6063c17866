#include "board/offline.h"

#include <errno.h>
#include <stdlib.h>

/// Events on their way into a ring.
struct feed {
    int ring;
    const struct event *event, *end;
};

static int push_until(struct engine *engine, struct feed *feed, uint64_t frame)
{
    for (; feed->event < feed->end && feed->event->frame < frame; feed->event++)
        if (!engine_push(engine, feed->ring, feed->event))
            return -ENOBUFS;
    return 0;
}

static uint64_t frame_now(const struct engine *engine)
{
    struct engine_state state;
    engine_read_state(engine, &state);
    return state.frame;
}

static int run_periods(const struct offline *offline, struct feed *feed, uint64_t frames,
                       float *const out[2])
{
    uint64_t frame = frame_now(offline->engine), end = frame + frames;
    while (frame < end) {
        uint32_t count = offline->period_frames;
        if (count > end - frame)
            count = (uint32_t)(end - frame);
        int code = push_until(offline->engine, feed, frame + count);
        if (code != 0)
            return code;
        engine_run(offline->engine, out, count);
        frame += count;
        if (offline->sink && (code = offline->sink(offline->data, out, count)) != 0)
            return code;
    }
    return 0;
}

static int run(const struct offline *offline, struct feed *feed, uint64_t frames)
{
    if (offline->period_frames == 0)
        return -EINVAL;
    float *buffer = calloc(2 * (size_t)offline->period_frames, sizeof *buffer);
    if (!buffer)
        return -ENOMEM;
    rt_flush_denormals();
    float *const out[2] = {buffer, buffer + offline->period_frames};
    int code = run_periods(offline, feed, frames, out);
    free(buffer);
    return code;
}

int offline_run(const struct offline *offline, uint64_t frames)
{
    struct feed nothing = {.ring = 0};
    return run(offline, &nothing, frames);
}

int offline_play(const struct offline *offline, int ring, const struct event *events, size_t count,
                 uint64_t frames)
{
    struct feed feed = {.ring = ring, .event = events, .end = events + count};
    return run(offline, &feed, frames);
}
