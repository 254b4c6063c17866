#include <errno.h>
#include <sys/eventfd.h>

#include "dsp/gpu/client_inside.h"

struct flight *client_flight(struct gpu_client *client, uint64_t id)
{
    struct flight *flight = &client->flights[id % GPU_CELLS_MAX];
    return flight->id == id && flight->state != FLIGHT_FREE ? flight : NULL;
}

static uint32_t cell_of(const struct gpu_client *client, const struct flight *flight)
{
    return (uint32_t)(flight - client->flights);
}

float *client_cell(const struct gpu_client *client, const struct flight *flight)
{
    return gpu_area_cell(&client->area, cell_of(client, flight));
}

struct flight *client_hold_cell(struct gpu_client *client, uint32_t spare)
{
    struct flight *found = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < client->area.cells; i++)
        if (client->flights[i].state == FLIGHT_FREE) {
            found = &client->flights[i];
            count++;
        }
    if (count <= spare)
        return NULL;
    *found = (struct flight){.id = ++client->serial * GPU_CELLS_MAX + cell_of(client, found),
                             .state = FLIGHT_HELD,
                             .process = client->process};
    return found;
}

static void give_up(struct gpu_client *client)
{
    client->counts.wrong++;
    client->is_live = false;
    client->is_broken = true;
}

static int send_words(struct gpu_client *client, struct flight *flight, const struct gpu_job *job)
{
    struct gpu_job words = *job;
    words.id = flight->id;
    words.cell = cell_of(client, flight);
    int code = gpu_area_send(&client->area, &words);
    if (code == -EPROTO)
        give_up(client);
    return code == -EPROTO ? -ENOTCONN : code;
}

int client_send(struct gpu_client *client, struct flight *flight, const struct gpu_job *job)
{
    int code = -ENOTCONN;
    flight->kind = (enum gpu_job_kind)job->kind;
    flight->bank = (int)job->bank;
    flight->sequence = job->sequence;
    if (client->is_live && flight->process == client->process)
        code = send_words(client, flight, job);
    flight->state = code == 0 ? FLIGHT_SENT : FLIGHT_FREE;
    if (code == 0)
        eventfd_write(client->files.work, 1);
    return code;
}

static void take_in(struct gpu_client *client, const struct gpu_answer *answer)
{
    struct flight *flight = client_flight(client, answer->id);
    bool is_awaited = flight && (flight->state == FLIGHT_SENT || flight->state == FLIGHT_ABANDONED);
    if (!is_awaited || answer->status > 0) {
        give_up(client);
        return;
    }
    bool is_wanted = flight->kind == GPU_JOB_BLOCK && flight->state == FLIGHT_SENT;
    flight->status = answer->status;
    flight->spent_us = answer->spent_us;
    flight->state = is_wanted ? FLIGHT_ANSWERED : FLIGHT_FREE;
    if (flight->kind != GPU_JOB_BLOCK)
        client_hear_of_bank(client, flight);
}

void client_hear(struct gpu_client *client)
{
    struct gpu_answer answer;
    // A process that answers for ever gets its share.
    for (int i = 0; i < GPU_RING && client->is_live; i++) {
        int got = gpu_area_hear(&client->area, &answer);
        if (got < 0)
            give_up(client);
        if (got <= 0)
            return;
        take_in(client, &answer);
    }
}

void client_forget_flights(struct gpu_client *client)
{
    for (uint32_t i = 0; i < client->area.cells; i++) {
        struct flight *flight = &client->flights[i];
        bool is_away = flight->state == FLIGHT_SENT || flight->state == FLIGHT_ABANDONED;
        bool is_wanted = flight->state == FLIGHT_SENT && flight->kind == GPU_JOB_BLOCK;
        if (is_wanted)
            flight->status = -EPIPE;
        if (is_away)
            flight->state = is_wanted ? FLIGHT_ANSWERED : FLIGHT_FREE;
    }
}
