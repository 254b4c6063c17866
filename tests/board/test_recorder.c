/// The recorder: what is fed is in the file, whole at any time, in step even when the disk is slow.
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/recorder.h"
#include "board/sound_file.h"

enum { RATE_HZ = 48000, PERIOD = 100, PATIENCE_MS = 3000 };

static char path[64], error[256];

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/tmp/consort-recorder-XXXXXX.wav");
    int descriptor = mkstemps(path, 4);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/// A ramp that tells each frame from all others in 24 bits.
static float value_of(uint32_t frame) { return (float)frame / 8388608.0f; }

static void feed(struct recorder *recorder, uint32_t from, uint32_t frames)
{
    float left[PERIOD], right[PERIOD];
    float *const out[2] = {left, right};
    for (uint32_t done = 0; done < frames; done += PERIOD) {
        for (uint32_t i = 0; i < PERIOD; i++) {
            left[i] = value_of(from + done + i);
            right[i] = -left[i];
        }
        recorder_feed(recorder, out, PERIOD);
    }
}

static struct recorder_state wait_until(struct recorder *recorder,
                                        bool (*holds)(const struct recorder_state *))
{
    struct recorder_state state;
    for (int i = 0; i < PATIENCE_MS; i++) {
        recorder_read_state(recorder, &state);
        if (holds(&state))
            return state;
        usleep(1000);
    }
    fail_msg("waited in vain: %d open, %llu frames", state.is_open,
             (unsigned long long)state.frames);
    return state;
}

static bool is_closed(const struct recorder_state *state) { return !state->is_open; }

static bool has_4800(const struct recorder_state *state) { return state->frames == 4800; }

static void check_file(uint32_t first, uint32_t frames)
{
    struct sound sound;
    assert_int_equal(sound_file_read_all(path, 100 * RATE_HZ, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, frames);
    assert_int_equal(sound.rate_hz, RATE_HZ);
    for (uint32_t i = 0; i < frames; i++) {
        assert_true(sound.samples[2 * i] == value_of(first + i));
        assert_true(sound.samples[2 * i + 1] == -value_of(first + i));
    }
    sound_finish(&sound);
}

static void test_records_every_frame(void **state)
{
    (void)state;
    struct recorder *recorder = recorder_create();
    assert_non_null(recorder);
    feed(recorder, 77, 1000); // nothing is recorded yet
    assert_int_equal(recorder_start(recorder, path, RATE_HZ, error, sizeof error), 0);
    feed(recorder, 1000, 48000);
    recorder_stop(recorder);
    feed(recorder, 99, 1000); // nor any more
    struct recorder_state seen = wait_until(recorder, is_closed);
    assert_int_equal(seen.frames, 48000);
    assert_int_equal(seen.lost_frames, 0);
    assert_string_equal(seen.error, "");
    check_file(1000, 48000);
    recorder_destroy(recorder);
}

static void test_destroy_finishes_the_file(void **state)
{
    (void)state;
    struct recorder *recorder = recorder_create();
    recorder_start(recorder, path, RATE_HZ, error, sizeof error);
    feed(recorder, 0, 9600);
    recorder_destroy(recorder);
    check_file(0, 9600);
}

static void test_file_is_readable_while_it_grows(void **state)
{
    (void)state;
    struct recorder *recorder = recorder_create();
    recorder_start(recorder, path, RATE_HZ, error, sizeof error);
    feed(recorder, 0, 4800);
    wait_until(recorder, has_4800);
    usleep(1300000); // the header is brought up to date once a second
    check_file(0, 4800);
    recorder_destroy(recorder);
}

static void test_a_second_file_follows_the_first(void **state)
{
    (void)state;
    struct recorder *recorder = recorder_create();
    recorder_start(recorder, path, RATE_HZ, error, sizeof error);
    feed(recorder, 0, 4800);
    wait_until(recorder, has_4800);
    char first[64];
    snprintf(first, sizeof first, "%s", path);
    path[strlen(path) - 5] = '_';
    assert_int_equal(recorder_start(recorder, path, RATE_HZ, error, sizeof error), 0);
    usleep(100000);
    feed(recorder, 50, 9600);
    recorder_destroy(recorder);
    check_file(50, 9600);
    unlink(path);
    snprintf(path, sizeof path, "%s", first);
    check_file(0, 4800);
}

static void test_keeps_time_over_a_gap(void **state)
{
    (void)state;
    struct recorder *recorder = recorder_create();
    recorder_start(recorder, path, RATE_HZ, error, sizeof error);
    // Far more at once than the ring holds: the disk thread cannot keep up.
    feed(recorder, 0, 20 * RATE_HZ);
    usleep(300000);
    feed(recorder, 7, 100);
    recorder_stop(recorder);
    struct recorder_state seen = wait_until(recorder, is_closed);
    assert_true(seen.lost_frames > 0);
    assert_int_equal(seen.frames, 20 * RATE_HZ + 100);
    struct sound sound;
    assert_int_equal(sound_file_read_all(path, 100 * RATE_HZ, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, 20 * RATE_HZ + 100);
    assert_true(sound.samples[2 * 20 * RATE_HZ] == value_of(7));
    sound_finish(&sound);
    recorder_destroy(recorder);
}

static void test_says_why_it_ended(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit small = {.rlim_cur = 30000, .rlim_max = before.rlim_max};
    struct recorder *recorder = recorder_create();
    assert_int_equal(recorder_start(recorder, "/nowhere/a.wav", RATE_HZ, error, sizeof error),
                     -ENOENT);
    assert_non_null(strstr(error, "/nowhere/a.wav: No such file or directory"));
    setrlimit(RLIMIT_FSIZE, &small);
    recorder_start(recorder, path, RATE_HZ, error, sizeof error);
    feed(recorder, 0, 48000);
    struct recorder_state seen = wait_until(recorder, is_closed);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_non_null(strstr(seen.error, "File too large"));
    // It can be used again.
    assert_int_equal(recorder_start(recorder, path, RATE_HZ, error, sizeof error), 0);
    feed(recorder, 3, 4800);
    recorder_destroy(recorder);
    check_file(3, 4800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_records_every_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroy_finishes_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_is_readable_while_it_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_file_follows_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_time_over_a_gap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_says_why_it_ended, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
