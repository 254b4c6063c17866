// How far from its frame an event sounds, at every place within a block of 64 frames.
//
// The sound of the preset itself may begin with silence; a note struck on a border of a bare
// fluidsynth tells how long. What else a first sample is late, or early, is the error.
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/contest.h"

enum {
    PROBE_PART = 0,
    CROWD_PART = 1,
    ORGAN = 16,
    SOUND_OFF = 120,
    KEY = 69,
    BLOCK = 64,
    PATTERNS = 24,       ///< of held notes, among which the probes sound
    CROWD_NOTES = 32,    ///< of each pattern
    SETTLE_PERIODS = 40, ///< for mutes, and for what rang
    FIND_PERIODS = 20,   ///< in which the first sample must have come
};

struct error {
    double worst, sum;
    int count;
};

static void take(struct error *error, double frames)
{
    double size = fabs(frames);
    error->worst = size > error->worst ? size : error->worst;
    error->sum += size;
    error->count++;
}

static int first_sound(const float *left, const float *right, int frames)
{
    for (int i = 0; i < frames; i++)
        if (left[i] != 0.0f || right[i] != 0.0f)
            return i;
    return -1;
}

// ---- fluidsynth ----

/// Frames from the call, `offset` frames into a block, to the first sound.
static int probe_rival(struct rival *rival, uint32_t offset)
{
    int found = -1, waited = 0;
    fluid_synth_all_sounds_off(rival->synth, -1);
    for (int i = 0; i < SETTLE_PERIODS; i++)
        rival_run(rival, BLOCK);
    if (offset)
        rival_run(rival, offset);
    fluid_synth_noteon(rival->synth, PROBE_PART, KEY, 100);
    uint32_t frames = BLOCK - offset;
    for (int i = 0; i < FIND_PERIODS && found < 0; i++) {
        rival_run(rival, frames);
        found = first_sound(rival->left, rival->right, (int)frames);
        waited += found < 0 ? (int)frames : found;
        frames = BLOCK;
    }
    if (frames != BLOCK)
        rival_run(rival, offset);
    return waited;
}

static struct error measure_rival(const char *font, int *attack_frames)
{
    struct rival rival;
    struct error error = {0};
    rival_init(&rival, font, 256, 1);
    fluid_synth_program_change(rival.synth, PROBE_PART, ORGAN);
    *attack_frames = probe_rival(&rival, 0);
    for (uint32_t offset = 0; offset < BLOCK; offset++)
        take(&error, probe_rival(&rival, offset) - *attack_frames);
    rival_finish(&rival);
    return error;
}

// ---- ours ----

static void settle(struct ours *ours)
{
    for (int i = 0; i < SETTLE_PERIODS; i++)
        ours_run(ours);
}

static void all_off(struct ours *ours, int part)
{
    ours_control(ours, part, SOUND_OFF, 0);
    settle(ours);
}

static int probe_ours(struct ours *ours, uint32_t offset)
{
    int found = -1, waited = -(int)offset;
    ours_note(ours, ours->frame + offset, PROBE_PART, KEY, 100);
    for (int i = 0; i < FIND_PERIODS && found < 0; i++) {
        ours_run(ours);
        found = first_sound(ours->left, ours->right, CONTEST_PERIOD);
        waited += found < 0 ? CONTEST_PERIOD : found;
    }
    ours_note(ours, EVENT_NOW, PROBE_PART, KEY, 0);
    all_off(ours, PROBE_PART);
    return waited - (int)engine_latency_frames(ours->engine);
}

static void probe_all(struct ours *ours, int attack_frames, struct error *error)
{
    for (uint32_t offset = 0; offset < BLOCK; offset++)
        take(error, probe_ours(ours, offset) - attack_frames);
}

/// Holds notes that begin at random frames; their part is muted, so that a probe is heard alone.
static void hold_crowd(struct ours *ours)
{
    all_off(ours, CROWD_PART);
    for (int i = 0; i < CROWD_NOTES; i++) {
        ours_note(ours, ours->frame + (uint64_t)(rand() % BLOCK), CROWD_PART, 36 + i, 100);
        ours_run(ours);
    }
    settle(ours);
}

static void measure_ours(struct font *font, int attack_frames, struct error *idle,
                         struct error *crowded)
{
    struct ours ours;
    struct event mute = {.type = EVENT_PARAM};
    ours_init(&ours, font, 8, 256, 0);
    mute.param.index = PARAM_CH_MUTE + CROWD_PART;
    mute.param.value = 1.0f;
    ours_push(&ours, &mute);
    ours_program(&ours, PROBE_PART, ORGAN);
    ours_program(&ours, CROWD_PART, ORGAN);
    settle(&ours);
    probe_all(&ours, attack_frames, idle);
    srand(1);
    for (int i = 0; i < PATTERNS; i++) {
        hold_crowd(&ours);
        probe_all(&ours, attack_frames, crowded);
    }
    ours_finish(&ours);
}

int main(void)
{
    bench_title("onset error, event at frame 0..63 of a block");
    const char *path = bench_font_path();
    struct font *font = contest_font(path);
    struct error idle = {0}, crowded = {0};
    int attack_frames;
    struct error rival = measure_rival(path, &attack_frames);
    measure_ours(font, attack_frames, &idle, &crowded);
    bench_row(&(struct bench_row){.name = "worst, nothing else sounds",
                                  .ours = idle.worst,
                                  .rival = rival.worst,
                                  .unit = "frames",
                                  .kind = BENCH_OURS_AT_MOST});
    bench_row(&(struct bench_row){.name = "worst, notes sound in all 8 shards",
                                  .ours = crowded.worst,
                                  .rival = rival.worst,
                                  .unit = "frames",
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 8});
    bench_row(&(struct bench_row){.name = "mean, notes sound in all 8 shards",
                                  .ours = crowded.sum / crowded.count,
                                  .rival = rival.sum / rival.count,
                                  .unit = "frames",
                                  .decimals = 1});
    font_destroy(font);
    return 0;
}
