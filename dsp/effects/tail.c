#include "dsp/effects/tail.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WORKERS_MAX = 15,
    NAP_MIN_NS = 500000,
    NAP_MAX_NS = 12000000,
    NAPS_PER_SLACK = 2,
    IDLE_NAPS = 50,           ///< in vain, until the watch ends
    LONG_BLOCK_FRAMES = 4096, ///< somebody else should watch meanwhile
};

struct tail {
    pthread_mutex_t mutex; ///< of the list of levels; the audio thread never takes it
    struct level **levels; ///< the shortest blocks first
    size_t count, room;
    _Atomic int64_t nap_ns;
    sem_t wake;
    _Atomic int sleepers;
    _Atomic bool is_watched; ///< a worker naps, or works briefly and will look again
    _Atomic bool is_ending;
    int workers;
    pthread_t threads[WORKERS_MAX];
};

// ---- work ----

/// The most urgent level that waits, claimed; NULL when there is none. `is_more` tells whether
/// another waits.
static struct level *claim_next(struct tail *tail, bool *is_more)
{
    struct level *claimed = NULL;
    *is_more = false;
    pthread_mutex_lock(&tail->mutex);
    for (size_t i = 0; i < tail->count && !*is_more; i++) {
        struct level *level = tail->levels[i];
        if (!level_has_work(level))
            continue;
        if (claimed)
            *is_more = !atomic_load_explicit(&level->is_claimed, memory_order_relaxed);
        else if (level_claim(level))
            claimed = level;
    }
    pthread_mutex_unlock(&tail->mutex);
    return claimed;
}

static void work(struct level *level)
{
    bool was_realtime = rt_is_set();
    rt_set(true);
    level_work(level);
    rt_set(was_realtime);
    level_release(level);
}

bool tail_work(struct tail *tail)
{
    bool is_more;
    struct level *level = claim_next(tail, &is_more);
    if (level)
        work(level);
    return level != NULL;
}

// ---- watch and sleep ----

static bool take_watch(struct tail *tail) { return !atomic_exchange(&tail->is_watched, true); }

static void resign(struct tail *tail) { atomic_store(&tail->is_watched, false); }

