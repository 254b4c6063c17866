#include "board/probe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "board/thread.h"

struct probe {
    bool (*is_running)(const char *server);
    char server[256];
    _Atomic int result;
    atomic_int owners; ///< the asker and the thread: the last one frees
};

static void drop(struct probe *probe)
{
    if (atomic_fetch_sub(&probe->owners, 1) == 1)
        free(probe);
}

static void *ask(void *data)
{
    struct probe *probe = data;
    atomic_store(&probe->result, probe->is_running(probe->server) ? PROBE_YES : PROBE_NO);
    drop(probe);
    return NULL;
}

struct probe *probe_create(const char *server, bool (*is_running)(const char *server))
{
    struct probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return NULL;
    probe->is_running = is_running;
    snprintf(probe->server, sizeof probe->server, "%s", server);
    atomic_init(&probe->result, PROBE_PENDING);
    atomic_init(&probe->owners, 2);
    pthread_t thread;
    struct thread_settings settings = {.name = "probe"};
    int code = thread_create(&thread, &settings, ask, probe, NULL);
    if (code != 0) {
        free(probe);
        errno = -code;
        return NULL;
    }
    pthread_detach(thread);
    return probe;
}

enum probe_result probe_result(const struct probe *probe)
{
    return (enum probe_result)atomic_load(&probe->result);
}

void probe_destroy(struct probe *probe)
{
    if (probe)
        drop(probe);
}
