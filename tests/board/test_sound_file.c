/// Sound files: what is written comes back, failures are named, hostile files are refused.
#include <errno.h>
#include <math.h>
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/sound_file.h"

enum { RATE_HZ = 48000, FRAMES = 48000, MAX_FRAMES = 10 * RATE_HZ };

static char directory[64];
static float tone[2 * FRAMES];
static char error[256];

static const char *place(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/consort-sound-XXXXXX");
    for (int i = 0; i < FRAMES; i++) {
        tone[2 * i] = 0.7f * sinf(0.03f * (float)i);
        tone[2 * i + 1] = -0.3f * sinf(0.041f * (float)i);
    }
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *names[] = {"a.wav", "a.flac", "a.ogg", "a.WAV", "a.mp3", "junk.wav"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(place(names[i]));
    return rmdir(directory);
}

static void write_tone(const char *name, enum sound_format format)
{
    struct sound_file *file =
        sound_file_create(place(name), RATE_HZ, 2, format, error, sizeof error);
    assert_non_null(file);
    for (int done = 0; done < FRAMES; done += 1000)
        assert_int_equal(sound_file_write(file, tone + 2 * done, 1000), 0);
    assert_int_equal(sound_file_frames(file), FRAMES);
    assert_int_equal(sound_file_close(file), 0);
}

static double worst_difference(const struct sound *sound)
{
    double worst = 0.0;
    for (size_t i = 0; i < 2 * FRAMES; i++)
        worst = fmax(worst, fabs((double)sound->samples[i] - (double)tone[i]));
    return worst;
}

static void check_round_trip(const char *name, enum sound_format format, double bound)
{
    struct sound sound;
    write_tone(name, format);
    assert_int_equal(sound_file_read_all(place(name), MAX_FRAMES, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, FRAMES);
    assert_int_equal(sound.channels, 2);
    assert_int_equal(sound.rate_hz, RATE_HZ);
    assert_true(worst_difference(&sound) <= bound);
    sound_finish(&sound);
}

static void test_round_trips(void **state)
{
    (void)state;
    check_round_trip("a.wav", SOUND_16_BIT, 1.0 / 32767);
    check_round_trip("a.wav", SOUND_24_BIT, 1.0 / 8388607);
    check_round_trip("a.wav", SOUND_FLOAT, 0.0);
    check_round_trip("a.WAV", SOUND_FLOAT, 0.0);
    check_round_trip("a.flac", SOUND_16_BIT, 1.0 / 32767);
    check_round_trip("a.flac", SOUND_FLOAT, 1.0 / 8388607);
    check_round_trip("a.ogg", SOUND_16_BIT, 0.1);
}

static void test_writes_mp3(void **state)
{
    (void)state;
    struct sound sound;
    write_tone("a.mp3", SOUND_16_BIT);
    assert_int_equal(sound_file_read_all(place("a.mp3"), MAX_FRAMES, &sound, error, sizeof error),
                     0);
    assert_in_range(sound.frames, FRAMES - 2500, FRAMES + 2500);
    sound_finish(&sound);
}

static void test_clips_where_it_must(void **state)
{
    (void)state;
    const float loud[2] = {3.0f, -3.0f};
    struct sound sound;
    struct sound_file *file =
        sound_file_create(place("a.wav"), RATE_HZ, 2, SOUND_16_BIT, error, sizeof error);
    assert_int_equal(sound_file_write(file, loud, 1), 0);
    assert_int_equal(sound_file_close(file), 0);
    sound_file_read_all(place("a.wav"), 10, &sound, error, sizeof error);
    assert_true(sound.samples[0] > 0.999f && sound.samples[1] < -0.999f);
    sound_finish(&sound);
}

static void test_flushed_file_is_whole(void **state)
{
    (void)state;
    struct sound sound;
    struct sound_file *file =
        sound_file_create(place("a.wav"), RATE_HZ, 2, SOUND_16_BIT, error, sizeof error);
    assert_int_equal(sound_file_write(file, tone, 12000), 0);
    assert_int_equal(sound_file_flush(file), 0);
    // As after a cut of power: the writer has not closed the file.
    assert_int_equal(sound_file_read_all(place("a.wav"), MAX_FRAMES, &sound, error, sizeof error),
                     0);
    assert_int_equal(sound.frames, 12000);
    sound_finish(&sound);
    assert_int_equal(sound_file_close(file), 0);
}

static void test_names_the_failure(void **state)
{
    (void)state;
    assert_null(sound_file_create("/nowhere/a.wav", RATE_HZ, 2, SOUND_16_BIT, error, sizeof error));
    assert_int_equal(errno, ENOENT);
    assert_non_null(strstr(error, "/nowhere/a.wav: No such file or directory"));
    assert_null(sound_file_create(place("a.xyz"), RATE_HZ, 2, SOUND_16_BIT, error, sizeof error));
    assert_non_null(strstr(error, ".flac"));
    assert_null(
        sound_file_create(place("noending"), RATE_HZ, 2, SOUND_16_BIT, error, sizeof error));
    assert_null(sound_file_create(place("a.wav"), 7, 2, SOUND_16_BIT, error, sizeof error));
    assert_null(sound_file_create(place("a.wav"), RATE_HZ, 9, SOUND_16_BIT, error, sizeof error));
    assert_int_equal(errno, EINVAL);
}

static void test_reports_a_full_disk(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit small = {.rlim_cur = 20000, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    struct sound_file *file =
        sound_file_create(place("a.wav"), RATE_HZ, 2, SOUND_16_BIT, error, sizeof error);
    int code = 0;
    for (int i = 0; i < 48 && code == 0; i++)
        code = sound_file_write(file, tone + 2000 * i, 1000);
    setrlimit(RLIMIT_FSIZE, &before);
    bool is_named = strstr(sound_file_error(file), "File too large") != NULL;
    sound_file_close(file);
    assert_int_equal(code, -EIO);
    assert_true(is_named);
}

static void expect_refusal(const char *path, int code, const char *word)
{
    struct sound sound;
    assert_int_equal(sound_file_read_all(path, 1000, &sound, error, sizeof error), code);
    assert_null(sound.samples);
    assert_non_null(strstr(error, word));
}

static void write_junk(const void *bytes, size_t count)
{
    FILE *file = fopen(place("junk.wav"), "wb");
    assert_non_null(file);
    fwrite(bytes, 1, count, file);
    fclose(file);
}

static void test_refuses_hostile_files(void **state)
{
    (void)state;
    write_tone("a.wav", SOUND_16_BIT);
    expect_refusal(place("a.wav"), -EFBIG, "longer than 1000 frames");
    expect_refusal("/nowhere/a.wav", -ENOENT, "No such file");
    write_junk("hello", 5);
    expect_refusal(place("junk.wav"), -EINVAL, "no sound file");
    write_junk("", 0);
    expect_refusal(place("junk.wav"), -EINVAL, "no sound file");
    // 64 channels, and a data chunk that promises 4 GiB.
    static const unsigned char header[] =
        "RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\x40\0\x80\xbb\0\0\0\xe0\x2e\0\x80\0\x10\0"
        "data\xff\xff\xff\xff";
    write_junk(header, sizeof header - 1);
    expect_refusal(place("junk.wav"), -EINVAL, "channels");
}

static void test_does_not_believe_the_header(void **state)
{
    (void)state;
    struct sound sound;
    static const unsigned char header[] =
        "RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0"
        "data\xff\xff\xff\xff\1\2\3\4";
    write_junk(header, sizeof header - 1);
    assert_int_equal(sound_file_read_all(place("junk.wav"), 1000, &sound, error, sizeof error), 0);
    assert_int_equal(sound.frames, 2);
    sound_finish(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_writes_mp3),
        cmocka_unit_test(test_clips_where_it_must),
        cmocka_unit_test(test_flushed_file_is_whole),
        cmocka_unit_test(test_names_the_failure),
        cmocka_unit_test(test_reports_a_full_disk),
        cmocka_unit_test(test_refuses_hostile_files),
        cmocka_unit_test(test_does_not_believe_the_header),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
