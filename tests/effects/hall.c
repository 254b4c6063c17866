#include "tests/effects/hall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

static uint32_t seed = 1;

float hall_noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-31f;
}

uint32_t hall_dice(uint32_t from, uint32_t to)
{
    seed = seed * 1664525u + 1013904223u;
    return from + (uint32_t)(((uint64_t)seed * (to - from + 1)) >> 32);
}

struct impulse *hall_random_impulse(uint32_t frames, uint32_t channels)
{
    struct impulse *impulse = impulse_create_silent(frames, channels, RATE);
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t i = 0; i < frames; i++)
            impulse->channel[c][i] = hall_noise();
    return impulse;
}

struct sound sound_create(uint32_t frames, bool is_noise)
{
    struct sound sound = {.frames = frames};
    for (int c = 0; c < 2; c++) {
        sound.channel[c] = calloc(frames, sizeof(float));
        for (uint32_t i = 0; is_noise && i < frames; i++)
            sound.channel[c][i] = hall_noise();
    }
    return sound;
}

void sound_free(struct sound sound)
{
    free(sound.channel[0]);
    free(sound.channel[1]);
}

struct schedule hall_cut(const char *text)
{
    struct schedule schedule;
    assert_int_equal(schedule_parse(&schedule, text), 0);
    return schedule;
}

struct convolver *hall_create(const struct schedule *schedule, uint32_t frames_max,
                              uint32_t fade_frames, struct tail *tail)
{
    struct convolver *convolver =
        convolver_create(&(struct convolver_settings){.schedule = *schedule,
                                                      .frames_max = frames_max,
                                                      .fade_frames = fade_frames,
                                                      .rate_hz = RATE,
                                                      .tail = tail});
    assert_non_null(convolver);
    return convolver;
}

void hall_set(struct convolver *convolver, const struct schedule *schedule,
              const struct impulse *impulse)
{
    struct response *response = response_create(impulse, schedule);
    assert_non_null(response);
    assert_int_equal(convolver_set(convolver, response), 0);
    response_drop(response);
}

void hall_run_part(struct convolver *convolver, struct sound in, struct sound out, uint32_t from,
                   uint32_t frames)
{
    const float *const ins[2] = {in.channel[0] + from, in.channel[1] + from};
    float *const outs[2] = {out.channel[0] + from, out.channel[1] + from};
    convolver_run(convolver, ins, outs, frames);
}

struct sound hall_run(struct convolver *convolver, struct sound in, uint32_t period)
{
    struct sound out = sound_create(in.frames, false);
    for (uint32_t at = 0; at < in.frames;) {
        uint32_t frames = period ? period : hall_dice(1, 1500);
        frames = frames < in.frames - at ? frames : in.frames - at;
        hall_run_part(convolver, in, out, at, frames);
        at += frames;
    }
    return out;
}

struct sound hall_render(const char *cut, const struct impulse *impulse, struct sound in,
                         uint32_t period)
{
    struct schedule schedule = cut ? hall_cut(cut) : schedule_standard(impulse->frames);
    struct convolver *convolver = hall_create(&schedule, impulse->frames, 480, NULL);
    hall_set(convolver, &schedule, impulse);
    struct sound out = hall_run(convolver, in, period);
    assert_int_equal(convolver_late_blocks(convolver), 0);
    convolver_destroy(convolver);
    return out;
}

// ---- the definition ----

static double direct_path(const struct impulse *impulse, uint32_t channel, const float *in,
                          uint32_t frame)
{
    double sum = 0;
    for (uint32_t k = 0; k < impulse->frames && k <= frame; k++)
        sum += (double)impulse->channel[channel][k] * (double)in[frame - k];
    return sum;
}

static double direct(const struct impulse *impulse, struct sound in, int out, uint32_t frame)
{
    uint32_t o = (uint32_t)out;
    if (impulse->channels == 1)
        return direct_path(impulse, 0, in.channel[o], frame);
    if (impulse->channels == 2)
        return direct_path(impulse, o, in.channel[o], frame);
    return direct_path(impulse, o, in.channel[0], frame) +
           direct_path(impulse, 2 + o, in.channel[1], frame);
}

double hall_error_db(const struct impulse *impulse, struct sound in, struct sound out,
                     uint32_t samples)
{
    double error = 0, energy = 0;
    for (uint32_t n = 0; n < samples && n < in.frames; n++) {
        uint32_t frame = samples < in.frames ? hall_dice(0, in.frames - 1) : n;
        for (int o = 0; o < 2; o++) {
            double wanted = direct(impulse, in, o, frame);
            error += pow(out.channel[o][frame] - wanted, 2);
            energy += wanted * wanted;
        }
    }
    return 10 * log10(error / energy + 1e-30);
}

void sound_assert_same(struct sound a, struct sound b)
{
    for (int c = 0; c < 2; c++)
        for (uint32_t i = 0; i < a.frames; i++)
            if (a.channel[c][i] != b.channel[c][i])
                fail_msg("channel %d, frame %u: %.9g and %.9g", c, i, (double)a.channel[c][i],
                         (double)b.channel[c][i]);
}
