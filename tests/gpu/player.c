#include "tests/gpu/player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void gpu_player_init(struct gpu_player *player, struct gpu_client *client,
                     const struct gpu_mac_shape *shape, uint64_t seed)
{
    *player = (struct gpu_player){.client = client, .error_db = -300};
    choir_init(&player->choir, shape, seed);
    player->outputs = calloc(shape->outputs * gpu_mac_shape_floats(shape), sizeof(float));
    struct gpu_source source = choir_source(&player->choir);
    player->bank = gpu_client_open(client, shape, &source);
}

void gpu_player_finish(struct gpu_player *player)
{
    if (player->bank >= 0)
        gpu_client_close(player->client, player->bank);
    choir_finish(&player->choir);
    free(player->outputs);
}

static int try_to_submit(struct gpu_player *player, uint64_t *ticket)
{
    uint64_t sequence = player->sequence;
    uint64_t next = gpu_client_missing(player->client, player->bank, sequence);
    for (; next < sequence; next++) {
        struct gpu_block earlier = choir_block(&player->choir, next);
        int code = gpu_client_feed(player->client, player->bank, &earlier);
        if (code != 0)
            return code;
    }
    struct gpu_block block = choir_block(&player->choir, sequence);
    return gpu_client_submit(player->client, player->bank, &block, ticket);
}

/// While all cells are in use, it can still become free in time.
static int submit(struct gpu_player *player, uint64_t *ticket, int64_t until_ns)
{
    int code;
    while ((code = try_to_submit(player, ticket)) == -EAGAIN && now_ns() < until_ns)
        gpu_client_wait(player->client, 1);
    return code;
}

static int collect(struct gpu_player *player, uint64_t ticket, int64_t until_ns)
{
    size_t floats = gpu_mac_shape_floats(&player->choir.shape);
    float *const outputs[] = {player->outputs, player->outputs + floats};
    for (;;) {
        int code = gpu_client_collect(player->client, ticket, outputs);
        int64_t left_ns = until_ns - now_ns();
        if (code != -EAGAIN || left_ns <= 0)
            return code;
        gpu_client_wait(player->client, left_ns > 5000000 ? 5 : (int)(left_ns / 1000000) + 1);
    }
}

bool gpu_player_play(struct gpu_player *player, int deadline_ms)
{
    uint64_t ticket;
    int64_t until_ns = now_ns() + deadline_ms * INT64_C(1000000);
    choir_sing(&player->choir, player->sequence);
    int code = player->bank < 0 ? player->bank : submit(player, &ticket, until_ns);
    if (code == 0) {
        code = collect(player, ticket, until_ns);
        if (code == -EAGAIN) {
            gpu_client_abandon(player->client, ticket, true);
            player->late++;
        }
    }
    player->last_code = code;
    player->sequence++;
    if (code != 0) {
        player->by_cpu++;
        return false;
    }
    double error_db = choir_error_db(&player->choir, player->outputs);
    player->error_db = error_db > player->error_db ? error_db : player->error_db;
    player->by_gpu++;
    return true;
}
