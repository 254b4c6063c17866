// From nothing to the first sound of a note, with a font of 148 MB in the page cache; and the
// memory that this takes. Each measurement has a process of its own.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dsp/synth/font_inside.h"
#include "tests/bench/bench.h"
#include "tests/bench/contest.h"

enum {
    TIMES = 7,
    KEY = 60,
    SHARDS = 8,
    POLYPHONY = 256,
    WORKERS = 1,
    PERIODS_MAX = 100,
    PIANO_PERIODS = 750, ///< of playing before memory is looked at
};

enum { SECONDS, ANONYMOUS_MB, SAMPLE_MB }; ///< figures of a child

static bool is_silent(const float *samples)
{
    for (int i = 0; i < CONTEST_PERIOD; i++)
        if (samples[i] != 0.0f)
            return false;
    return true;
}

/// Memory that is no file's: the page cache keeps mapped fonts for everybody.
static double anonymous_mb(void)
{
    char line[128];
    double kib = (double)NAN;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %lf", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib * 1024 / 1e6;
}

static void measure_ours(double figures[BENCH_FIGURES])
{
    static struct ours ours;
    int64_t start = bench_now_ns();
    struct font *font = contest_font(bench_font_path());
    ours_init(&ours, font, SHARDS, POLYPHONY, WORKERS);
    ours_note(&ours, EVENT_NOW, 0, KEY, 100);
    for (int i = 0; i < PERIODS_MAX && is_silent(ours.left); i++)
        ours_run(&ours);
    figures[SECONDS] = (double)(bench_now_ns() - start) * 1e-9;
    for (int i = 0; i < PIANO_PERIODS; i++) {
        ours_note(&ours, EVENT_NOW, i % 16, 30 + i % 60, 100);
        ours_run(&ours);
    }
    figures[ANONYMOUS_MB] = anonymous_mb();
    figures[SAMPLE_MB] = (double)font->sf2.sample_byte_count / 1e6;
}

static void measure_rival(double figures[BENCH_FIGURES])
{
    static struct rival rival;
    int64_t start = bench_now_ns();
    rival_init(&rival, bench_font_path(), POLYPHONY, 1);
    fluid_synth_noteon(rival.synth, 0, KEY, 100);
    for (int i = 0; i < PERIODS_MAX && is_silent(rival.left); i++)
        rival_run(&rival, CONTEST_PERIOD);
    figures[SECONDS] = (double)(bench_now_ns() - start) * 1e-9;
    for (int i = 0; i < PIANO_PERIODS; i++) {
        fluid_synth_noteon(rival.synth, i % 16, 30 + i % 60, 100);
        rival_run(&rival, CONTEST_PERIOD);
    }
    figures[ANONYMOUS_MB] = anonymous_mb();
}

int main(void)
{
    double ours_seconds[TIMES], rival_seconds[TIMES], ours_mb[TIMES], rival_mb[TIMES];
    bench_title("start, and memory, with FluidR3_GM.sf2");
    bench_font_path();
    for (int i = 0; i < TIMES; i++) {
        double ours[BENCH_FIGURES] = {0}, rival[BENCH_FIGURES] = {0};
        bench_in_child(measure_ours, ours);
        bench_in_child(measure_rival, rival);
        ours_seconds[i] = ours[SECONDS];
        rival_seconds[i] = rival[SECONDS];
        ours_mb[i] = ours[ANONYMOUS_MB];
        // Its samples are a copy of its own, ours are the file.
        rival_mb[i] = rival[ANONYMOUS_MB] - ours[SAMPLE_MB];
    }
    bench_row(&(struct bench_row){.name = "first sound of a note, 8 shards",
                                  .ours = bench_median(ours_seconds, TIMES) * 1000,
                                  .rival = bench_median(rival_seconds, TIMES) * 1000,
                                  .unit = "ms",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 300});
    bench_row(&(struct bench_row){.name = "memory without sample data, 8 shards",
                                  .ours = bench_median(ours_mb, TIMES),
                                  .rival = bench_median(rival_mb, TIMES),
                                  .unit = "MB",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 100});
    bench_note("the engine alone; polyphony 256 to each shard and to fluidsynth");
    return 0;
}
