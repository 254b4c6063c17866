/// The client against an accelerator that does what it should, and against all that it should not.
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/gpu/fake_gpu.h"
#include "tests/gpu/player.h"

enum { CELLS = 12 };
static const struct gpu_mac_shape STEREO = {2, 2, 9, 5, 128};
static const struct gpu_mac_shape TRUE_STEREO = {2, 2, 15, 9, 64};
static const struct gpu_mac_shape MONO = {1, 1, 1, 30, 32};

struct stage {
    struct gpu_client *client;
    enum fake_manner manner;
    _Atomic bool is_ending;
    pthread_t thread;
};

static void *serve(void *context)
{
    struct stage *stage = context;
    struct gpu_client_files files = gpu_client_files(stage->client);
    fake_gpu_serve(files.memory, files.work, files.done, stage->manner, &stage->is_ending);
    return NULL;
}

/// A new accelerator, as after a start of the process.
static void begin(struct stage *stage, enum fake_manner manner)
{
    stage->manner = manner;
    stage->is_ending = false;
    gpu_client_reset(stage->client);
    assert_int_equal(pthread_create(&stage->thread, NULL, serve, stage), 0);
    while (gpu_client_phase(stage->client) != GPU_PHASE_READY)
        usleep(500);
    gpu_client_begin(stage->client);
}

static void end(struct stage *stage)
{
    stage->is_ending = true;
    pthread_join(stage->thread, NULL);
    gpu_client_end(stage->client);
}

static void open_stage(struct stage *stage, enum fake_manner manner)
{
    stage->client = gpu_client_create(CELLS, gpu_job_cell_bytes(&STEREO));
    assert_non_null(stage->client);
    begin(stage, manner);
}

static void close_stage(struct stage *stage)
{
    end(stage);
    gpu_client_destroy(stage->client);
}

static void load(struct stage *stage, const struct gpu_player *player)
{
    for (int i = 0; i < 2000 && !gpu_client_is_loaded(stage->client, player->bank); i++) {
        gpu_client_service(stage->client);
        usleep(1000);
    }
    assert_true(gpu_client_is_loaded(stage->client, player->bank));
}

static struct gpu_counts counts_of(struct stage *stage)
{
    struct gpu_counts counts;
    gpu_client_read_counts(stage->client, &counts);
    return counts;
}

static void test_blocks_come_back_right(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player players[3];
    open_stage(&stage, FAKE_GOOD);
    gpu_player_init(&players[0], stage.client, &STEREO, 1);
    gpu_player_init(&players[1], stage.client, &TRUE_STEREO, 2);
    gpu_player_init(&players[2], stage.client, &MONO, 3);
    for (int i = 0; i < 3; i++)
        load(&stage, &players[i]);
    for (int block = 0; block < 60; block++)
        for (int i = 0; i < 3; i++)
            assert_true(gpu_player_play(&players[i], 2000));
    for (int i = 0; i < 3; i++) {
        assert_true(players[i].error_db < -115);
        gpu_player_finish(&players[i]);
    }
    assert_int_equal(counts_of(&stage).good, 180);
    assert_int_equal(counts_of(&stage).wrong, 0);
    assert_false(gpu_client_is_broken(stage.client));
    close_stage(&stage);
}

/// While impulses are still on their way, blocks are not computed, and nothing is wrong.
static void test_plays_while_loading(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, FAKE_GOOD);
    gpu_player_init(&player, stage.client, &MONO, 3);
    bool is_gpu = false;
    for (int block = 0; block < 200 && !is_gpu; block++) {
        is_gpu = gpu_player_play(&player, 1000);
        assert_true(is_gpu || player.last_code == -ENODATA || player.last_code == -EAGAIN);
        gpu_client_service(stage.client);
    }
    assert_true(is_gpu);
    assert_true(gpu_player_play(&player, 1000));
    gpu_player_finish(&player);
    close_stage(&stage);
}

static void test_banks_can_be_had_again(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, FAKE_GOOD);
    for (int round = 0; round < 3 * GPU_BANKS_MAX; round++) {
        gpu_player_init(&player, stage.client, round % 2 ? &STEREO : &TRUE_STEREO, (uint64_t)round);
        for (int i = 0; i < 1000 && player.bank == -ENOSPC; i++) {
            gpu_player_finish(&player);
            usleep(1000);
            gpu_client_service(stage.client);
            gpu_player_init(&player, stage.client, &STEREO, (uint64_t)round);
        }
        load(&stage, &player);
        for (int block = 0; block < 3; block++)
            assert_true(gpu_player_play(&player, 1000));
        gpu_player_finish(&player);
    }
    assert_false(gpu_client_is_broken(stage.client));
    close_stage(&stage);
}

