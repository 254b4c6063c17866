// How many voices sound at a 64-frame period on two cores before a period is missed.
//
// The rule: voices are added in steps; each step runs in real time, one period begun every
// 1.333 ms. Full is who, in the best of three tries, needs more than that for one period in a
// hundred. What is printed is the last step that was not full. All pedals are down, so that a key
// struck again adds to the voices.
#include <stdio.h>
#include <time.h>

#include "tests/bench/bench.h"
#include "tests/bench/contest.h"

enum {
    ORGAN = 16,
    SUSTAIN = 64,
    PARTS_PLAYED = 16,
    LOWEST_KEY = 24,
    KEYS_PLAYED = 84,
    NOTES_MAX = 4000,
    PERIODS = 300,
    TRIES = 3,
};

static const double period_ns = 1e9 * CONTEST_PERIOD / CONTEST_RATE_HZ;

/// One that takes part.
struct player {
    void (*note)(void *synth, int part, int key);
    void (*run)(void *synth);
    int (*voices)(void *synth);
    void *synth;
    int notes;
    int most_voices;
    double load; ///< share of the period that was needed last
    bool is_full;
};

static void ours_strike(void *synth, int part, int key)
{
    struct ours *ours = synth;
    uint64_t place = (uint64_t)(part + key) % 8 * 8; // every shard gets its share
    ours_note(ours, ours->frame + place, part, key, 100);
}

static void ours_prepare(void *synth)
{
    for (int part = 0; part < PARTS_PLAYED; part++) {
        ours_program(synth, part, ORGAN);
        ours_control(synth, part, SUSTAIN, 127);
    }
}

static void ours_period(void *synth) { ours_run(synth); }

static int ours_count(void *synth) { return (int)ours_voices(synth); }

static void rival_strike(void *synth, int part, int key)
{
    fluid_synth_noteon(((struct rival *)synth)->synth, part, key, 100);
}

static void rival_prepare(void *synth)
{
    for (int part = 0; part < PARTS_PLAYED; part++) {
        fluid_synth_program_change(((struct rival *)synth)->synth, part, ORGAN);
        fluid_synth_cc(((struct rival *)synth)->synth, part, SUSTAIN, 127);
    }
}

static void rival_period(void *synth) { rival_run(synth, CONTEST_PERIOD); }

static int rival_count(void *synth)
{
    return fluid_synth_get_active_voice_count(((struct rival *)synth)->synth);
}

static void sleep_until(int64_t ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL))
        continue;
}

/// The 99th percentile of the time that a period takes, in nanoseconds.
static double measure(struct player *player)
{
    double needed_ns[PERIODS];
    int64_t next = bench_now_ns();
    for (int i = 0; i < PERIODS; i++) {
        sleep_until(next);
        int64_t start = bench_now_ns();
        player->run(player->synth);
        int64_t end = bench_now_ns();
        needed_ns[i] = (double)(end - start);
        next = (double)(end - next) > period_ns ? end : next + (int64_t)period_ns;
    }
    return bench_quantile(needed_ns, PERIODS, 0.99);
}

static void add_notes(struct player *player, int notes)
{
    for (; player->notes < notes && player->notes < NOTES_MAX; player->notes++) {
        player->note(player->synth, player->notes % PARTS_PLAYED,
                     LOWEST_KEY + player->notes / PARTS_PLAYED % KEYS_PLAYED);
        player->run(player->synth);
    }
    for (int i = 0; i < 20; i++)
        player->run(player->synth);
}

/// One step up, a long one as long as there is plenty of room.
static void climb(struct player *player)
{
    double needed_ns = INFINITY;
    double stride = player->load < 0.6 ? 1.3 : 1.03;
    add_notes(player, player->notes ? (int)(player->notes * stride) + 1 : 100);
    for (int i = 0; i < TRIES && needed_ns > period_ns; i++)
        needed_ns = fmin(needed_ns, measure(player));
    player->load = needed_ns / period_ns;
    player->is_full = player->load > 1 || player->notes == NOTES_MAX;
    if (player->load <= 1)
        player->most_voices = player->voices(player->synth);
}

static void play(struct player *players, int count)
{
    for (bool is_going_on = true; is_going_on;) {
        is_going_on = false;
        for (int i = 0; i < count; i++) {
            if (!players[i].is_full)
                climb(&players[i]);
            is_going_on |= !players[i].is_full;
        }
    }
}

static void print(const char *name, const struct player *ours, const struct player *rival,
                  double goal)
{
    bench_row(&(struct bench_row){.name = name,
                                  .ours = ours->most_voices,
                                  .rival = rival->most_voices,
                                  .unit = "voices",
                                  .kind = BENCH_RATIO_AT_LEAST,
                                  .goal = goal});
}

int main(void)
{
    static struct ours ours;
    static struct rival one, two;
    bool is_realtime = bench_be_realtime(CONTEST_PRIORITY + 5);
    bench_title("polyphony at 64 frames a period");
    const char *path = bench_font_path();
    struct font *font = contest_font(path);
    ours_init(&ours, font, 8, 2048, 1);
    rival_init(&one, path, 8192, 1);
    rival_init(&two, path, 8192, 2);
    ours_prepare(&ours);
    rival_prepare(&one);
    rival_prepare(&two);
    struct player players[] = {
        {.note = ours_strike, .run = ours_period, .voices = ours_count, .synth = &ours},
        {.note = rival_strike, .run = rival_period, .voices = rival_count, .synth = &one},
        {.note = rival_strike, .run = rival_period, .voices = rival_count, .synth = &two}};
    play(players, 3);
    print("2 cores, against one fluid_synth_t", &players[0], &players[1], 1.7);
    print("2 cores, against synth.cpu-cores=2", &players[0], &players[2], 1.3);
    bench_note(is_realtime ? "all threads at SCHED_FIFO"
                           : "ordinary threads: SCHED_FIFO is not permitted");
    bench_note("most voices of which 99 periods in 100 take less than 1.333 ms");
    ours_finish(&ours);
    rival_finish(&one);
    rival_finish(&two);
    font_destroy(font);
    return 0;
}
