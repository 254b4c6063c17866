#include "dsp/engine/strings.h"

static const float off_db = -60.0f;

int strings_init(struct strings *strings, double rate_hz, uint32_t max_frames, uint32_t modes)
{
    return resonance_init(&strings->resonance, rate_hz, max_frames, modes);
}

void strings_finish(struct strings *strings) { resonance_finish(&strings->resonance); }

RT void strings_set(struct strings *strings, bool is_on, float amount_db, float decay,
                    float brightness)
{
    strings->is_on = is_on;
    resonance_set(&strings->resonance, is_on ? amount_db : off_db, decay, brightness);
}

RT static void apply(struct strings *strings, const struct strings_motion *motion)
{
    if (motion->key < 0) {
        resonance_pedal(&strings->resonance, motion->value);
        return;
    }
    uint8_t *holders = &strings->holders[motion->key];
    *holders = (uint8_t)(motion->value ? *holders + 1 : *holders - 1);
    resonance_hold(&strings->resonance, motion->key, *holders > 0);
}

/// A full queue takes its oldest in at once: early, never lost.
RT static void push(struct strings *strings, struct strings_motion motion)
{
    if (strings->written - strings->read == STRINGS_MOTIONS)
        apply(strings, &strings->motions[strings->read++ % STRINGS_MOTIONS]);
    strings->motions[strings->written++ % STRINGS_MOTIONS] = motion;
}

RT void strings_move_key(struct strings *strings, uint64_t frame, uint8_t key, bool is_down)
{
    push(strings, (struct strings_motion){frame, key, is_down});
}

RT void strings_move_pedal(struct strings *strings, uint64_t frame, uint8_t value)
{
    push(strings, (struct strings_motion){frame, -1, value});
}

/// Takes the motions up to `frame` in. Returns the frame of the next one, or `end`.
RT static uint64_t apply_until(struct strings *strings, uint64_t frame, uint64_t end)
{
    while (strings->read != strings->written) {
        const struct strings_motion *next = &strings->motions[strings->read % STRINGS_MOTIONS];
        if (next->frame > frame)
            return next->frame < end ? next->frame : end;
        apply(strings, next);
        strings->read++;
    }
    return end;
}

RT void strings_run(struct strings *strings, uint64_t frame, float *const sound[2], uint32_t frames)
{
    uint64_t now = frame, end = frame + frames;
    while (now < end) {
        uint64_t until = apply_until(strings, now, end);
        float *const place[2] = {sound[0] + (now - frame), sound[1] + (now - frame)};
        const float *const in[2] = {place[0], place[1]};
        resonance_run(&strings->resonance, in, place, (uint32_t)(until - now));
        now = until;
    }
}
