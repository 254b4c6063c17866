#include "dsp/base/crew.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { WORKERS_MAX = 15, SPINS = 2000 };

struct crew {
    /// Generation (32 bits), jobs (16) and next job (16) in one word: a claim succeeds only on the
    /// generation it has read, so a worker that overslept never takes a job of another run.
    _Alignas(64) _Atomic uint64_t ticket;
    _Alignas(64) _Atomic uint32_t done;
    _Alignas(64) _Atomic uint32_t sleepers;
    void (*job)(void *context, uint32_t index); ///< written only while no job is claimed
    void *job_context;
    sem_t wake;
    _Atomic bool is_ending;
    void (*warm_up)(void *context);
    void *warm_up_context;
    int workers;
    pthread_t threads[WORKERS_MAX];
};

RT static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t make_ticket(uint32_t generation, uint32_t count, uint32_t next)
{
    return (uint64_t)generation << 32 | count << 16 | next;
}

RT static bool claim(struct crew *crew, uint32_t *index)
{
    uint64_t ticket = atomic_load_explicit(&crew->ticket, memory_order_acquire);
    do {
        *index = ticket & 0xffff;
        if (*index >= (ticket >> 16 & 0xffff))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&crew->ticket, &ticket, ticket + 1,
                                                    memory_order_acq_rel, memory_order_acquire));
    return true;
}

RT static bool work(struct crew *crew)
{
    uint32_t index;
    bool has_worked = false;
    while (claim(crew, &index)) {
        crew->job(crew->job_context, index);
        atomic_fetch_add_explicit(&crew->done, 1, memory_order_release);
        has_worked = true;
    }
    return has_worked;
}

/// Sleeps until a run begins. The count of sleepers goes up before the last look at the ticket,
/// and the audio thread looks at it after it has published one: neither can miss the other.
static void sleep_until_called(struct crew *crew)
{
    atomic_fetch_add(&crew->sleepers, 1);
    uint64_t ticket = atomic_load(&crew->ticket);
    bool has_jobs = (ticket & 0xffff) < (ticket >> 16 & 0xffff);
    if (has_jobs || atomic_load(&crew->is_ending)) {
        atomic_fetch_sub(&crew->sleepers, 1);
        return;
    }
    while (sem_wait(&crew->wake) && errno == EINTR)
        continue;
    atomic_fetch_sub(&crew->sleepers, 1);
}

static void *worker(void *context)
{
    struct crew *crew = context;
    int idle_spins = 0;
    rt_flush_denormals();
    if (crew->warm_up)
        crew->warm_up(crew->warm_up_context);
    while (!atomic_load_explicit(&crew->is_ending, memory_order_relaxed)) {
        rt_set(true);
        bool has_worked = work(crew);
        rt_set(false);
        if (has_worked) {
            idle_spins = 0;
        } else if (idle_spins++ < SPINS) {
            relax(); // the next run of the same period often follows at once
        } else {
            sleep_until_called(crew);
            idle_spins = 0;
        }
    }
    return NULL;
}

static int start_worker(struct crew *crew, int priority)
{
    pthread_attr_t attributes;
    struct sched_param parameters = {.sched_priority = priority};
    pthread_attr_init(&attributes);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
    pthread_attr_setschedparam(&attributes, &parameters);
    pthread_t *thread = &crew->threads[crew->workers];
    int status = priority > 0 ? pthread_create(thread, &attributes, worker, crew) : EPERM;
    if (status == EPERM)
        status = pthread_create(thread, NULL, worker, crew);
    pthread_attr_destroy(&attributes);
    if (!status)
        crew->workers++;
    return status;
}

struct crew *crew_create(int workers, int priority, void (*warm_up)(void *context), void *context)
{
    struct crew *crew = NULL;
    int status = workers < 0 || workers > WORKERS_MAX ? EINVAL : 0;
    if (!status)
        status = posix_memalign((void **)&crew, 64, sizeof *crew);
    if (status) {
        errno = status;
        return NULL;
    }
    *crew = (struct crew){.warm_up = warm_up, .warm_up_context = context};
    sem_init(&crew->wake, 0, 0);
    for (int i = 0; i < workers && !status; i++)
        status = start_worker(crew, priority);
    if (status) {
        crew_destroy(crew);
        errno = status;
        return NULL;
    }
    return crew;
}

void crew_destroy(struct crew *crew)
{
    if (!crew)
        return;
    atomic_store(&crew->is_ending, true);
    for (int i = 0; i < crew->workers; i++)
        sem_post(&crew->wake);
    for (int i = 0; i < crew->workers; i++)
        pthread_join(crew->threads[i], NULL);
    sem_destroy(&crew->wake);
    free(crew);
}

RT void crew_run(struct crew *crew, void (*job)(void *context, uint32_t index), void *context,
                 uint32_t count)
{
    if (crew->workers == 0 || count < 2) {
        for (uint32_t i = 0; i < count; i++)
            job(context, i);
        return;
    }
    crew->job = job;
    crew->job_context = context;
    atomic_store_explicit(&crew->done, 0, memory_order_relaxed);
    uint32_t generation = (uint32_t)(atomic_load(&crew->ticket) >> 32) + 1;
    atomic_store(&crew->ticket, make_ticket(generation, count, 0));
    uint32_t sleepers = atomic_load(&crew->sleepers);
    for (uint32_t i = 0; i < sleepers && i + 1 < count; i++)
        sem_post(&crew->wake);
    work(crew);
    while (atomic_load_explicit(&crew->done, memory_order_acquire) < count)
        relax();
}
