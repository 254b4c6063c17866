#include "dsp/gpu/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dsp/gpu/client_inside.h"

// ---- Making one ----

static int open_files(struct gpu_client *client, uint32_t cells, size_t cell_bytes)
{
    client->files = (struct gpu_client_files){-1, -1, -1};
    int code = gpu_area_create(&client->area, cells, cell_bytes, &client->files.memory);
    if (code != 0) {
        client->files.memory = -1;
        return code;
    }
    client->files.work = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    client->files.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return client->files.work < 0 || client->files.done < 0 ? -errno : 0;
}

static void init_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct gpu_client *gpu_client_create(uint32_t cells, size_t cell_bytes)
{
    struct gpu_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    init_mutex(&client->mutex);
    client->random = (uint64_t)(uintptr_t)client;
    int code = open_files(client, cells, cell_bytes);
    if (code == 0)
        return client;
    gpu_client_destroy(client);
    errno = -code;
    return NULL;
}

static void close_file(int file)
{
    if (file >= 0)
        close(file);
}

void gpu_client_destroy(struct gpu_client *client)
{
    if (!client)
        return;
    gpu_area_finish(&client->area);
    close_file(client->files.memory);
    close_file(client->files.work);
    close_file(client->files.done);
    pthread_mutex_destroy(&client->mutex);
    free(client);
}

// ---- The process ----

struct gpu_client_files gpu_client_files(const struct gpu_client *client) { return client->files; }

static void part(struct gpu_client *client)
{
    client->is_live = false;
    client->process++;
    // A block that came back whole may still be collected.
    client_forget_flights(client);
    client_forget_banks(client);
}

void gpu_client_reset(struct gpu_client *client)
{
    eventfd_t count;
    client_lock(client);
    part(client);
    client->is_broken = false;
    gpu_area_reset(&client->area);
    eventfd_read(client->files.work, &count);
    eventfd_read(client->files.done, &count);
    client_unlock(client);
}

void gpu_client_begin(struct gpu_client *client)
{
    client_lock(client);
    client->is_live = !client->is_broken;
    client_unlock(client);
    client_advance_banks(client);
}

void gpu_client_end(struct gpu_client *client)
{
    client_lock(client);
    client_hear(client);
    part(client);
    client_unlock(client);
}

bool gpu_client_service(struct gpu_client *client)
{
    client_lock(client);
    client_hear(client);
    client_unlock(client);
    return client_advance_banks(client);
}

bool gpu_client_is_broken(const struct gpu_client *client) { return client->is_broken; }

enum gpu_phase gpu_client_phase(const struct gpu_client *client)
{
    return (enum gpu_phase)atomic_load_explicit(&client->area.head->phase.value,
                                                memory_order_acquire);
}

uint32_t gpu_client_beat(const struct gpu_client *client)
{
    return atomic_load_explicit(&client->area.head->beat.value, memory_order_relaxed);
}

void gpu_client_read_report(struct gpu_client *client, struct gpu_report *report)
{
    gpu_area_read_report(&client->area, report);
}

void gpu_client_set_mode(struct gpu_client *client, enum gpu_mode mode) { client->mode = mode; }

RT enum gpu_mode gpu_client_mode(const struct gpu_client *client)
{
    return (enum gpu_mode)atomic_load_explicit(&client->mode, memory_order_acquire);
}

void gpu_client_read_counts(struct gpu_client *client, struct gpu_counts *counts)
{
    client_lock(client);
    *counts = client->counts;
    client_unlock(client);
}

void gpu_client_wait(struct gpu_client *client, int timeout_ms)
{
    struct pollfd done = {.fd = client->files.done, .events = POLLIN};
    eventfd_t count;
    if (poll(&done, 1, timeout_ms) > 0)
        eventfd_read(client->files.done, &count);
}
