#define _GNU_SOURCE
#include "board/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK_BYTES = 256 * 1024, MARGIN_BYTES = 32 * 1024, PAGE_BYTES = 4096 };

struct start {
    void *(*run)(void *);
    void *data;
    char name[16];
};

/// Stack between here and its end, less some for the calls in between. What the C library keeps
/// on the stack, and how much of it, is its own affair.
static size_t free_stack_bytes(void)
{
    pthread_attr_t attributes;
    void *end;
    size_t bytes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return 0;
    pthread_attr_getstack(&attributes, &end, &bytes);
    pthread_attr_destroy(&attributes);
    bytes = (size_t)((char *)__builtin_frame_address(0) - (char *)end);
    return bytes > MARGIN_BYTES ? bytes - MARGIN_BYTES : 0;
}

/// Touches every page of the stack now, so that none is missing when time matters.
__attribute__((noinline)) static void prefault_stack(size_t bytes)
{
    volatile unsigned char *page = __builtin_alloca(bytes);
    for (size_t i = 0; i < bytes; i += PAGE_BYTES)
        page[i] = 0;
}

static void *begin(void *argument)
{
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    prefault_stack(free_stack_bytes());
    return start.run(start.data);
}

static void ask_for_priority(pthread_attr_t *attributes, int priority)
{
    struct sched_param parameter = {.sched_priority = priority};
    pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(attributes, priority > 0 ? SCHED_FIFO : SCHED_OTHER);
    pthread_attr_setschedparam(attributes, &parameter);
}

/// Creates with all signals blocked: they belong to the main thread.
static int create_quiet(pthread_t *thread, const pthread_attr_t *attributes, struct start *start)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, attributes, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static int create_at(pthread_t *thread, int priority, size_t stack_bytes, struct start *start)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return ENOMEM;
    ask_for_priority(&attributes, priority);
    int error = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (error == 0)
        error = create_quiet(thread, &attributes, start);
    pthread_attr_destroy(&attributes);
    return error;
}

int thread_create(pthread_t *thread, const struct thread_settings *settings, void *(*run)(void *),
                  void *data, bool *is_realtime)
{
    struct start *start = malloc(sizeof *start);
    if (!start)
        return -ENOMEM;
    *start = (struct start){run, data, ""};
    size_t stack_bytes = settings->stack_bytes ? settings->stack_bytes : STACK_BYTES;
    snprintf(start->name, sizeof start->name, "%s", settings->name);
    int priority = settings->priority;
    int error = create_at(thread, priority, stack_bytes, start);
    if (error == EPERM && priority > 0)
        error = create_at(thread, priority = 0, stack_bytes, start);
    if (error != 0)
        free(start);
    if (is_realtime)
        *is_realtime = error == 0 && priority > 0;
    return -error;
}

static void *do_nothing(void *data) { return data; }

bool thread_may_be_realtime(int priority)
{
    pthread_t thread = 0;
    bool is_realtime = false;
    struct thread_settings settings = {.name = "probe", .priority = priority};
    if (thread_create(&thread, &settings, do_nothing, NULL, &is_realtime) != 0)
        return false;
    pthread_join(thread, NULL);
    return is_realtime;
}

int thread_lock_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : -errno; }

int thread_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}
