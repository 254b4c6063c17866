#include "dsp/effects/convolver.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/fft.h"

struct convolver {
    struct schedule schedule;
    uint32_t frames_max;
    struct tail *tail;
    const struct mac *mac;
    uint32_t block_frames; ///< of the first level, and of the head
    struct level_fade fade;
    struct level *levels;
    int level_count;
    float *memory;

    // The audio thread's.
    uint32_t at; ///< place in the head's block
    bool has_run;
    float *recent[2];              ///< the last block of input, then this one
    float *wet[2], *fading[2];     ///< of this block, and of the response that fades out
    uint64_t fade_at;              ///< frames since the head began to fade
    struct response *now, *before; ///< heard or fading in; fading out
    bool is_switching;

    // Handed over.
    _Atomic(struct response *) wanted;  ///< `nothing` when none is
    _Atomic(struct response *) retired; ///< `nothing` when none is
    _Atomic bool is_busy;               ///< a response fades in
};

/// Stands for "no response was handed over", for NULL is one: silence.
static struct response nothing;

// ---- life ----

static bool is_valid(const struct convolver_settings *settings)
{
    return schedule_is_valid(&settings->schedule, settings->frames_max) &&
           settings->fade_frames <= CONVOLVER_FADE_MAX &&
           settings->rate_hz >= IMPULSE_RATE_MIN_HZ && settings->rate_hz <= IMPULSE_RATE_MAX_HZ;
}

static int allocate(struct convolver *convolver, uint32_t fade_frames)
{
    const size_t block = convolver->block_frames, group = MAC_GROUP;
    const size_t recent = 2 * block + group, wet = block + group;
    size_t fade_room = (fade_frames + group) / group * group;
    convolver->memory = fft_alloc(2 * (recent + 2 * wet) + fade_room);
    if (!convolver->memory)
        return -ENOMEM;
    float *at = convolver->memory;
    for (int c = 0; c < 2; c++, at += recent + 2 * wet) {
        convolver->recent[c] = at;
        convolver->wet[c] = at + recent;
        convolver->fading[c] = at + recent + wet;
    }
    for (uint32_t i = 0; i <= fade_frames; i++)
        at[i] = fade_frames ? (float)sin(M_PI_2 * i / fade_frames) : 1.0f;
    convolver->fade = (struct level_fade){.gain = at, .frames = fade_frames};
    convolver->fade_at = fade_frames; // nothing fades
    return 0;
}

/// Levels that no response of the longest length reaches are left out.
static int count_levels(const struct schedule *schedule, uint32_t frames)
{
    int count = 1;
    while (count < schedule->levels && schedule_parts(schedule, count, frames))
        count++;
    return count;
}

static int64_t slack_ns(const struct level *level, uint32_t rate_hz)
{
    return (int64_t)(level->offset_frames - level->block_frames) * 1000000000 / rate_hz;
}

static int start_levels(struct convolver *convolver, uint32_t rate_hz)
{
    void *levels;
    size_t bytes = (size_t)convolver->level_count * sizeof *convolver->levels;
    int status = -posix_memalign(&levels, _Alignof(struct level), bytes);
    if (status)
        return status;
    convolver->levels = memset(levels, 0, bytes);
    for (int i = 0; i < convolver->level_count && !status; i++)
        status = level_init(&convolver->levels[i], &convolver->schedule, i, convolver->frames_max,
                            convolver->fade);
    for (int i = 1; i < convolver->level_count && !status && convolver->tail; i++)
        status = tail_join(convolver->tail, &convolver->levels[i],
                           slack_ns(&convolver->levels[i], rate_hz));
    return status;
}

struct convolver *convolver_create(const struct convolver_settings *settings)
{
    struct convolver *convolver = is_valid(settings) ? calloc(1, sizeof *convolver) : NULL;
    if (!convolver) {
        errno = is_valid(settings) ? ENOMEM : EINVAL;
        return NULL;
    }
    convolver->schedule = settings->schedule;
    convolver->frames_max = settings->frames_max;
    convolver->tail = settings->tail;
    convolver->mac = mac_best();
    convolver->block_frames = settings->schedule.level[0].block_frames;
    convolver->level_count = count_levels(&settings->schedule, settings->frames_max);
    atomic_init(&convolver->wanted, &nothing);
    atomic_init(&convolver->retired, &nothing);
    int status = allocate(convolver, settings->fade_frames);
    if (!status)
        status = start_levels(convolver, settings->rate_hz);
    if (status) {
        convolver_destroy(convolver);
        errno = -status;
        return NULL;
    }
    return convolver;
}

static void drop(struct response *response)
{
    if (response != &nothing)
        response_drop(response);
}

void convolver_destroy(struct convolver *convolver)
{
    if (!convolver)
        return;
    for (int i = 0; convolver->levels && i < convolver->level_count; i++) {
        if (convolver->tail)
            tail_leave(convolver->tail, &convolver->levels[i]);
        level_finish(&convolver->levels[i]);
    }
    drop(convolver->now);
    drop(convolver->before);
    drop(atomic_load(&convolver->wanted));
    drop(atomic_load(&convolver->retired));
    free(convolver->levels);
    free(convolver->memory);
    free(convolver);
}

// ---- change of response: the other side ----

int convolver_set(struct convolver *convolver, struct response *response)
{
    if (response &&
        (memcmp(&response->schedule, &convolver->schedule, sizeof convolver->schedule) ||
         response->frames > convolver->frames_max))
        return -EINVAL;
    convolver_collect(convolver);
    drop(atomic_exchange(&convolver->wanted, response_hold(response)));
    return 0;
}

bool convolver_collect(struct convolver *convolver)
{
    drop(atomic_exchange(&convolver->retired, &nothing));
    return atomic_load(&convolver->is_busy) || atomic_load(&convolver->wanted) != &nothing;
}