static void test_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_source source = {0};
    struct gpu_mac_shape shape = {2, 2, 9, 5, 256};
    open_stage(&stage, FAKE_GOOD);
    assert_int_equal(gpu_client_open(stage.client, &shape, &source), -EINVAL);
    shape = (struct gpu_mac_shape){2, 2, 0, 5, 64};
    assert_int_equal(gpu_client_open(stage.client, &shape, &source), -EINVAL);
    close_stage(&stage);
    errno = 0;
    assert_null(gpu_client_create(0, 1024));
    assert_int_equal(errno, EINVAL);
}

static void test_without_a_process(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, FAKE_GOOD);
    end(&stage);
    gpu_player_init(&player, stage.client, &STEREO, 1);
    for (int block = 0; block < 20; block++)
        assert_false(gpu_player_play(&player, 100));
    assert_int_equal(player.last_code, -ENOTCONN);
    begin(&stage, FAKE_GOOD);
    load(&stage, &player);
    // What it missed it is fed: no block of warming up.
    for (int block = 0; block < 20; block++)
        assert_true(gpu_player_play(&player, 1000));
    assert_true(player.error_db < -115);
    gpu_player_finish(&player);
    close_stage(&stage);
}

static void test_what_is_under_way_when_it_goes(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    uint64_t tickets[4];
    float *const outputs[] = {malloc(4096), malloc(4096)};
    open_stage(&stage, FAKE_SILENT);
    gpu_player_init(&player, stage.client, &STEREO, 1);
    load(&stage, &player);
    for (uint64_t i = 0; i < 4; i++) {
        choir_sing(&player.choir, i);
        struct gpu_block block = choir_block(&player.choir, i);
        assert_int_equal(gpu_client_submit(stage.client, player.bank, &block, &tickets[i]), 0);
        assert_int_equal(gpu_client_collect(stage.client, tickets[i], outputs), -EAGAIN);
    }
    gpu_client_abandon(stage.client, tickets[0], true);
    assert_int_equal(gpu_client_collect(stage.client, tickets[0], outputs), -ENOENT);
    end(&stage);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(gpu_client_collect(stage.client, tickets[i], outputs), -EPIPE);
        assert_int_equal(gpu_client_collect(stage.client, tickets[i], outputs), -ENOENT);
    }
    assert_int_equal(counts_of(&stage).missed, 1);
    assert_int_equal(counts_of(&stage).refused, 3);
    begin(&stage, FAKE_GOOD);
    player.sequence = 4;
    load(&stage, &player);
    assert_true(gpu_player_play(&player, 1000));
    gpu_player_finish(&player);
    close_stage(&stage);
    free(outputs[0]);
    free(outputs[1]);
}

/// One that never answers fills all cells: the client says so and goes on.
static void test_runs_out_of_cells(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, FAKE_SILENT);
    gpu_player_init(&player, stage.client, &STEREO, 1);
    load(&stage, &player);
    for (int block = 0; block < 2 * CELLS; block++)
        assert_false(gpu_player_play(&player, 1));
    assert_int_equal(player.last_code, -EAGAIN);
    assert_int_equal(player.late, CELLS);
    assert_int_equal(counts_of(&stage).missed, CELLS);
    gpu_player_finish(&player);
    close_stage(&stage);
}

static void check_wrong(enum fake_manner manner)
{
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, manner);
    gpu_player_init(&player, stage.client, &STEREO, 1);
    load(&stage, &player);
    for (int block = 0; block < 50; block++) {
        assert_false(gpu_player_play(&player, 1000));
        assert_int_equal(player.last_code, -EBADMSG);
    }
    assert_int_equal(counts_of(&stage).wrong, 50);
    gpu_player_finish(&player);
    close_stage(&stage);
}

static void test_garbage_is_found_out(void **state)
{
    (void)state;
    check_wrong(FAKE_GARBAGE);
    check_wrong(FAKE_NAN);
}

