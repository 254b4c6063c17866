#include "board/recorder.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/clock.h"
#include "board/sound_file.h"
#include "board/thread.h"
#include "dsp/base/ring.h"

enum {
    BLOCK_FRAMES = 64,
    RING_BLOCKS = 4096, // 5.4 s at 48 kHz
    WAIT_NS = 50000000,
};

static const int64_t FLUSH_NS = 1000000000;

struct block {
    uint32_t session;
    uint32_t frames;
    uint32_t lost_frames; ///< that came before and found no room
    float samples[2 * BLOCK_FRAMES];
};

struct recorder {
    struct ring ring;
    _Atomic uint32_t session; ///< number of the recording, 0 for none
    uint32_t lost_frames;     ///< the audio thread's: lost since the last block that fitted
    pthread_t thread;
    // Of the disk thread alone.
    struct sound_file *file;
    uint32_t file_session;
    int64_t flushed_ns;
    // Shared, under the lock.
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct sound_file *next; ///< to be written from the blocks of its session on
    uint32_t sessions;       ///< begun so far, the number of `next`
    bool is_stopped;         ///< the open file has to be finished
    bool is_finished;        ///< the thread has to end
    struct recorder_state state;
};

RT static bool feed_block(struct recorder *recorder, uint32_t session, float *const out[2],
                          uint32_t from, uint32_t frames)
{
    struct block block = {
        .session = session, .frames = frames, .lost_frames = recorder->lost_frames};
    for (uint32_t i = 0; i < frames; i++) {
        block.samples[2 * i] = out[0][from + i];
        block.samples[2 * i + 1] = out[1][from + i];
    }
    return ring_push(&recorder->ring, &block);
}

RT void recorder_feed(struct recorder *recorder, float *const out[2], uint32_t frames)
{
    uint32_t session = atomic_load_explicit(&recorder->session, memory_order_acquire);
    if (session == 0) {
        recorder->lost_frames = 0;
        return;
    }
    for (uint32_t from = 0; from < frames; from += BLOCK_FRAMES) {
        uint32_t count = frames - from < BLOCK_FRAMES ? frames - from : BLOCK_FRAMES;
        if (feed_block(recorder, session, out, from, count))
            recorder->lost_frames = 0;
        else
            recorder->lost_frames += count;
    }
}

static int write_silence(struct sound_file *file, uint32_t frames)
{
    static const float silence[2 * BLOCK_FRAMES];
    int code = 0;
    while (frames > 0 && code == 0) {
        uint32_t count = frames < BLOCK_FRAMES ? frames : BLOCK_FRAMES;
        code = sound_file_write(file, silence, count);
        frames -= count;
    }
    return code;
}

static int write_block(struct recorder *recorder, const struct block *block)
{
    int code = write_silence(recorder->file, block->lost_frames);
    if (code == 0)
        code = sound_file_write(recorder->file, block->samples, block->frames);
    pthread_mutex_lock(&recorder->lock);
    recorder->state.lost_frames += block->lost_frames;
    recorder->state.frames = sound_file_frames(recorder->file);
    pthread_mutex_unlock(&recorder->lock);
    return code;
}

static int flush_now_and_then(struct recorder *recorder)
{
    int64_t now_ns = clock_now_ns();
    if (now_ns - recorder->flushed_ns < FLUSH_NS)
        return 0;
    recorder->flushed_ns = now_ns;
    return sound_file_flush(recorder->file);
}

static void close_file(struct recorder *recorder)
{
    sound_file_close(recorder->file);
    recorder->file = NULL;
}

/// The disk is full or the file too long: what is there is kept, and the reason.
static void give_up(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    snprintf(recorder->state.error, sizeof recorder->state.error, "%s",
             sound_file_error(recorder->file));
    if (!recorder->next) {
        atomic_store(&recorder->session, 0);
        recorder->state.is_open = false;
    }
    pthread_mutex_unlock(&recorder->lock);
    close_file(recorder);
}

/// Finishes the open file and goes on with the next one, if there is one.
static void turn_over(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    struct sound_file *next = recorder->next;
    recorder->next = NULL;
    if (next) {
        recorder->file_session = recorder->sessions;
        recorder->state.frames = recorder->state.lost_frames = 0;
    }
    pthread_mutex_unlock(&recorder->lock);
    if (!next)
        return;
    close_file(recorder);
    recorder->file = next;
    recorder->flushed_ns = clock_now_ns();
}

