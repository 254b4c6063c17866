// What a period of the engine costs beside a bare fluid_synth_process that plays the same voices.
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/contest.h"

enum {
    ORGAN = 16, ///< two voices to a key, looped
    VOICES = 128,
    LOWEST_KEY = 32,
    ROUNDS = 60,
    PERIODS = 50, ///< of each side, in turn, a round
    WARM_UP = 400,
};

static double us_ours[ROUNDS * PERIODS], us_rival[ROUNDS * PERIODS];

static void hold_rival(struct rival *rival, int parts)
{
    for (int part = 0; part < parts; part++)
        fluid_synth_program_change(rival->synth, part, ORGAN);
    for (int i = 0; fluid_synth_get_active_voice_count(rival->synth) < VOICES; i++)
        fluid_synth_noteon(rival->synth, i % parts, LOWEST_KEY + i / parts, 100);
}

/// The same keys, begun at eight places of the block, so that every shard gets its share.
static void hold_ours(struct ours *ours, int parts)
{
    for (int part = 0; part < parts; part++)
        ours_program(ours, part, ORGAN);
    ours_run(ours);
    for (int i = 0; ours_voices(ours) < VOICES; i++) {
        uint64_t place = (uint64_t)(i / parts + i % parts) % 8 * 8;
        ours_note(ours, ours->frame + place, i % parts, LOWEST_KEY + i / parts, 100);
        for (int k = 0; k < 4; k++)
            ours_run(ours);
    }
}

static void time_ours(struct ours *ours, double *us)
{
    for (int i = 0; i < PERIODS; i++) {
        int64_t start = bench_now_ns();
        ours_run(ours);
        us[i] = (double)(bench_now_ns() - start) * 1e-3;
    }
}

static void time_rival(struct rival *rival, double *us)
{
    for (int i = 0; i < PERIODS; i++) {
        int64_t start = bench_now_ns();
        rival_run(rival, CONTEST_PERIOD);
        us[i] = (double)(bench_now_ns() - start) * 1e-3;
    }
}

static void take_turns(struct ours *ours, struct rival *rival)
{
    for (int i = 0; i < WARM_UP; i++) {
        ours_run(ours);
        rival_run(rival, CONTEST_PERIOD);
    }
    for (int round = 0; round < ROUNDS; round++) {
        time_ours(ours, us_ours + round * PERIODS);
        time_rival(rival, us_rival + round * PERIODS);
    }
}

static void contest(struct font *font, const char *path, int shards, int parts, double goal)
{
    struct ours ours;
    struct rival rival;
    char name[64];
    ours_init(&ours, font, shards, 256, 0);
    rival_init(&rival, path, 256, 1);
    hold_ours(&ours, parts);
    hold_rival(&rival, parts);
    take_turns(&ours, &rival);
    snprintf(name, sizeof name, "%d shard%s, %d part%s", shards, shards > 1 ? "s" : "", parts,
             parts > 1 ? "s" : "");
    bench_row(&(struct bench_row){.name = name,
                                  .ours = bench_median(us_ours, ROUNDS * PERIODS),
                                  .rival = bench_median(us_rival, ROUNDS * PERIODS),
                                  .unit = "us",
                                  .decimals = 1,
                                  .kind = goal > 0 ? BENCH_RATIO_AT_MOST : BENCH_NO_GOAL,
                                  .goal = goal});
    rival_finish(&rival);
    ours_finish(&ours);
}

int main(void)
{
    bench_title("a period of 64 frames, 128 voices, 1 thread");
    const char *path = bench_font_path();
    struct font *font = contest_font(path);
    bench_be_realtime(CONTEST_PRIORITY);
    contest(font, path, 1, 1, 1.10);
    contest(font, path, 8, 1, 1.25);
    contest(font, path, 8, 16, 0);
    font_destroy(font);
    return 0;
}
