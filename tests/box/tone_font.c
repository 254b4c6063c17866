#include "tests/box/tone_font.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/synth/font_writer.h"

// 44 000 Hz over 100 frames: 440 Hz.
enum { FRAMES = 800, CYCLE = 100, WAVE_RATE_HZ = 44000, LEVEL = 8000, RELEASE_TIMECENTS = -3986 };

static void write_preset(struct font_writer *writer, const char *name, uint16_t program,
                         const int16_t *wave, int scale_tuning)
{
    int sample = font_writer_sample(writer, name, wave, FRAMES, 0, FRAMES, WAVE_RATE_HZ, 69);
    font_writer_instrument(writer, name);
    font_writer_zone(writer);
    font_writer_gen(writer, WRITER_GEN_RELEASE, RELEASE_TIMECENTS); // 0.1 s
    font_writer_gen(writer, WRITER_GEN_SAMPLE_MODES, 1);
    font_writer_gen(writer, WRITER_GEN_SCALE_TUNING, scale_tuning);
    font_writer_gen(writer, WRITER_GEN_SAMPLE, sample);
    font_writer_preset(writer, name, 0, program);
    font_writer_zone(writer);
    font_writer_gen(writer, WRITER_GEN_INSTRUMENT, program);
}

void tone_font_write(const char *path)
{
    int16_t sine[FRAMES], step[FRAMES];
    struct font_writer writer = {0};
    for (int i = 0; i < FRAMES; i++) {
        sine[i] = (int16_t)lrint(LEVEL * sin(2.0 * M_PI * i / CYCLE));
        step[i] = LEVEL;
    }
    write_preset(&writer, "Sine", TONE_SINE, sine, 100);
    write_preset(&writer, "Step", TONE_STEP, step, 0);
    font_writer_end(&writer);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(writer.file.at, 1, writer.file.count, file), writer.file.count);
    assert_int_equal(fclose(file), 0);
    font_writer_finish(&writer);
}
