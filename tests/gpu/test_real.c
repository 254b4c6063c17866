/// The real consort-gpu under its launcher, on whatever device this machine has: right results, and
/// nothing lost when it is killed, stopped, or has no EGL.
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/clock.h"
#include "board/gpu_process.h"
#include "tests/gpu/player.h"

#define MS INT64_C(1000000)
static const struct gpu_mac_shape TRUE_STEREO = {2, 2, 15, 20, 1024};
static const struct gpu_mac_shape STEREO = {2, 2, 9, 40, 512};
static const struct gpu_mac_shape MONO = {1, 1, 1, 7, 2048};
enum { VOICES = 3 };

static char program[PATH_MAX + 32];

struct box {
    struct gpu_process *process;
    struct gpu_process_status status;
    struct gpu_player players[VOICES];
    pid_t pid; ///< of the process
    char said[20000];
};

static void hear(void *data, const char *line)
{
    struct box *box = data;
    size_t used = strlen(box->said);
    snprintf(box->said + used, sizeof box->said - used, "%s\n", line);
}

static void open_box(struct box *box, enum gpu_wish wish, const char *variable)
{
    *box = (struct box){0};
    struct gpu_process_settings settings = {.wish = wish,
                                            .program = program,
                                            .variable = variable,
                                            .cells = 24,
                                            .cell_bytes = gpu_job_cell_bytes(&TRUE_STEREO),
                                            .hang_ns = 300 * MS,
                                            .pause_ns = 20 * MS,
                                            .log = hear,
                                            .data = box};
    box->process = gpu_process_create(&settings);
    assert_non_null(box->process);
    struct gpu_client *client = gpu_process_client(box->process);
    gpu_player_init(&box->players[0], client, &TRUE_STEREO, 1);
    gpu_player_init(&box->players[1], client, &STEREO, 2);
    gpu_player_init(&box->players[2], client, &MONO, 3);
}

static void close_box(struct box *box)
{
    for (int i = 0; i < VOICES; i++)
        gpu_player_finish(&box->players[i]);
    gpu_process_destroy(box->process);
}

static void turn(struct box *box)
{
    gpu_process_service(box->process, clock_now_ns());
    gpu_process_read_status(box->process, &box->status);
}

static void wait_for(struct box *box, enum gpu_state state)
{
    int64_t until_ns = clock_now_ns() + 20000 * MS;
    for (turn(box); box->status.state != state; turn(box)) {
        if (clock_now_ns() > until_ns)
            fail_msg("state %d, not %d; said:\n%s", box->status.state, state, box->said);
        usleep(2000);
    }
}

/// The only child that is not of this test's own making.
static pid_t find_child(void)
{
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return (pid_t)atoi(text);
}

static void play(struct box *box, int blocks, int deadline_ms)
{
    for (int block = 0; block < blocks; block++) {
        for (int i = 0; i < VOICES; i++)
            gpu_player_play(&box->players[i], deadline_ms);
        turn(box);
    }
}

static void load_all(struct box *box)
{
    for (int tries = 0; tries < 2000; tries++) {
        bool is_loaded = true;
        for (int i = 0; i < VOICES; i++)
            is_loaded &=
                gpu_client_is_loaded(gpu_process_client(box->process), box->players[i].bank);
        if (is_loaded)
            return;
        turn(box);
        usleep(1000);
    }
    fail_msg("not loaded; said:\n%s", box->said);
}

static void expect_said(const struct box *box, const char *words)
{
    if (!strstr(box->said, words))
        fail_msg("\"%s\" is not in:\n%s", words, box->said);
}

static void test_right(void **state)
{
    (void)state;
    struct box box;
    open_box(&box, GPU_ON, NULL);
    wait_for(&box, GPU_STATE_RUNNING);
    load_all(&box);
    play(&box, 100, 2000);
    for (int i = 0; i < VOICES; i++) {
        assert_int_equal(box.players[i].by_gpu, 100);
        assert_true(box.players[i].error_db < -115);
    }
    assert_int_equal(box.status.mode, GPU_MODE_GPU);
    assert_int_equal(box.status.counts.wrong, 0);
    printf("    %s: %.1f dB at worst, last block %u us, worst %u us\n", box.status.report.name,
           box.players[0].error_db, box.status.counts.spent_us, box.status.counts.worst_us);
    close_box(&box);
}

