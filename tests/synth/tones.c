#include "tests/synth/tones.h"

#include <assert.h>
#include <math.h>

#include "tests/synth/font_writer.h"

enum { WAVE_FRAMES = 800, WAVE_RATE_HZ = 44000, CYCLE_FRAMES = 100 }; // key 69: 440 Hz

static void fill_waves(int16_t step[WAVE_FRAMES], int16_t sine[WAVE_FRAMES],
                       int16_t saw[WAVE_FRAMES], int level)
{
    for (int i = 0; i < WAVE_FRAMES; i++) {
        double phase = (double)(i % CYCLE_FRAMES) / CYCLE_FRAMES;
        step[i] = (int16_t)level;
        sine[i] = (int16_t)lrint(level * sin(2 * M_PI * phase));
        saw[i] = (int16_t)lrint(level * (2 * phase - 1));
    }
}

static void write_instrument(struct font_writer *writer, const char *name, int sample,
                             int release_timecents, int scale_tuning)
{
    font_writer_instrument(writer, name);
    font_writer_zone(writer);
    font_writer_gen(writer, WRITER_GEN_RELEASE, release_timecents);
    font_writer_gen(writer, WRITER_GEN_SAMPLE_MODES, 1);
    font_writer_gen(writer, WRITER_GEN_SCALE_TUNING, scale_tuning);
    font_writer_gen(writer, WRITER_GEN_SAMPLE, sample);
}

static void write_kit_zone(struct font_writer *writer, int low, int high, int class, int sample)
{
    font_writer_zone(writer);
    font_writer_gen(writer, WRITER_GEN_KEYS, font_writer_range(low, high));
    font_writer_gen(writer, WRITER_GEN_RELEASE, -3986);
    font_writer_gen(writer, WRITER_GEN_SAMPLE_MODES, 1);
    font_writer_gen(writer, WRITER_GEN_EXCLUSIVE, class);
    font_writer_gen(writer, WRITER_GEN_SAMPLE, sample);
}

static void write_preset(struct font_writer *writer, const char *name, uint16_t bank,
                         uint16_t program, int instrument, int pan)
{
    font_writer_preset(writer, name, bank, program);
    font_writer_zone(writer);
    font_writer_gen(writer, WRITER_GEN_PAN, pan);
    font_writer_gen(writer, WRITER_GEN_INSTRUMENT, instrument);
}

struct font *tones_load(int level)
{
    int16_t step[WAVE_FRAMES], sine[WAVE_FRAMES], saw[WAVE_FRAMES];
    struct font_writer writer = {0};
    fill_waves(step, sine, saw, level);
    const int16_t *const waves[] = {step, sine, saw};
    for (int i = 0; i < 3; i++)
        font_writer_sample(&writer, "wave", waves[i], WAVE_FRAMES, 0, WAVE_FRAMES, WAVE_RATE_HZ,
                           69);
    write_instrument(&writer, "step", 0, -3986, 0);
    write_instrument(&writer, "sine", 1, -3986, 100);
    write_instrument(&writer, "pluck", 1, -3986, 100);
    font_writer_gen(&writer, 0, 0); // behind the link: ignored by rule
    write_instrument(&writer, "saw", 2, -3986, 100);
    font_writer_instrument(&writer, "kit");
    write_kit_zone(&writer, 42, 42, 1, 1);
    write_kit_zone(&writer, 44, 44, 1, 1);
    write_kit_zone(&writer, 46, 46, 1, 1);
    write_kit_zone(&writer, 47, 127, 0, 1);
    write_preset(&writer, "Step", 0, TONES_STEP, 0, 0);
    write_preset(&writer, "Sine", 0, TONES_SINE, 1, 0);
    font_writer_preset(&writer, "Pluck", 0, TONES_PLUCK);
    font_writer_zone(&writer);
    font_writer_gen(&writer, WRITER_GEN_DECAY, 9600); // adds to -12000: 0.25 s for 100 dB
    font_writer_gen(&writer, WRITER_GEN_SUSTAIN, 1440);
    font_writer_gen(&writer, WRITER_GEN_INSTRUMENT, 2);
    write_preset(&writer, "Saw", 0, TONES_SAW, 3, 250);
    write_preset(&writer, "Kit", FONT_BANK_DRUMS, 0, 4, 0);
    font_writer_end(&writer);
    struct font *font = font_writer_load(&writer);
    assert(font);
    font_writer_finish(&writer);
    return font;
}