static void nap(struct tail *tail)
{
    struct timespec time = {.tv_nsec = atomic_load(&tail->nap_ns)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static bool has_work(struct tail *tail)
{
    bool has = false;
    pthread_mutex_lock(&tail->mutex);
    for (size_t i = 0; i < tail->count && !has; i++)
        has = level_has_work(tail->levels[i]) && !atomic_load(&tail->levels[i]->is_claimed);
    pthread_mutex_unlock(&tail->mutex);
    return has;
}

/// The count of sleepers goes up, and the watch has ended, before the last look at the levels; the
/// audio thread looks at both after it has submitted. Neither can miss the other.
static void sleep_until_woken(struct tail *tail)
{
    atomic_fetch_add(&tail->sleepers, 1);
    if ((atomic_load(&tail->is_watched) || !has_work(tail)) && !atomic_load(&tail->is_ending))
        while (sem_wait(&tail->wake) && errno == EINTR)
            continue;
    atomic_fetch_sub(&tail->sleepers, 1);
}

/// Wakes somebody to watch in the place of the caller, if anybody sleeps.
static bool hand_over(struct tail *tail)
{
    if (atomic_load(&tail->sleepers) == 0)
        return false;
    resign(tail);
    sem_post(&tail->wake);
    return true;
}

static void *worker(void *context)
{
    struct tail *tail = context;
    bool watches = false, is_more;
    int naps = 0;
    rt_flush_denormals();
    while (!atomic_load(&tail->is_ending)) {
        struct level *level = claim_next(tail, &is_more);
        if (level) {
            if (watches && (is_more || level->block_frames >= LONG_BLOCK_FRAMES))
                watches = !hand_over(tail);
            work(level);
            naps = 0;
            continue;
        }
        watches = watches || take_watch(tail);
        if (watches && naps++ < IDLE_NAPS) {
            nap(tail);
            continue;
        }
        if (watches)
            resign(tail);
        watches = false;
        naps = 0;
        sleep_until_woken(tail);
    }
    return NULL;
}

RT void tail_wake(struct tail *tail)
{
    if (!atomic_load(&tail->is_watched) && atomic_load(&tail->sleepers) > 0)
        sem_post(&tail->wake);
}

// ---- levels ----

/// A nap must fit several times into the least slack of all.
static void shorten_naps(struct tail *tail, int64_t slack_ns)
{
    int64_t nap_ns = slack_ns / NAPS_PER_SLACK;
    nap_ns = nap_ns < NAP_MIN_NS ? NAP_MIN_NS : nap_ns;
    if (nap_ns < atomic_load(&tail->nap_ns))
        atomic_store(&tail->nap_ns, nap_ns);
}

static int make_room(struct tail *tail)
{
    if (tail->count < tail->room)
        return 0;
    size_t room = tail->room ? 2 * tail->room : 16;
    void *more = realloc(tail->levels, room * sizeof *tail->levels);
    if (!more)
        return -ENOMEM;
    tail->levels = more;
    tail->room = room;
    return 0;
}

int tail_join(struct tail *tail, struct level *level, int64_t slack_ns)
{
    shorten_naps(tail, slack_ns);
    pthread_mutex_lock(&tail->mutex);
    int status = make_room(tail);
    if (!status) {
        size_t at = tail->count++;
        for (; at > 0 && tail->levels[at - 1]->block_frames > level->block_frames; at--)
            tail->levels[at] = tail->levels[at - 1];
        tail->levels[at] = level;
    }
    pthread_mutex_unlock(&tail->mutex);
    return status;
}

void tail_leave(struct tail *tail, struct level *level)
{
    pthread_mutex_lock(&tail->mutex);
    for (size_t i = 0; i < tail->count; i++)
        if (tail->levels[i] == level) {
            tail->count--;
            memmove(&tail->levels[i], &tail->levels[i + 1],
                    (tail->count - i) * sizeof *tail->levels);
            break;
        }
    pthread_mutex_unlock(&tail->mutex);
    // A claim is taken only from the list; this waits for one that was.
    while (!level_claim(level))
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    level_release(level);
}

// ---- life ----

static int start_worker(struct tail *tail, int priority)
{
    pthread_attr_t attributes;
    struct sched_param parameters = {.sched_priority = priority};
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &parameters);
    pthread_t *thread = &tail->threads[tail->workers];
    int status = priority > 0 ? pthread_create(thread, &attributes, worker, tail) : EPERM;
    if (status == EPERM)
        status = pthread_create(thread, NULL, worker, tail);
    pthread_attr_destroy(&attributes);
    if (!status)
        tail->workers++;
    return status;
}

/// A worker must not wait for an ordinary thread that holds the mutex and is not let run.
static void init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct tail *tail_create(int workers, int priority)
{
    int status = workers < 0 || workers > WORKERS_MAX ? EINVAL : 0;
    struct tail *tail = status ? NULL : calloc(1, sizeof *tail);
    if (!tail) {
        errno = status ? status : ENOMEM;
        return NULL;
    }
    atomic_init(&tail->nap_ns, NAP_MAX_NS);
    init_mutex(&tail->mutex);
    sem_init(&tail->wake, 0, 0);
    for (int i = 0; i < workers && !status; i++)
        status = start_worker(tail, priority);
    if (status) {
        tail_destroy(tail);
        errno = status;
        return NULL;
    }
    return tail;
}

void tail_destroy(struct tail *tail)
{
    if (!tail)
        return;
    atomic_store(&tail->is_ending, true);
    for (int i = 0; i < tail->workers; i++)
        sem_post(&tail->wake);
    for (int i = 0; i < tail->workers; i++)
        pthread_join(tail->threads[i], NULL);
    sem_destroy(&tail->wake);
    pthread_mutex_destroy(&tail->mutex);
    free(tail->levels);
    free(tail);
}
