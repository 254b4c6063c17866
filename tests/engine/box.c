#include "tests/engine/box.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/engine/chain.h"

void box_create(struct box *box, struct font *font, int shards, int workers)
{
    *box = (struct box){.period = 64};
    box->engine = engine_create(&(struct engine_settings){.sample_rate_hz = BOX_RATE_HZ,
                                                          .max_frames = BOX_PERIOD_MAX,
                                                          .shards = shards,
                                                          .polyphony = 64,
                                                          .workers = workers});
    assert(box->engine);
    box->ring = engine_open_ring(box->engine, 8192);
    int status = font ? engine_set_font(box->engine, font) : 0;
    assert(box->ring >= 0 && status == 0);
    (void)status;
    for (int i = 0; i < CHAIN_SWITCHES; i++)
        if (chain_switches[i] != PARAM_LIMITER_ON)
            box_param(box, EVENT_NOW, chain_switches[i], 0);
}

void box_destroy(struct box *box)
{
    while (engine_collect_font(box->engine))
        ;
    engine_destroy(box->engine);
}

void box_render(struct box *box, float *left, float *right, uint64_t frames)
{
    box_play(box, NULL, 0, left, right, frames);
}

size_t box_play(struct box *box, const struct event *events, size_t count, float *left,
                float *right, uint64_t frames)
{
    static float nowhere[2][BOX_PERIOD_MAX];
    size_t pushed = 0;
    uint64_t end = box->frame + frames, start = box->frame;
    while (box->frame < end) {
        uint32_t run = end - box->frame < box->period ? (uint32_t)(end - box->frame) : box->period;
        while (pushed < count && events[pushed].frame < box->frame + run)
            box_push(box, &events[pushed++]);
        uint64_t offset = box->frame - start;
        float *out[2] = {left ? left + offset : nowhere[0], right ? right + offset : nowhere[1]};
        engine_run(box->engine, out, run);
        box->frame += run;
    }
    return pushed;
}

void box_push(struct box *box, const struct event *event)
{
    bool is_in = engine_push(box->engine, box->ring, event);
    assert(is_in);
    (void)is_in;
}

void box_note(struct box *box, uint64_t frame, unsigned source, unsigned channel, unsigned key,
              unsigned velocity)
{
    box_push(box, &(struct event){.frame = frame,
                                  .source = (uint16_t)source,
                                  .channel = (uint8_t)channel,
                                  .type = velocity ? EVENT_NOTE_ON : EVENT_NOTE_OFF,
                                  .note = {(uint8_t)key, (uint8_t)velocity}});
}

void box_control(struct box *box, uint64_t frame, unsigned source, unsigned channel,
                 unsigned number, unsigned value)
{
    box_push(box, &(struct event){.frame = frame,
                                  .source = (uint16_t)source,
                                  .channel = (uint8_t)channel,
                                  .type = EVENT_CONTROL,
                                  .control = {(uint8_t)number, (uint8_t)value}});
}

void box_program(struct box *box, uint64_t frame, unsigned channel, unsigned program)
{
    box_push(box, &(struct event){.frame = frame,
                                  .channel = (uint8_t)channel,
                                  .type = EVENT_PROGRAM,
                                  .program = {(uint8_t)program}});
}

void box_param(struct box *box, uint64_t frame, unsigned index, double value)
{
    box_push(box, &(struct event){.frame = frame,
                                  .type = EVENT_PARAM,
                                  .param = {(uint16_t)index, (float)value}});
}

struct engine_state box_state(const struct box *box)
{
    static struct engine_state state;
    engine_read_state(box->engine, &state);
    if (state.frame > 0) { // what box_create sent does not count
        state.events -= CHAIN_SWITCHES - 1;
        state.applied[box->ring] -= CHAIN_SWITCHES - 1;
    }
    return state;
}

uint32_t box_settle(struct box *box, uint64_t frames)
{
    for (uint64_t end = box->frame + frames; box->frame < end && box_state(box).voices;)
        box_render(box, NULL, NULL, 1024);
    return box_state(box).voices;
}

struct font *box_font_or_skip(const char *name)
{
    char path[512], error[512];
    if (font_find(name, path, sizeof path)) {
        printf("the font %s is not installed\n", name);
        exit(77);
    }
    struct font *font = font_load(path, NULL, NULL, error, sizeof error);
    if (!font)
        fprintf(stderr, "%s\n", error);
    assert(font);
    return font;
}

uint32_t box_step_latency_frames(const struct box *box, struct font *tones)
{
    static float left[1024];
    struct box alone;
    box_create(&alone, tones, 1, 0);
    // With one shard the tolerance is another: its notes are as late as its engine says.
    box_note(&alone, 0, 1, 0, 60, 127);
    box_render(&alone, left, NULL, 1024);
    uint32_t first = 0;
    while (first < 1024 && left[first] == 0.0f)
        first++;
    uint32_t voice = first - engine_latency_frames(alone.engine);
    box_destroy(&alone);
    return engine_latency_frames(box->engine) + voice;
}

uint64_t box_hash(const float *samples, size_t count, uint64_t hash)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &samples[i], sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0x100000001b3);
    }
    return hash;
}
