/// The launcher with accelerators that die, stop, dawdle and lie; the program is this one, run
/// anew.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/clock.h"
#include "board/crash_mark.h"
#include "board/gpu_process.h"
#include "tests/gpu/fake_gpu.h"
#include "tests/gpu/player.h"

#define MS INT64_C(1000000)
static const struct gpu_mac_shape STEREO = {2, 2, 9, 5, 128};

struct box {
    struct gpu_process *process;
    struct gpu_process_status status;
    struct gpu_player player;
    char said[20000];
};

static void hear(void *data, const char *line)
{
    struct box *box = data;
    size_t used = strlen(box->said);
    snprintf(box->said + used, sizeof box->said - used, "%s\n", line);
}

static struct gpu_process_settings settings_of(struct box *box, enum gpu_wish wish)
{
    *box = (struct box){0};
    return (struct gpu_process_settings){.wish = wish,
                                         .program = "/proc/self/exe",
                                         .cells = 16,
                                         .cell_bytes = gpu_job_cell_bytes(&STEREO),
                                         .start_ns = 4000 * MS,
                                         .hang_ns = 150 * MS,
                                         .pause_ns = 20 * MS,
                                         .log = hear,
                                         .data = box};
}

static void open_with(struct box *box, const struct gpu_process_settings *settings,
                      enum fake_manner manner)
{
    struct gpu_process_settings ours = *settings;
    ours.variable = fake_gpu_variable(manner);
    box->process = gpu_process_create(&ours);
    assert_non_null(box->process);
    gpu_player_init(&box->player, gpu_process_client(box->process), &STEREO, 1);
}

static void open_box(struct box *box, enum gpu_wish wish, enum fake_manner manner)
{
    struct gpu_process_settings settings = settings_of(box, wish);
    open_with(box, &settings, manner);
}

static void close_box(struct box *box)
{
    gpu_player_finish(&box->player);
    gpu_process_destroy(box->process);
}

static void turn(struct box *box)
{
    gpu_process_service(box->process, clock_now_ns());
    gpu_process_read_status(box->process, &box->status);
}

/// Turns until the state is reached, 5 s at most.
static void wait_for(struct box *box, enum gpu_state state)
{
    int64_t until_ns = clock_now_ns() + 5000 * MS;
    for (turn(box); box->status.state != state; turn(box)) {
        if (clock_now_ns() > until_ns)
            fail_msg("state %d, not %d; said:\n%s", box->status.state, state, box->said);
        usleep(2000);
    }
}

/// Plays `blocks`, each with `deadline_ms`, turning the launcher between them.
static void play(struct box *box, int blocks, int deadline_ms)
{
    for (int i = 0; i < blocks; i++) {
        gpu_player_play(&box->player, deadline_ms);
        turn(box);
    }
}

static void expect_said(const struct box *box, const char *words)
{
    if (!strstr(box->said, words))
        fail_msg("\"%s\" is not in:\n%s", words, box->said);
}

static void test_good(void **state)
{
    (void)state;
    struct box box;
    open_box(&box, GPU_AUTO, FAKE_GOOD);
    turn(&box);
    assert_int_equal(box.status.mode, GPU_MODE_CPU_ONLY);
    wait_for(&box, GPU_STATE_RUNNING);
    assert_int_equal(box.status.mode, GPU_MODE_HEDGED);
    play(&box, 100, 500);
    assert_int_equal(box.status.mode, GPU_MODE_GPU);
    assert_int_equal(gpu_client_mode(gpu_process_client(box.process)), GPU_MODE_GPU);
    assert_true(box.player.by_gpu >= 90);
    assert_true(box.player.error_db < -115);
    assert_int_equal(box.status.starts, 1);
    assert_int_equal(box.status.counts.wrong + box.status.counts.missed, 0);
    assert_string_equal(box.status.report.name, "fake");
    expect_said(&box, "GPU: fake, self-test -138.0 dB");
    close_box(&box);
}

static void test_off(void **state)
{
    (void)state;
    struct box box;
    open_box(&box, GPU_OFF, FAKE_GOOD);
    for (int i = 0; i < 20; i++) {
        turn(&box);
        usleep(1000);
    }
    assert_int_equal(box.status.state, GPU_STATE_OFF);
    assert_int_equal(box.status.starts, 0);
    assert_int_equal(gpu_process_descriptor(box.process), -1);
    gpu_process_wish(box.process, GPU_ON, clock_now_ns());
    wait_for(&box, GPU_STATE_RUNNING);
    gpu_process_wish(box.process, GPU_OFF, clock_now_ns());
    assert_int_equal(gpu_client_mode(gpu_process_client(box.process)), GPU_MODE_CPU_ONLY);
    wait_for(&box, GPU_STATE_OFF);
    assert_int_equal(box.status.deaths, 0);
    close_box(&box);
}

