/// What the files of the client share: cells, banks and the lock around them.
///
/// Owner: the client. Thread: whoever holds the lock, where nothing else is said.
#ifndef CONSORT_DSP_GPU_CLIENT_INSIDE_H
#define CONSORT_DSP_GPU_CLIENT_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "dsp/gpu/client.h"

enum flight_state {
    FLIGHT_FREE,
    FLIGHT_HELD,      ///< a thread of ours writes or reads the cell
    FLIGHT_SENT,      ///< the cell is the process's
    FLIGHT_ABANDONED, ///< the same, and nobody waits for it
    FLIGHT_ANSWERED,
};

/// What a cell is used for.
struct flight {
    uint64_t id;
    uint64_t sequence;
    enum flight_state state;
    enum gpu_job_kind kind;
    int bank;
    int status; ///< of the answer
    uint32_t spent_us;
    uint32_t process; ///< the one it was held for
};

enum client_bank_state {
    BANK_FREE,
    BANK_WAITING, ///< the process does not know it
    BANK_LOADING, ///< it does; rows are on their way
    BANK_LOADED,  ///< all rows were sent
    BANK_REFUSED, ///< it does not want it, or not all of it
    BANK_CLOSING, ///< it shall forget it
    BANK_CLOSED,  ///< it has been told so
};

struct client_bank {
    enum client_bank_state state;
    struct gpu_mac_shape shape;
    struct gpu_source source;
    uint32_t rows_sent;
    bool has_history;
    uint64_t newest, oldest; ///< blocks that the process has, with all between
};

struct gpu_client {
    pthread_mutex_t mutex;
    struct gpu_area area;
    struct gpu_client_files files;
    bool is_live;
    uint32_t process; ///< counts them
    uint64_t serial, random;
    struct flight flights[GPU_CELLS_MAX];
    struct client_bank banks[GPU_BANKS_MAX];
    struct gpu_counts counts;
    _Atomic int mode;
    _Atomic bool is_broken;
};

static inline void client_lock(struct gpu_client *client) { pthread_mutex_lock(&client->mutex); }
static inline void client_unlock(struct gpu_client *client)
{
    pthread_mutex_unlock(&client->mutex);
}

/// A free cell, when more than `spare` of them are; it is held then. NULL when there is none.
struct flight *client_hold_cell(struct gpu_client *client, uint32_t spare);

/// The flight of an id, or NULL.
struct flight *client_flight(struct gpu_client *client, uint64_t id);

/// The spectra of a flight's cell. Thread: who holds the flight.
float *client_cell(const struct gpu_client *client, const struct flight *flight);

/// Sends a held cell, unless the process has changed since. Returns 0, -EAGAIN or -ENOTCONN; the
/// cell is free then.
int client_send(struct gpu_client *client, struct flight *flight, const struct gpu_job *job);

/// Takes in the answers that are there.
void client_hear(struct gpu_client *client);

/// The process is gone: what it had is lost.
void client_forget_flights(struct gpu_client *client);
void client_forget_banks(struct gpu_client *client);

/// An answer to something that is no block.
void client_hear_of_bank(struct gpu_client *client, const struct flight *flight);

/// Whether the process knows the bank.
bool client_knows_bank(const struct gpu_client *client, const struct client_bank *bank);

/// Tells the process what it needs to know of all banks, as far as cells are free; takes the lock
/// itself. Returns whether there is more to tell. Thread: main.
bool client_advance_banks(struct gpu_client *client);

#endif
