// A dense General MIDI file to a 24-bit WAV file at 48 kHz: the whole command beside the other's,
// its start and the loading of the font included.
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/engine/smf_writer.h"

enum {
    TIMES = 3,
    PARTS = 16,
    DRUM_PART = 9,
    TICKS_PER_BEAT = 480,
    BEATS = 240, ///< two minutes at 120 a minute
    CHORD_BEATS = 4,
    CHORDS = BEATS / CHORD_BEATS,
};

static const uint8_t programs[PARTS] = {0,  16, 48, 52, 40, 19, 60, 24,
                                        73, 0,  89, 50, 11, 21, 33, 95};

static uint8_t chord_key(uint8_t part, uint32_t chord, uint32_t voice)
{
    return (uint8_t)(40 + 5 * part % 24 + 4 * voice + chord * 5 % 7);
}

/// Four notes, a little apart, as fingers and players are; those of the chord before end.
static void write_chord(struct smf_writer *writer, uint8_t part, uint32_t chord)
{
    uint32_t tick = chord * CHORD_BEATS * TICKS_PER_BEAT + 13u * part;
    for (uint32_t i = 0; i < 4; i++, tick += 7) {
        if (chord)
            smf_writer_note(writer, tick, part, chord_key(part, chord - 1, i), 0);
        if (chord < CHORDS)
            smf_writer_note(writer, tick, part, chord_key(part, chord, i), 80);
    }
}

static void write_drums(struct smf_writer *writer)
{
    for (uint32_t i = 0; i < 4 * BEATS; i++)
        smf_writer_note(writer, i * TICKS_PER_BEAT / 4, DRUM_PART, (uint8_t)(35 + i * 7 % 20), 100);
}

static void write_part(struct smf_writer *writer, uint8_t part)
{
    smf_writer_begin_track(writer);
    smf_writer_message(writer, 0, (uint8_t)(0xc0 | part), programs[part], 0);
    if (part == DRUM_PART)
        write_drums(writer);
    for (uint32_t i = 0; i <= CHORDS && part != DRUM_PART; i++)
        write_chord(writer, part, i);
    smf_writer_end_track(writer, (BEATS + 1) * TICKS_PER_BEAT);
}

static void write_piece(const char *path)
{
    static struct smf_writer writer;
    smf_writer_begin(&writer, 1, PARTS, TICKS_PER_BEAT);
    for (uint8_t part = 0; part < PARTS; part++)
        write_part(&writer, part);
    FILE *file = fopen(path, "wb");
    bool is_whole = file && fwrite(writer.bytes, 1, writer.count, file) == writer.count;
    if (!file || fclose(file) || !is_whole) {
        fprintf(stderr, "bench: %s cannot be written\n", path);
        exit(1);
    }
}

static double ours_seconds(const char *piece, const char *sound)
{
    // This program is build/VARIANT/tests/bench/bench_render.
    char self[512] = "", command[600];
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return (double)NAN;
    snprintf(command, sizeof command, "%s/../../consort", dirname(self));
    return bench_command_seconds((char *[]){command, "render", "--effects", "off", "--soundfont",
                                            (char *)bench_font_path(), "--rate", "48000", "-o",
                                            (char *)sound, (char *)piece, NULL});
}

static double rival_seconds(const char *piece, const char *sound, char *cores)
{
    return bench_command_seconds((char *[]){"fluidsynth",
                                            "-n",
                                            "-i",
                                            "-q",
                                            "-R",
                                            "0",
                                            "-C",
                                            "0",
                                            "-r",
                                            "48000",
                                            "-g",
                                            "0.4",
                                            "-O",
                                            "s24",
                                            "-T",
                                            "wav",
                                            "-o",
                                            "synth.polyphony=2048",
                                            "-o",
                                            cores,
                                            "-F",
                                            (char *)sound,
                                            (char *)bench_font_path(),
                                            (char *)piece,
                                            NULL});
}

static void contest(const char *folder)
{
    char piece[64], sound[64];
    double ours[TIMES], one[TIMES], two[TIMES];
    snprintf(piece, sizeof piece, "%s/dense.mid", folder);
    snprintf(sound, sizeof sound, "%s/dense.wav", folder);
    write_piece(piece);
    for (int i = 0; i < TIMES; i++) {
        ours[i] = ours_seconds(piece, sound);
        one[i] = rival_seconds(piece, sound, "synth.cpu-cores=1");
        two[i] = rival_seconds(piece, sound, "synth.cpu-cores=2");
    }
    unlink(piece);
    unlink(sound);
    bench_row(&(struct bench_row){.name = "consort render, against fluidsynth -F",
                                  .ours = bench_median(ours, TIMES),
                                  .rival = bench_median(one, TIMES),
                                  .unit = "s",
                                  .decimals = 2,
                                  .kind = BENCH_RATIO_AT_MOST,
                                  .goal = 0.6});
    bench_row(&(struct bench_row){.name = "the same, with its synth.cpu-cores=2",
                                  .ours = bench_median(ours, TIMES),
                                  .rival = bench_median(two, TIMES),
                                  .unit = "s",
                                  .decimals = 2});
}

int main(void)
{
    char folder[] = "/tmp/consort-bench-XXXXXX";
    bench_title("two minutes of 16 parts to a WAV file");
    bench_font_path();
    if (!mkdtemp(folder))
        return 1;
    contest(folder);
    rmdir(folder);
    return 0;
}