static void test_software_counts_as_none(void **state)
{
    (void)state;
    struct box box;
    open_box(&box, GPU_AUTO, FAKE_SOFTWARE);
    wait_for(&box, GPU_STATE_STOPPING);
    wait_for(&box, GPU_STATE_OFF);
    expect_said(&box, "software rasteriser");
    for (int i = 0; i < 50; i++) {
        turn(&box);
        usleep(1000);
    }
    assert_int_equal(box.status.state, GPU_STATE_OFF);
    assert_int_equal(box.status.starts, 1);
    gpu_process_wish(box.process, GPU_ON, clock_now_ns());
    wait_for(&box, GPU_STATE_RUNNING);
    close_box(&box);
}

/// It never comes to take a job, and is tried again, with pauses.
static void check_bad_start(enum fake_manner manner, int64_t start_ns, const char *words)
{
    struct box box;
    struct gpu_process_settings settings = settings_of(&box, GPU_ON);
    settings.start_ns = start_ns;
    open_with(&box, &settings, manner);
    int64_t until_ns = clock_now_ns() + 8000 * MS;
    do {
        turn(&box);
        assert_true(clock_now_ns() < until_ns);
        assert_int_equal(box.status.mode, GPU_MODE_CPU_ONLY);
        assert_false(gpu_player_play(&box.player, 2));
        usleep(1000);
    } while (box.status.starts < 3);
    expect_said(&box, words);
    close_box(&box);
}

static void test_bad_starts(void **state)
{
    (void)state;
    check_bad_start(FAKE_FAILS, 4000 * MS, "no device today");
    check_bad_start(FAKE_BAD_TEST, 4000 * MS, "fails its self-test: -60.0 dB");
    check_bad_start(FAKE_NAN_TEST, 4000 * MS, "fails its self-test");
    check_bad_start(FAKE_NEVER_READY, 100 * MS, "it is not ready after");
}

static void test_program_that_is_not_there(void **state)
{
    (void)state;
    struct box box;
    struct gpu_process_settings settings = settings_of(&box, GPU_ON);
    settings.program = "/nonexistent/consort-gpu";
    open_with(&box, &settings, FAKE_GOOD);
    turn(&box);
    assert_int_equal(box.status.state, GPU_STATE_WAITING);
    expect_said(&box, "/nonexistent/consort-gpu cannot be run: No such file or directory");
    assert_false(gpu_player_play(&box.player, 2));
    close_box(&box);
}

/// It goes in the middle of the music: every block is there in time or left to the CPU, and a fresh
/// process takes over, fed with what it has not heard.
static void check_comes_back(enum fake_manner manner, unsigned *by_gpu)
{
    struct box box;
    open_box(&box, GPU_ON, manner);
    int64_t until_ns = clock_now_ns() + 10000 * MS;
    while (box.status.starts < 4) {
        assert_true(clock_now_ns() < until_ns);
        play(&box, 1, 50);
        usleep(2000);
    }
    assert_true(box.player.error_db < -115);
    assert_int_equal(box.status.counts.wrong, 0);
    *by_gpu = box.player.by_gpu;
    assert_true(box.status.deaths + box.status.hangs >= 2);
    close_box(&box);
}

static void test_dies_and_stops(void **state)
{
    (void)state;
    unsigned by_gpu;
    check_comes_back(FAKE_DIES, &by_gpu);
    assert_true(by_gpu >= 40);
    check_comes_back(FAKE_STOPS, &by_gpu);
    assert_true(by_gpu >= 40);
}

static void play_until_distrusted(struct box *box)
{
    int64_t until_ns = clock_now_ns() + 5000 * MS;
    wait_for(box, GPU_STATE_RUNNING);
    while (box->status.starts == 1 && box->status.state == GPU_STATE_RUNNING) {
        assert_true(clock_now_ns() < until_ns);
        play(box, 1, 20);
    }
    assert_int_equal(box->status.mode, GPU_MODE_CPU_ONLY);
}