static void drain(struct recorder *recorder)
{
    struct block block;
    while (ring_pop(&recorder->ring, &block)) {
        if (block.session != recorder->file_session)
            turn_over(recorder);
        bool is_ours = recorder->file && block.session == recorder->file_session;
        if (is_ours && write_block(recorder, &block) != 0)
            give_up(recorder);
    }
    if (recorder->file && flush_now_and_then(recorder) != 0)
        give_up(recorder);
}

/// Waits for a command or for some blocks. Returns whether the open file has to be finished once
/// what is in the ring now has been written.
static bool wait_for_work(struct recorder *recorder, bool *is_finished)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&recorder->lock);
    if (!recorder->next && !recorder->is_stopped && !recorder->is_finished)
        pthread_cond_timedwait(&recorder->wake, &recorder->lock, &until);
    bool is_stopped = recorder->is_stopped;
    *is_finished = recorder->is_finished;
    pthread_mutex_unlock(&recorder->lock);
    return is_stopped;
}

/// Unless a new recording has begun in the meantime.
static void finish_file(struct recorder *recorder)
{
    pthread_mutex_lock(&recorder->lock);
    bool is_stopped = recorder->is_stopped;
    recorder->is_stopped = false;
    pthread_mutex_unlock(&recorder->lock);
    if (!is_stopped)
        return;
    close_file(recorder);
    pthread_mutex_lock(&recorder->lock);
    recorder->state.is_open = recorder->next != NULL;
    pthread_mutex_unlock(&recorder->lock);
}

static void *write_files(void *data)
{
    struct recorder *recorder = data;
    bool is_finished = false;
    while (!is_finished) {
        bool is_stopped = wait_for_work(recorder, &is_finished);
        drain(recorder);
        turn_over(recorder);
        if (is_stopped)
            finish_file(recorder);
    }
    close_file(recorder);
    return NULL;
}

static int init(struct recorder *recorder)
{
    int code = ring_init(&recorder->ring, RING_BLOCKS, sizeof(struct block));
    if (code != 0)
        return code;
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->wake, NULL);
    struct thread_settings settings = {.name = "recorder"};
    code = thread_create(&recorder->thread, &settings, write_files, recorder, NULL);
    if (code != 0)
        ring_finish(&recorder->ring);
    return code;
}

struct recorder *recorder_create(void)
{
    struct recorder *recorder = aligned_alloc(64, (sizeof *recorder + 63) / 64 * 64);
    if (!recorder)
        return NULL;
    memset(recorder, 0, sizeof *recorder);
    int code = init(recorder);
    if (code != 0) {
        free(recorder);
        errno = -code;
        return NULL;
    }
    return recorder;
}

void recorder_destroy(struct recorder *recorder)
{
    if (!recorder)
        return;
    atomic_store(&recorder->session, 0);
    pthread_mutex_lock(&recorder->lock);
    recorder->is_finished = true;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->lock);
    pthread_join(recorder->thread, NULL);
    pthread_cond_destroy(&recorder->wake);
    pthread_mutex_destroy(&recorder->lock);
    ring_finish(&recorder->ring);
    free(recorder);
}

int recorder_start(struct recorder *recorder, const char *path, int rate_hz, char *error,
                   size_t bytes)
{
    struct sound_file *file = sound_file_create(path, rate_hz, 2, SOUND_24_BIT, error, bytes);
    if (!file)
        return -errno;
    pthread_mutex_lock(&recorder->lock);
    struct sound_file *unused = recorder->next;
    recorder->next = file;
    recorder->is_stopped = false;
    recorder->state.is_open = true;
    recorder->state.error[0] = '\0';
    if (++recorder->sessions == 0)
        recorder->sessions = 1;
    atomic_store_explicit(&recorder->session, recorder->sessions, memory_order_release);
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->lock);
    sound_file_close(unused);
    return 0;
}

void recorder_stop(struct recorder *recorder)
{
    atomic_store(&recorder->session, 0);
    pthread_mutex_lock(&recorder->lock);
    recorder->is_stopped = true;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->lock);
}

void recorder_read_state(struct recorder *recorder, struct recorder_state *state)
{
    pthread_mutex_lock(&recorder->lock);
    *state = recorder->state;
    pthread_mutex_unlock(&recorder->lock);
}
