#include "firmware/remote.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "board/thread.h"
#include "firmware/version.h"
#include "net/osc.h"

struct remote {
    struct control *control;
    struct registry *registry;
    const struct clock *clock;
    struct osc_server *server;
    pthread_t thread;
    atomic_bool is_ending;
};

static int get(void *context, unsigned index, struct param_value *value)
{
    struct remote *remote = context;
    store_get(remote->control->store, index, value);
    return 0;
}

static int set(void *context, unsigned index, const struct param_value *value, uint64_t frame)
{
    struct remote *remote = context;
    return control_set(remote->control, RING_NET, index, value, frame);
}

static uint64_t changed(void *context, unsigned index)
{
    struct remote *remote = context;
    return store_changed(remote->control->store, index);
}

static int play(void *context, const struct event *event)
{
    struct remote *remote = context;
    return control_play(remote->control, RING_NET, event);
}

static uint64_t frame_at(void *context, uint64_t monotonic_ns)
{
    struct remote *remote = context;
    return clock_frame_at(remote->clock, (int64_t)monotonic_ns);
}

static int open_source(void *context, const char *name)
{
    struct remote *remote = context;
    return registry_open(remote->registry, SOURCE_OSC, name);
}

static void close_source(void *context, int source)
{
    struct remote *remote = context;
    registry_close(remote->registry, source);
}

static void *serve(void *data)
{
    struct remote *remote = data;
    while (!atomic_load(&remote->is_ending)) {
        osc_server_run(remote->server, 100);
        control_report(remote->control, PARAM_OSC_CLIENTS, osc_server_subscribers(remote->server));
    }
    return NULL;
}

static int start(struct remote *remote)
{
    struct store *store = remote->control->store;
    struct osc_settings settings = {
        .access = (enum osc_access)store_number(store, PARAM_OSC_ACCESS),
        .port = (uint16_t)store_number(store, PARAM_OSC_PORT),
        .version = CONSORT_VERSION,
    };
    struct osc_host host = {.context = remote,
                            .get = get,
                            .set = set,
                            .changed = changed,
                            .play = play,
                            .frame_at = frame_at,
                            .open_source = open_source,
                            .close_source = close_source};
    remote->server = osc_server_create(&settings, &host);
    if (!remote->server)
        return -errno;
    struct thread_settings thread = {.name = "consort-net", .stack_bytes = 512 << 10};
    return thread_create(&remote->thread, &thread, serve, remote, NULL);
}

struct remote *remote_create(struct control *control, struct registry *registry,
                             const struct clock *clock)
{
    struct remote *remote = calloc(1, sizeof *remote);
    if (!remote)
        return NULL;
    remote->control = control;
    remote->registry = registry;
    remote->clock = clock;
    int status = start(remote);
    if (status) {
        osc_server_destroy(remote->server);
        free(remote);
        errno = -status;
        return NULL;
    }
    return remote;
}

void remote_destroy(struct remote *remote)
{
    if (!remote)
        return;
    atomic_store(&remote->is_ending, true);
    osc_server_wake(remote->server);
    pthread_join(remote->thread, NULL);
    osc_server_destroy(remote->server);
    free(remote);
}

void remote_wake(struct remote *remote) { osc_server_wake(remote->server); }

uint16_t remote_port(const struct remote *remote) { return osc_server_port(remote->server); }
