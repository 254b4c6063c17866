#include <errno.h>
#include <string.h>

#include "dsp/base/fft.h"
#include "dsp/gpu/client_inside.h"

enum { BINS_CHECKED = 4 }; ///< of each output

// ---- Blocks out ----

uint64_t gpu_client_missing(struct gpu_client *client, int number, uint64_t sequence)
{
    client_lock(client);
    const struct client_bank *bank = &client->banks[number];
    uint64_t needed = bank->shape.partitions - 1;
    uint64_t first = sequence > needed ? sequence - needed : 0;
    bool continues = bank->has_history && bank->newest + 1 >= first && bank->newest < sequence;
    if (continues && bank->oldest <= first)
        first = bank->newest + 1;
    client_unlock(client);
    return first;
}

static void copy_in(float *cell, const struct gpu_mac_shape *shape, const struct gpu_block *block)
{
    for (uint32_t i = 0; i < shape->inputs; i++)
        for (size_t tile = 0; tile < shape->bins / FFT_TILE; tile++, cell += FFT_TILE_FLOATS)
            memcpy(cell, block->spectra[i] + tile * block->stride, FFT_TILE_FLOATS * sizeof *cell);
}

static void extend_history(struct client_bank *bank, uint64_t sequence)
{
    if (!bank->has_history || sequence != bank->newest + 1)
        bank->oldest = sequence;
    bank->newest = sequence;
    bank->has_history = true;
}

static int commit(struct gpu_client *client, struct flight *flight, const struct gpu_job *job)
{
    struct client_bank *bank = &client->banks[job->bank];
    bool is_known = client_knows_bank(client, bank);
    int code = is_known ? client_send(client, flight, job) : -ENOTCONN;
    if (!is_known)
        flight->state = FLIGHT_FREE;
    if (code == 0)
        extend_history(bank, job->sequence);
    return code;
}

static int send_block(struct gpu_client *client, int number, enum gpu_job_kind kind,
                      const struct gpu_block *block, uint64_t *ticket)
{
    struct client_bank *bank = &client->banks[number];
    struct gpu_job job = {.kind = kind, .bank = (uint32_t)number, .sequence = block->sequence};
    client_lock(client);
    client_hear(client);
    bool has_bank = client_knows_bank(client, bank);
    struct flight *flight = has_bank ? client_hold_cell(client, 0) : NULL;
    client_unlock(client);
    if (!flight)
        return has_bank ? -EAGAIN : -ENOTCONN;
    copy_in(client_cell(client, flight), &bank->shape, block);
    client_lock(client);
    *ticket = flight->id;
    int code = commit(client, flight, &job);
    if (code == 0 && kind == GPU_JOB_BLOCK)
        client->counts.sent++;
    client_unlock(client);
    return code;
}

int gpu_client_feed(struct gpu_client *client, int bank, const struct gpu_block *block)
{
    uint64_t ticket;
    return send_block(client, bank, GPU_JOB_FEED, block, &ticket);
}

int gpu_client_submit(struct gpu_client *client, int bank, const struct gpu_block *block,
                      uint64_t *ticket)
{
    return send_block(client, bank, GPU_JOB_BLOCK, block, ticket);
}

// ---- Results back ----

static uint32_t random_below(struct gpu_client *client, uint32_t limit)
{
    client->random = client->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((client->random >> 32) * limit >> 32);
}

/// Copied first, looked at afterwards: the process can still write to the cell.
static bool copy_out(float *to, const float *cell, size_t floats)
{
    float sum = 0;
    memcpy(to, cell, floats * sizeof *to);
    for (size_t i = 0; i < floats; i++)
        sum += to[i] * 0; // not a number as soon as one is none, or infinite
    return sum == 0;
}

static bool agrees(const struct client_bank *bank, uint64_t sequence, uint32_t output, uint32_t bin,
                   const float *spectrum)
{
    size_t at = (size_t)bin / FFT_TILE * FFT_TILE_FLOATS + bin % FFT_TILE;
    struct gpu_mac_bin sum = bank->source.compute_bin(bank->source.context, sequence, output, bin);
    return gpu_mac_bin_agrees(&sum, spectrum[at], spectrum[at + FFT_TILE]);
}

/// Runs without the lock: the flight is held, and the bank stays.
static int accept(struct gpu_client *client, const struct flight *flight,
                  const uint32_t bins[GPU_MAC_CHANNELS_MAX][BINS_CHECKED], float *const outputs[])
{
    const struct client_bank *bank = &client->banks[flight->bank];
    size_t floats = gpu_mac_shape_floats(&bank->shape);
    const float *cell = client_cell(client, flight) + bank->shape.inputs * floats;
    bool is_good = true;
    for (uint32_t output = 0; output < bank->shape.outputs && is_good; output++) {
        is_good = copy_out(outputs[output], cell + output * floats, floats);
        for (int i = 0; i < BINS_CHECKED && is_good; i++)
            is_good = agrees(bank, flight->sequence, output, bins[output][i], outputs[output]);
    }
    return is_good ? 0 : -EBADMSG;
}

static void choose_bins(struct gpu_client *client, const struct flight *flight,
                        uint32_t bins[GPU_MAC_CHANNELS_MAX][BINS_CHECKED])
{
    for (int output = 0; output < GPU_MAC_CHANNELS_MAX; output++)
        for (int i = 0; i < BINS_CHECKED; i++)
            bins[output][i] = random_below(client, client->banks[flight->bank].shape.bins);
}

static void count_result(struct gpu_client *client, const struct flight *flight, int status)
{
    struct gpu_counts *counts = &client->counts;
    if (status == -EBADMSG) {
        counts->wrong++;
    } else if (status != 0) {
        counts->refused++;
    } else {
        counts->good++;
        counts->spent_us = flight->spent_us;
        if (flight->spent_us > counts->worst_us)
            counts->worst_us = flight->spent_us;
    }
}

/// The flight that a ticket names, once it is answered; then it is held.
static int take_answer(struct gpu_client *client, uint64_t ticket, struct flight **flight)
{
    client_hear(client);
    *flight = client_flight(client, ticket);
    if (!*flight || (*flight)->kind != GPU_JOB_BLOCK)
        return -ENOENT;
    if ((*flight)->state != FLIGHT_ANSWERED)
        return (*flight)->state == FLIGHT_SENT ? -EAGAIN : -ENOENT;
    (*flight)->state = FLIGHT_HELD;
    return 0;
}

int gpu_client_collect(struct gpu_client *client, uint64_t ticket, float *const outputs[])
{
    uint32_t bins[GPU_MAC_CHANNELS_MAX][BINS_CHECKED];
    struct flight *flight;
    client_lock(client);
    int code = take_answer(client, ticket, &flight);
    if (code == 0)
        choose_bins(client, flight, bins);
    client_unlock(client);
    if (code != 0)
        return code;
    // -EBADMSG is for us to say.
    code = flight->status == -EBADMSG ? -EIO : flight->status;
    if (code == 0)
        code = accept(client, flight, bins, outputs);
    client_lock(client);
    count_result(client, flight, code);
    flight->state = FLIGHT_FREE;
    client_unlock(client);
    return code;
}

void gpu_client_abandon(struct gpu_client *client, uint64_t ticket, bool is_late)
{
    client_lock(client);
    struct flight *flight = client_flight(client, ticket);
    if (flight && (flight->state == FLIGHT_SENT || flight->state == FLIGHT_ANSWERED)) {
        flight->state = flight->state == FLIGHT_SENT ? FLIGHT_ABANDONED : FLIGHT_FREE;
        client->counts.missed += is_late;
    }
    client_unlock(client);
}