/// The client stops talking to it at once, whatever it says, and no wrong block passes.
static void check_broken(enum fake_manner manner)
{
    struct stage stage;
    struct gpu_player player;
    open_stage(&stage, manner);
    gpu_player_init(&player, stage.client, &STEREO, 1);
    for (int i = 0; i < 100 && !gpu_client_is_loaded(stage.client, player.bank) &&
                    !gpu_client_is_broken(stage.client);
         i++) {
        gpu_client_service(stage.client);
        usleep(1000);
    }
    for (int block = 0; block < 30; block++)
        gpu_player_play(&player, 5);
    assert_true(player.error_db < -90);
    assert_true(gpu_client_is_broken(stage.client));
    assert_true(counts_of(&stage).wrong > 0);
    // A fresh one works again.
    end(&stage);
    begin(&stage, FAKE_GOOD);
    load(&stage, &player);
    player.error_db = -300;
    for (int block = 0; block < 10; block++)
        assert_true(gpu_player_play(&player, 1000));
    assert_true(player.error_db < -115);
    gpu_player_finish(&player);
    close_stage(&stage);
}

static void test_broken_rules(void **state)
{
    (void)state;
    check_broken(FAKE_STRANGE_ID);
    check_broken(FAKE_TWICE);
    check_broken(FAKE_STATUS);
    check_broken(FAKE_COUNTER);
    check_broken(FAKE_HEARD);
}

/// Bytes at random over the whole memory.
static void scribble(const struct gpu_area *area, unsigned seed)
{
    unsigned char *bytes = (unsigned char *)area->head;
    for (size_t i = 0; i < area->total_bytes; i += 1 + seed % 61) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (unsigned char)(seed >> 16);
    }
}

static void test_survives_scribbling(void **state)
{
    (void)state;
    struct stage stage;
    struct gpu_player player;
    struct gpu_area area;
    stage.client = gpu_client_create(CELLS, gpu_job_cell_bytes(&STEREO));
    assert_non_null(stage.client);
    assert_int_equal(gpu_area_attach(&area, gpu_client_files(stage.client).memory), 0);
    for (unsigned seed = 1; seed < 300; seed++) {
        gpu_client_reset(stage.client);
        gpu_client_begin(stage.client);
        gpu_player_init(&player, stage.client, &STEREO, seed);
        for (unsigned i = 0; i < 4; i++) {
            gpu_player_play(&player, 0);
            scribble(&area, seed * 7 + i);
            gpu_client_service(stage.client);
        }
        assert_true(player.error_db < -90);
        gpu_client_end(stage.client);
        gpu_player_finish(&player);
    }
    gpu_area_finish(&area);
    gpu_client_destroy(stage.client);
}

struct band {
    struct stage *stage;
    struct gpu_player player;
    pthread_t thread;
};

static void *play_on(void *context)
{
    struct band *band = context;
    for (int block = 0; block < 150; block++)
        gpu_player_play(&band->player, 1000);
    return NULL;
}

/// Several workers while the process comes and goes.
static void test_many_threads(void **state)
{
    (void)state;
    struct stage stage;
    struct band bands[4];
    open_stage(&stage, FAKE_GOOD);
    for (int i = 0; i < 4; i++) {
        bands[i].stage = &stage;
        gpu_player_init(&bands[i].player, stage.client, &STEREO, (uint64_t)i);
        pthread_create(&bands[i].thread, NULL, play_on, &bands[i]);
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 10; i++) {
            gpu_client_service(stage.client);
            usleep(1000);
        }
        end(&stage);
        begin(&stage, FAKE_GOOD);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(bands[i].thread, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bands[i].player.by_gpu + bands[i].player.by_cpu, 150);
        assert_true(bands[i].player.error_db < -115);
        gpu_player_finish(&bands[i].player);
    }
    assert_int_equal(counts_of(&stage).wrong, 0);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_come_back_right),
        cmocka_unit_test(test_plays_while_loading),
        cmocka_unit_test(test_banks_can_be_had_again),
        cmocka_unit_test(test_refuses_what_does_not_fit),
        cmocka_unit_test(test_without_a_process),
        cmocka_unit_test(test_what_is_under_way_when_it_goes),
        cmocka_unit_test(test_runs_out_of_cells),
        cmocka_unit_test(test_garbage_is_found_out),
        cmocka_unit_test(test_broken_rules),
        cmocka_unit_test(test_survives_scribbling),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