static void check_signals(int number, int *by_gpu)
{
    struct box box;
    open_box(&box, GPU_ON, NULL);
    for (int round = 0; round < 3; round++) {
        wait_for(&box, GPU_STATE_RUNNING);
        load_all(&box);
        play(&box, 20, 1000);
        pid_t child = find_child();
        assert_true(child > 0);
        kill(child, number);
        int64_t until_ns = clock_now_ns() + 3000 * MS;
        while (box.status.state == GPU_STATE_RUNNING) {
            assert_true(clock_now_ns() < until_ns);
            play(&box, 1, 10);
        }
        assert_int_equal(box.status.mode, GPU_MODE_CPU_ONLY);
        play(&box, 3, 10);
    }
    *by_gpu = 0;
    for (int i = 0; i < VOICES; i++) {
        *by_gpu += (int)box.players[i].by_gpu;
        assert_true(box.players[i].error_db < -115);
    }
    assert_int_equal(box.status.counts.wrong, 0);
    // One that is stopped is late first, and only then seen to hang.
    assert_int_equal(box.status.deaths, number == SIGKILL ? 3 : 0);
    assert_true(box.status.starts >= 3);
    close_box(&box);
}

static void test_killed_and_stopped(void **state)
{
    (void)state;
    int by_gpu;
    check_signals(SIGKILL, &by_gpu);
    assert_true(by_gpu >= 3 * 20 * VOICES);
    check_signals(SIGSTOP, &by_gpu);
    assert_true(by_gpu >= 3 * 20 * VOICES);
}

static void test_no_egl(void **state)
{
    (void)state;
    struct box box;
    open_box(&box, GPU_ON, "__EGL_VENDOR_LIBRARY_FILENAMES=/nonexistent");
    int64_t until_ns = clock_now_ns() + 10000 * MS;
    do {
        turn(&box);
        assert_true(clock_now_ns() < until_ns);
        assert_int_equal(box.status.mode, GPU_MODE_CPU_ONLY);
        usleep(2000);
    } while (box.status.starts < 3);
    expect_said(&box, "EGL finds no graphics processor");
    play(&box, 2, 2);
    assert_int_equal(box.players[0].by_gpu, 0);
    close_box(&box);
}

/// Runs the program alone; returns its exit status, and what it said.
static int run(const char *command, char *said, size_t bytes)
{
    char line[PATH_MAX + 256];
    snprintf(line, sizeof line, command, program);
    FILE *pipe = popen(line, "re");
    assert_non_null(pipe);
    said[fread(said, 1, bytes - 1, pipe)] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void test_program_alone(void **state)
{
    (void)state;
    char said[2000];
    assert_int_equal(run("%s --test 2>&1", said, sizeof said), 0);
    assert_non_null(strstr(said, "self-test: -1"));
    assert_int_equal(run("%s --test --unmapped 2>&1", said, sizeof said), 0);
    assert_int_equal(
        run("__EGL_VENDOR_LIBRARY_FILENAMES=/nonexistent %s --test 2>&1", said, sizeof said), 1);
    assert_non_null(strstr(said, "EGL finds no graphics processor"));
    assert_int_equal(run("%s 2>&1", said, sizeof said), 2);
    assert_non_null(strstr(said, "usage"));
    assert_int_equal(run("%s --memory 0 --work 1 --done x 2>&1", said, sizeof said), 2);
    assert_int_equal(run("%s --memory 0 --work 1 --done 2 </dev/null 2>&1", said, sizeof said), 1);
    assert_non_null(strstr(said, "no shared memory of ours"));
    assert_int_equal(run("%s --frobnicate 2>/dev/null", said, sizeof said), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program_alone),
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_killed_and_stopped),
        cmocka_unit_test(test_no_egl),
    };
    // build/VARIANT/tests/gpu/test_real beside build/VARIANT/consort-gpu
    char self[PATH_MAX] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    snprintf(program, sizeof program, "%s/../../consort-gpu", dirname(self));
    if (getenv("CONSORT_GPU"))
        snprintf(program, sizeof program, "%s", getenv("CONSORT_GPU"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