static void test_late_and_silent(void **state)
{
    (void)state;
    static const enum fake_manner manners[] = {FAKE_LATE, FAKE_SILENT};
    for (int i = 0; i < 2; i++) {
        struct box box;
        struct gpu_process_settings settings = settings_of(&box, GPU_ON);
        settings.hang_ns = 2000 * MS;
        open_with(&box, &settings, manners[i]);
        play_until_distrusted(&box);
        expect_said(&box, "too many blocks late or wrong");
        assert_int_equal(box.player.by_gpu, 0);
        assert_int_equal(box.status.counts.wrong, 0);
        assert_in_range(box.status.counts.missed, 8, 20);
        close_box(&box);
    }
}

static void test_lies(void **state)
{
    (void)state;
    static const enum fake_manner manners[] = {FAKE_GARBAGE, FAKE_NAN,      FAKE_STRANGE_ID,
                                               FAKE_TWICE,   FAKE_STATUS,   FAKE_COUNTER,
                                               FAKE_HEARD,   FAKE_SCRIBBLES};
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        struct box box;
        open_box(&box, GPU_ON, manners[i]);
        int64_t until_ns = clock_now_ns() + 5000 * MS;
        while (box.status.starts < 2) {
            assert_true(clock_now_ns() < until_ns);
            play(&box, 1, 20);
        }
        assert_true(box.player.error_db < -90); // what was accepted was right
        if (manners[i] != FAKE_SCRIBBLES)
            assert_true(box.status.counts.wrong > 0);
        close_box(&box);
    }
}

/// Two boots that crashed while it was in use.
static void test_crash_mark(void **state)
{
    (void)state;
    char mark[] = "/tmp/consort-mark-XXXXXX";
    close(mkstemp(mark));
    unlink(mark);
    for (int boot = 0; boot < 2; boot++) {
        struct box box;
        struct gpu_process_settings settings = settings_of(&box, GPU_ON);
        settings.mark = mark;
        open_with(&box, &settings, FAKE_GOOD);
        wait_for(&box, GPU_STATE_RUNNING);
        assert_int_equal(crash_mark_read(mark), boot + 1);
        close_box(&box);
        assert_int_equal(crash_mark_read(mark), 0);      // an orderly end
        assert_int_equal(crash_mark_set(mark, boot), 0); // as if it had been none
    }
    struct box box;
    struct gpu_process_settings settings = settings_of(&box, GPU_ON);
    settings.mark = mark;
    open_with(&box, &settings, FAKE_GOOD);
    turn(&box);
    assert_int_equal(box.status.state, GPU_STATE_OFF);
    expect_said(&box, "2 crashes in a row");
    gpu_process_wish(box.process, GPU_AUTO, clock_now_ns()); // asked for
    wait_for(&box, GPU_STATE_RUNNING);
    close_box(&box);
    assert_int_equal(crash_mark_read(mark), 0);
}

static void test_torn_crash_mark(void **state)
{
    (void)state;
    char mark[] = "/tmp/consort-mark-XXXXXX";
    int file = mkstemp(mark);
    assert_int_equal(crash_mark_read(mark), 1); // empty
    assert_int_equal(write(file, "-77777777777777777777", 21), 21);
    assert_int_equal(crash_mark_read(mark), 1);
    close(file);
    crash_mark_clear(mark);
    assert_int_equal(crash_mark_read(mark), 0);
    assert_int_equal(crash_mark_set("/nonexistent/mark", 0), -ENOENT);
}

/// Our parent, started as a box of its own, dies: the accelerator goes too.
static void test_goes_with_its_parent(void **state)
{
    (void)state;
    struct box box;
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t middle = fork();
    if (middle == 0) {
        open_box(&box, GPU_ON, FAKE_GOOD);
        wait_for(&box, GPU_STATE_RUNNING);
        (void)!write(pipe_ends[1], "x", 1);
        pause();
    }
    close(pipe_ends[1]);
    char c;
    assert_int_equal(read(pipe_ends[0], &c, 1), 1);
    // The accelerator has inherited the other end of the pipe: the pipe ends when it does.
    kill(middle, SIGKILL);
    assert_int_equal(read(pipe_ends[0], &c, 1), 0);
    close(pipe_ends[0]);
}

int main(int argc, char **argv)
{
    fake_gpu_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_software_counts_as_none),
        cmocka_unit_test(test_bad_starts),
        cmocka_unit_test(test_program_that_is_not_there),
        cmocka_unit_test(test_dies_and_stops),
        cmocka_unit_test(test_late_and_silent),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_crash_mark),
        cmocka_unit_test(test_torn_crash_mark),
        cmocka_unit_test(test_goes_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