// ---- change of response: the audio thread ----

RT static void begin_switch(struct convolver *convolver)
{
    if (atomic_load_explicit(&convolver->wanted, memory_order_relaxed) == &nothing ||
        atomic_load_explicit(&convolver->retired, memory_order_acquire) != &nothing)
        return;
    atomic_store(&convolver->is_busy, true);
    struct response *wanted = atomic_exchange(&convolver->wanted, &nothing);
    convolver->before = convolver->now;
    convolver->now = wanted;
    convolver->fade_at = convolver->has_run ? 0 : convolver->fade.frames;
    convolver->is_switching = true;
    for (int i = 0; i < convolver->level_count; i++)
        level_switch(&convolver->levels[i], wanted);
}

RT static void end_switch(struct convolver *convolver)
{
    if (convolver->fade_at < convolver->fade.frames)
        return;
    for (int i = 0; i < convolver->level_count; i++)
        if (!level_is_settled(&convolver->levels[i]))
            return;
    if (convolver->before)
        atomic_store_explicit(&convolver->retired, convolver->before, memory_order_release);
    convolver->before = NULL;
    convolver->is_switching = false;
    atomic_store(&convolver->is_busy, false);
}

// ---- sound ----

/// The head: sample by sample, for the `frames` at `convolver->at`.
RT static void run_head(struct convolver *convolver, const struct response *response,
                        float *const out[2], uint32_t frames)
{
    const uint32_t taps = convolver->block_frames;
    for (int o = 0; o < 2; o++) {
        memset(out[o], 0, (frames + MAC_GROUP) * sizeof(float));
        for (int i = 0; response && i < 2; i++) {
            int path = response_path(response->kind, i, o);
            if (path >= 0)
                convolver->mac->fir(out[o], convolver->recent[i] + taps + convolver->at,
                                    response->head[path], taps, frames);
        }
    }
}

RT static void fade_head(struct convolver *convolver, uint32_t frames)
{
    const uint64_t end = convolver->fade.frames;
    run_head(convolver, convolver->before, convolver->fading, frames);
    for (uint32_t i = 0; i < frames; i++) {
        uint64_t at = convolver->fade_at + i < end ? convolver->fade_at + i : end;
        for (int c = 0; c < 2; c++)
            convolver->wet[c][i] = convolver->fade.gain[at] * convolver->wet[c][i] +
                                   convolver->fade.gain[end - at] * convolver->fading[c][i];
    }
    convolver->fade_at += frames;
}

/// Whether a level's result would be needed again within the call that submits its block. Then no
/// worker can be in time, and it is computed here and now.
RT static bool is_urgent(const struct convolver *convolver, const struct level *level,
                         uint32_t call_frames)
{
    return !convolver->tail || level->index == 0 ||
           level->offset_frames - level->block_frames < call_frames;
}

/// Returns whether a worker is needed.
RT static bool write_levels(struct convolver *convolver, const float *const in[2], uint32_t frames,
                            uint32_t call_frames)
{
    bool needs_worker = false;
    for (int i = 0; i < convolver->level_count; i++) {
        struct level *level = &convolver->levels[i];
        if (!level_write(level, in, frames))
            continue;
        if (!is_urgent(convolver, level, call_frames) || !level_claim(level)) {
            needs_worker = true;
            continue;
        }
        while (level_work(level))
            continue;
        level_release(level);
    }
    return needs_worker;
}

/// A stretch that ends with or before the head's block. Returns whether a worker is needed.
RT static bool run_stretch(struct convolver *convolver, const float *const in[2],
                           float *const out[2], uint32_t frames, uint32_t call_frames)
{
    const uint32_t block = convolver->block_frames;
    if (convolver->at == 0 && !convolver->is_switching)
        begin_switch(convolver);
    convolver->has_run = true;
    const float *fresh[2];
    for (int c = 0; c < 2; c++) {
        float *to = convolver->recent[c] + block + convolver->at;
        fresh[c] = memcpy(to, in[c], frames * sizeof(float));
    }
    run_head(convolver, convolver->now, convolver->wet, frames);
    if (convolver->fade_at < convolver->fade.frames)
        fade_head(convolver, frames);
    for (int i = 0; i < convolver->level_count; i++)
        level_add(&convolver->levels[i], convolver->wet, frames);
    for (int c = 0; c < 2; c++)
        memcpy(out[c], convolver->wet[c], frames * sizeof(float));
    bool needs_worker = write_levels(convolver, fresh, frames, call_frames);
    convolver->at += frames;
    if (convolver->at == block) {
        convolver->at = 0;
        for (int c = 0; c < 2; c++)
            memcpy(convolver->recent[c], convolver->recent[c] + block, block * sizeof(float));
    }
    return needs_worker;
}

RT void convolver_run(struct convolver *convolver, const float *const in[2], float *const out[2],
                      uint32_t frames)
{
    bool needs_worker = false;
    for (uint32_t done = 0; done < frames;) {
        uint32_t left = convolver->block_frames - convolver->at;
        uint32_t stretch = frames - done < left ? frames - done : left;
        const float *const from[2] = {in[0] + done, in[1] + done};
        float *const to[2] = {out[0] + done, out[1] + done};
        needs_worker |= run_stretch(convolver, from, to, stretch, frames);
        done += stretch;
    }
    if (convolver->is_switching)
        end_switch(convolver);
    if (needs_worker)
        tail_wake(convolver->tail);
}

uint32_t convolver_late_blocks(const struct convolver *convolver)
{
    uint32_t late = 0;
    for (int i = 0; i < convolver->level_count; i++)
        late += atomic_load_explicit(&convolver->levels[i].late, memory_order_relaxed);
    return late;
}
