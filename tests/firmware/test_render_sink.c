// The end of a rendering: what is cut away and what is kept, whatever the periods.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <unistd.h>

#include "firmware/render_sink.h"

enum { FRAMES = 20000 };

static char path[] = "/tmp/test_render_sink_XXXXXX.wav";
static float left[FRAMES], right[FRAMES];

static void make_input(uint64_t sound_end)
{
    for (uint64_t i = 0; i < FRAMES; i++) {
        const bool is_silent = i >= sound_end || i % 97 > 60;
        // Whole steps of 24 bits, so that the file gives back the same numbers.
        left[i] = is_silent ? 0 : (float)(rand() % 0x800000 - 0x400000) / 0x800000;
        right[i] = is_silent || i % 3 ? 0 : 0.25f;
    }
    left[sound_end - 1] = 0.75f;
}

static void feed(struct render_sink *sink)
{
    for (uint32_t done = 0; done < FRAMES;) {
        uint32_t now = 1 + (uint32_t)rand() % 1500;
        now = now < FRAMES - done ? now : FRAMES - done;
        float *const channels[2] = {left + done, right + done};
        assert_int_equal(render_sink_take(sink, channels, now), 0);
        done += now;
    }
    assert_int_equal(render_sink_finish(sink), 0);
}

static void expect_file(const struct render_sink *sink, uint64_t skip, uint64_t frames)
{
    struct sound sound;
    char error[160];
    assert_int_equal(sound_file_close(sink->file), 0);
    assert_int_equal(sink->frames, frames);
    assert_int_equal(sound_file_read_all(path, FRAMES, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, frames);
    for (uint64_t i = 0; i < frames; i++) {
        assert_true(sound.samples[2 * i] == left[skip + i]);
        assert_true(sound.samples[2 * i + 1] == right[skip + i]);
    }
    sound_finish(&sound);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

static void test_the_piece_is_cut_out(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        srand(seed);
        const uint64_t sound_end = 1 + (uint64_t)rand() % FRAMES;
        const uint64_t skip = (uint64_t)rand() % 3000, body = (uint64_t)rand() % 9000;
        const uint64_t tail = (uint64_t)rand() % 8000;
        char error[160];
        make_input(sound_end);
        struct render_sink sink = {.skip_frames = skip, .body_frames = body, .tail_frames = tail};
        sink.file = sound_file_create(path, 48000, 2, SOUND_24_BIT, error, sizeof error);
        assert_non_null(sink.file);
        feed(&sink);
        // From the end of the body, back over the silence before `tail` is over.
        uint64_t end = most(skip + body, least(sound_end, skip + body + tail));
        while (end > skip + body && left[end - 1] == 0 && right[end - 1] == 0)
            end--;
        expect_file(&sink, skip, end - skip);
        assert_int_equal(sink.clips, 0);
    }
}

static void test_the_tail_fades_out(void **state)
{
    (void)state;
    enum { BODY = 100, TAIL = 1000, FADE = 400 };
    char error[160];
    for (uint64_t i = 0; i < FRAMES; i++)
        left[i] = right[i] = 0.5f;
    struct render_sink sink = {.body_frames = BODY, .tail_frames = TAIL, .fade_frames = FADE};
    sink.file = sound_file_create(path, 48000, 2, SOUND_24_BIT, error, sizeof error);
    assert_non_null(sink.file);
    feed(&sink);
    assert_int_equal(sound_file_close(sink.file), 0);
    struct sound sound;
    assert_int_equal(sound_file_read_all(path, FRAMES, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, BODY + TAIL);
    for (uint64_t i = 0; i < sound.frames; i++) {
        const uint64_t left_frames = BODY + TAIL - i;
        const double gain = left_frames <= FADE ? (double)left_frames / (FADE + 1) : 1;
        assert_true(fabs(sound.samples[2 * i] - 0.5 * gain) < 1e-6);
    }
    sound_finish(&sound);
}

static void test_peak_and_clips(void **state)
{
    (void)state;
    char error[160];
    float a[4] = {0.5f, -1.5f, 1.0f, 9}, b[4] = {-0.25f, 1.25f, -1.0f, 9};
    struct render_sink sink = {.body_frames = 3};
    sink.file = sound_file_create(path, 48000, 2, SOUND_24_BIT, error, sizeof error);
    assert_int_equal(render_sink_take(&sink, (float *const[2]){a, b}, 4), 0);
    assert_int_equal(render_sink_finish(&sink), 0);
    assert_int_equal(sound_file_close(sink.file), 0);
    assert_int_equal(sink.clips, 2);
    assert_true(sink.peak == 1.5f);
}

static int make_path(void **state)
{
    (void)state;
    int file = mkstemps(path, 4);
    return file < 0 ? -1 : close(file);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_piece_is_cut_out),
        cmocka_unit_test(test_the_tail_fades_out),
        cmocka_unit_test(test_peak_and_clips),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
