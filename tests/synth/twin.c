#include "tests/synth/twin.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PARTS = 16, RATE_HZ = 48000, POLYPHONY = 512 };

static void make_bare(struct twin *twin)
{
    twin->settings = new_fluid_settings();
    fluid_settings_setint(twin->settings, "synth.reverb.active", 0);
    fluid_settings_setint(twin->settings, "synth.chorus.active", 0);
    fluid_settings_setint(twin->settings, "synth.audio-channels", PARTS);
    fluid_settings_setint(twin->settings, "synth.audio-groups", PARTS);
    fluid_settings_setint(twin->settings, "synth.polyphony", POLYPHONY);
    fluid_settings_setnum(twin->settings, "synth.sample-rate", RATE_HZ);
    fluid_settings_setnum(twin->settings, "synth.gain", 0.4);
    twin->bare = new_fluid_synth(twin->settings);
    fluid_synth_reset_basic_channel(twin->bare, -1);
    for (int i = 0; i < PARTS; i++)
        fluid_synth_set_basic_channel(twin->bare, i, FLUID_CHANNEL_MODE_OMNIOFF_POLY, 1);
    // A loader of one's own cannot have the other legato, which goes on with the old voice.
    for (int i = 0; i < PARTS; i++)
        fluid_synth_set_legato_mode(twin->bare, i, FLUID_CHANNEL_LEGATO_MODE_RETRIGGER);
}

int twin_create(struct twin *twin, const char *name)
{
    char path[512], error[512];
    memset(twin, 0, sizeof *twin);
    if (font_find(name, path, sizeof path))
        return -1;
    twin->font = font_load(path, NULL, NULL, error, sizeof error);
    if (!twin->font)
        fprintf(stderr, "%s\n", error);
    assert(twin->font);
    twin->ours = synth_create(&(struct synth_settings){.sample_rate_hz = RATE_HZ,
                                                       .shards = 1,
                                                       .polyphony = POLYPHONY,
                                                       .max_frames = TWIN_BLOCK_FRAMES});
    assert(twin->ours && synth_latency_frames(twin->ours) == TWIN_TOLERANCE_FRAMES);
    int status = synth_set_font(twin->ours, twin->font);
    assert(status == 0);
    (void)status;
    make_bare(twin);
    twin->font_id = fluid_synth_sfload(twin->bare, path, 0);
    assert(twin->font_id >= 0);
    twin->block = 1;
    synth_begin(twin->ours, TWIN_BLOCK_FRAMES);
    synth_latch(twin->ours, TWIN_BLOCK_FRAMES);
    for (uint8_t part = 0; part < PARTS; part++)
        twin_preset(twin, part, font_find_preset(twin->font, 0, 0, part == 9));
    return 0;
}

void twin_destroy(struct twin *twin)
{
    synth_destroy(twin->ours);
    delete_fluid_synth(twin->bare);
    delete_fluid_settings(twin->settings);
    font_destroy(twin->font);
}

/// A note's ideal start is a tolerance after its frame: so it begins on the border.
static uint64_t now(const struct twin *twin)
{
    return twin->block * TWIN_BLOCK_FRAMES - TWIN_TOLERANCE_FRAMES;
}

void twin_preset(struct twin *twin, uint8_t part, unsigned preset)
{
    unsigned bank = font_preset_bank(twin->font, preset);
    unsigned program = font_preset_program(twin->font, preset);
    fluid_synth_program_select(twin->bare, part, twin->font_id, (int)bank, (int)program);
    bool is_drums = bank == FONT_BANK_DRUMS;
    synth_program(twin->ours, now(twin), part, (uint16_t)bank, (uint8_t)program, is_drums);
}

void twin_note(struct twin *twin, uint8_t part, uint8_t key, uint8_t velocity)
{
    if (velocity) {
        fluid_synth_noteon(twin->bare, part, key, velocity);
        synth_note_on(twin->ours, now(twin), part, key, velocity);
    } else {
        fluid_synth_noteoff(twin->bare, part, key);
        synth_note_off(twin->ours, now(twin), part, key);
    }
}

void twin_control(struct twin *twin, uint8_t part, uint8_t number, uint8_t value)
{
    fluid_synth_cc(twin->bare, part, number, value);
    synth_control(twin->ours, now(twin), part, number, value);
}

void twin_bend(struct twin *twin, uint8_t part, int bend)
{
    fluid_synth_pitch_bend(twin->bare, part, bend + 8192);
    synth_bend(twin->ours, now(twin), part, (int16_t)bend);
}

void twin_pressure(struct twin *twin, uint8_t part, uint8_t pressure)
{
    fluid_synth_channel_pressure(twin->bare, part, pressure);
    synth_pressure(twin->ours, now(twin), part, pressure);
}

void twin_key_pressure(struct twin *twin, uint8_t part, uint8_t key, uint8_t pressure)
{
    fluid_synth_key_pressure(twin->bare, part, key, pressure);
    synth_key_pressure(twin->ours, now(twin), part, key, pressure);
}

void twin_sound_off(struct twin *twin)
{
    fluid_synth_all_sounds_off(twin->bare, -1);
    synth_sound_off(twin->ours, now(twin), 255);
}

static void compare(struct twin *twin, float *const bus[2], float *const bare[2])
{
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < TWIN_BLOCK_FRAMES; i++) {
            double expected = bare[side][i], got = bus ? bus[side][i] : 0.0;
            twin->worst = fmax(twin->worst, fabs(expected - got));
            twin->loudest = fmax(twin->loudest, fabs(expected));
            twin->differs += expected != got;
        }
}

void twin_render(struct twin *twin, unsigned blocks)
{
    static float sound[2 * PARTS][TWIN_BLOCK_FRAMES];
    float *out[2 * PARTS], *bus[PARTS][2];
    while (blocks--) {
        memset(sound, 0, sizeof sound);
        for (int i = 0; i < 2 * PARTS; i++)
            out[i] = sound[i];
        fluid_synth_process(twin->bare, TWIN_BLOCK_FRAMES, 0, NULL, 2 * PARTS, out);
        uint64_t start = twin->block * TWIN_BLOCK_FRAMES;
        uint16_t parts = synth_render(twin->ours, start, TWIN_BLOCK_FRAMES, bus);
        for (int part = 0; part < PARTS; part++)
            compare(twin, parts >> part & 1 ? bus[part] : NULL, out + 2 * part);
        twin->block++;
        synth_begin(twin->ours, start + TWIN_BLOCK_FRAMES);
        synth_latch(twin->ours, start + TWIN_BLOCK_FRAMES);
    }
}

double twin_residual_db(const struct twin *twin)
{
    return 20.0 * log10(fmax(twin->worst, 1e-30) / fmax(twin->loudest, 1e-30));
}
