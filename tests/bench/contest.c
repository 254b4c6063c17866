#include "tests/bench/contest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/engine/chain.h"

enum { DRUM_PART = 9 };

static void check(bool is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

struct font *contest_font(const char *path)
{
    char error[512];
    struct font *font = font_load(path, NULL, NULL, error, sizeof error);
    check(font, error);
    return font;
}

// ---- ours ----

static void push_param(struct ours *ours, unsigned index, float value)
{
    struct event event = {.frame = EVENT_NOW, .type = EVENT_PARAM};
    event.param.index = (uint16_t)index;
    event.param.value = value;
    ours_push(ours, &event);
}

void ours_init(struct ours *ours, struct font *font, int shards, int polyphony, int workers)
{
    memset(ours, 0, sizeof *ours);
    ours->engine = engine_create(&(struct engine_settings){.sample_rate_hz = CONTEST_RATE_HZ,
                                                           .max_frames = CONTEST_PERIOD,
                                                           .shards = shards,
                                                           .polyphony = polyphony,
                                                           .workers = workers,
                                                           .priority = CONTEST_PRIORITY});
    check(ours->engine, "engine_create");
    ours->ring = engine_open_ring(ours->engine, 8192);
    check(ours->ring >= 0, "engine_open_ring");
    check(!engine_set_font(ours->engine, font), "engine_set_font");
    for (int i = 0; i < CHAIN_SWITCHES; i++)
        push_param(ours, chain_switches[i], 0);
    push_param(ours, PARAM_CH_KIND + DRUM_PART, 1);
    ours_run(ours);
}

void ours_finish(struct ours *ours) { engine_destroy(ours->engine); }

void ours_push(struct ours *ours, const struct event *event)
{
    check(engine_push(ours->engine, ours->ring, event), "engine_push");
}

void ours_program(struct ours *ours, int part, int program)
{
    struct event event = {.frame = EVENT_NOW, .type = EVENT_PART_PROGRAM, .channel = (uint8_t)part};
    event.program.program = (uint8_t)program;
    ours_push(ours, &event);
}

void ours_control(struct ours *ours, int part, int number, int value)
{
    struct event event = {.frame = EVENT_NOW, .type = EVENT_PART_CONTROL, .channel = (uint8_t)part};
    event.control.number = (uint8_t)number;
    event.control.value = (uint8_t)value;
    ours_push(ours, &event);
}

void ours_note(struct ours *ours, uint64_t frame, int part, int key, int velocity)
{
    struct event event = {.frame = frame,
                          .type = velocity ? EVENT_PART_NOTE_ON : EVENT_PART_NOTE_OFF,
                          .channel = (uint8_t)part};
    event.note.key = (uint8_t)key;
    event.note.velocity = (uint8_t)velocity;
    ours_push(ours, &event);
}

void ours_run(struct ours *ours)
{
    float *const out[2] = {ours->left, ours->right};
    engine_run(ours->engine, out, CONTEST_PERIOD);
    ours->frame += CONTEST_PERIOD;
}

uint32_t ours_voices(struct ours *ours)
{
    struct engine_state state;
    engine_read_state(ours->engine, &state);
    return state.voices;
}

// ---- the rival ----

void rival_init(struct rival *rival, const char *font, int polyphony, int cores)
{
    memset(rival, 0, sizeof *rival);
    fluid_settings_t *settings = rival->settings = new_fluid_settings();
    check(settings, "new_fluid_settings");
    fluid_settings_setint(settings, "synth.threadsafe-api", 0);
    fluid_settings_setint(settings, "synth.reverb.active", 0);
    fluid_settings_setint(settings, "synth.chorus.active", 0);
    fluid_settings_setint(settings, "synth.polyphony", polyphony);
    fluid_settings_setint(settings, "synth.cpu-cores", cores);
    fluid_settings_setnum(settings, "synth.sample-rate", CONTEST_RATE_HZ);
    rival->synth = new_fluid_synth(settings);
    check(rival->synth, "new_fluid_synth");
    check(fluid_synth_sfload(rival->synth, font, 1) != FLUID_FAILED, "fluid_synth_sfload");
    fluid_synth_set_channel_type(rival->synth, DRUM_PART, CHANNEL_TYPE_MELODIC);
    fluid_synth_bank_select(rival->synth, DRUM_PART, 0);
}

void rival_finish(struct rival *rival)
{
    delete_fluid_synth(rival->synth);
    delete_fluid_settings(rival->settings);
}

void rival_run(struct rival *rival, uint32_t frames)
{
    float *out[2] = {rival->left, rival->right};
    memset(rival->left, 0, sizeof rival->left); // the library adds
    memset(rival->right, 0, sizeof rival->right);
    fluid_synth_process(rival->synth, (int)frames, 0, NULL, 2, out);
}
