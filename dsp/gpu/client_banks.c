#include <errno.h>

#include "dsp/gpu/client_inside.h"

static uint32_t rows_of(const struct client_bank *bank)
{
    return gpu_mac_shape_paths(&bank->shape) * bank->shape.partitions;
}

bool client_knows_bank(const struct gpu_client *client, const struct client_bank *bank)
{
    return client->is_live && (bank->state == BANK_LOADING || bank->state == BANK_LOADED);
}

void client_hear_of_bank(struct gpu_client *client, const struct flight *flight)
{
    struct client_bank *bank = &client->banks[flight->bank];
    if (flight->kind == GPU_JOB_CLOSE)
        bank->state = BANK_FREE;
    else if (flight->status != 0 && flight->kind == GPU_JOB_FEED)
        bank->has_history = false; // it will be fed anew
    else if (flight->status != 0 && client_knows_bank(client, bank))
        bank->state = BANK_REFUSED;
}

void client_forget_banks(struct gpu_client *client)
{
    for (int i = 0; i < GPU_BANKS_MAX; i++) {
        struct client_bank *bank = &client->banks[i];
        bool is_over =
            bank->state == BANK_FREE || bank->state == BANK_CLOSING || bank->state == BANK_CLOSED;
        bank->state = is_over ? BANK_FREE : BANK_WAITING;
        bank->rows_sent = 0;
        bank->has_history = false;
    }
}

// ---- Telling the process ----

/// Half of the cells stay free for blocks.
static struct flight *hold_cell(struct gpu_client *client)
{
    return client->is_live ? client_hold_cell(client, client->area.cells / 2) : NULL;
}

/// Sends a word about a bank; on its success the bank is in another state.
static bool tell(struct gpu_client *client, int number, enum gpu_job_kind kind,
                 enum client_bank_state then)
{
    struct client_bank *bank = &client->banks[number];
    struct gpu_job job = {.kind = kind, .bank = (uint32_t)number, .shape = bank->shape};
    struct flight *flight = hold_cell(client);
    if (!flight || client_send(client, flight, &job) != 0)
        return false;
    bank->state = then;
    return true;
}

/// The owner writes the row without the lock: workers shall not wait for it.
static bool load_row(struct gpu_client *client, int number)
{
    struct client_bank *bank = &client->banks[number];
    struct gpu_job job = {.kind = GPU_JOB_LOAD, .bank = (uint32_t)number, .row = bank->rows_sent};
    struct flight *flight = hold_cell(client);
    if (!flight)
        return false;
    client_unlock(client);
    bank->source.read_impulse(bank->source.context, job.row / bank->shape.partitions,
                              job.row % bank->shape.partitions, client_cell(client, flight));
    client_lock(client);
    if (client_send(client, flight, &job) != 0)
        return false;
    if (++bank->rows_sent == rows_of(bank) && bank->state == BANK_LOADING)
        bank->state = BANK_LOADED;
    return true;
}

/// Tells the next thing about a bank. Returns whether that was possible.
static bool advance(struct gpu_client *client, int number)
{
    switch (client->banks[number].state) {
    case BANK_WAITING:
        return tell(client, number, GPU_JOB_OPEN, BANK_LOADING);
    case BANK_LOADING:
        return load_row(client, number);
    case BANK_CLOSING:
        return tell(client, number, GPU_JOB_CLOSE, BANK_CLOSED);
    default:
        return false;
    }
}

bool client_advance_banks(struct gpu_client *client)
{
    bool has_more = false;
    client_lock(client);
    for (int i = 0; i < GPU_BANKS_MAX; i++) {
        while (advance(client, i))
            continue;
        enum client_bank_state state = client->banks[i].state;
        has_more |= state == BANK_WAITING || state == BANK_LOADING || state == BANK_CLOSING;
    }
    has_more &= client->is_live;
    client_unlock(client);
    return has_more;
}

// ---- Opening and closing ----

static int find_free(const struct gpu_client *client)
{
    for (int i = 0; i < GPU_BANKS_MAX; i++)
        if (client->banks[i].state == BANK_FREE)
            return i;
    return -ENOSPC;
}

int gpu_client_open(struct gpu_client *client, const struct gpu_mac_shape *shape,
                    const struct gpu_source *source)
{
    if (!gpu_mac_shape_is_valid(shape) || gpu_job_cell_bytes(shape) > client->area.cell_bytes)
        return -EINVAL;
    client_lock(client);
    int number = find_free(client);
    if (number >= 0)
        client->banks[number] =
            (struct client_bank){.state = BANK_WAITING, .shape = *shape, .source = *source};
    client_unlock(client);
    client_advance_banks(client);
    return number;
}

void gpu_client_close(struct gpu_client *client, int number)
{
    client_lock(client);
    struct client_bank *bank = &client->banks[number];
    bool is_told = client->is_live && bank->state != BANK_WAITING;
    bank->state = is_told ? BANK_CLOSING : BANK_FREE;
    client_unlock(client);
    client_advance_banks(client);
}

bool gpu_client_is_loaded(struct gpu_client *client, int number)
{
    client_lock(client);
    bool is_loaded = client->is_live && client->banks[number].state == BANK_LOADED;
    client_unlock(client);
    return is_loaded;
}
