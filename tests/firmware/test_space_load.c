// Spaces from files that people bring: each gives a response that can be played, or a sentence.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/sound_file.h"
#include "dsp/effects/convolver.h"
#include "dsp/effects/space.h"
#include "firmware/space_load.h"

enum { RATE_HZ = 48000, FRAMES_MAX = 2 * RATE_HZ, SAID = 300 };

static char folder[] = "/tmp/consort-space-XXXXXX";
static char path[PARAM_TEXT_MAX], said[SAID];
static struct schedule schedule;

static struct space_wish wish_of(const char *file)
{
    struct space_wish wish = {.shape = IMPULSE_AS_IT_IS};
    snprintf(wish.file, sizeof wish.file, "%s", file);
    return wish;
}

static struct response *load(const char *file)
{
    struct space_wish wish = wish_of(file);
    strcpy(said, "nothing was said");
    return space_load(&wish, RATE_HZ, &schedule, FRAMES_MAX, said, sizeof said);
}

/// A file is refused with a sentence that names it and has the words in it.
static void assert_refused(const char *words)
{
    assert_null(load(path));
    const char *name = strrchr(path, '/') + 1;
    if (!strstr(said, words) || !strstr(said, name))
        fail_msg("\"%s\" does not say \"%s\" of %s", said, words, name);
    assert_ptr_equal(strstr(strstr(said, name) + 1, name), NULL); // and names it once
}

static const char *name(const char *file)
{
    int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    assert_true(length > 0 && (size_t)length < sizeof path);
    return path;
}

// ---- files ----

static void write_sound(const char *file, int rate_hz, int channels, const float *samples,
                        size_t frames)
{
    char error[300];
    struct sound_file *sound =
        sound_file_create(name(file), rate_hz, channels, SOUND_FLOAT, error, sizeof error);
    assert_non_null(sound);
    assert_int_equal(sound_file_write(sound, samples, frames), 0);
    assert_int_equal(sound_file_close(sound), 0);
}

static float *decay(size_t frames, size_t channels)
{
    unsigned seed = 5;
    float *samples = malloc(frames * channels * sizeof *samples);
    assert_non_null(samples);
    for (size_t i = 0; i < frames * channels; i++) {
        const size_t frame = i / channels;
        samples[i] = ((float)rand_r(&seed) / (float)RAND_MAX - 0.5f) *
                     expf(-6.0f * (float)frame / (float)frames);
    }
    return samples;
}

static void write_decay(const char *file, int rate_hz, int channels, size_t frames)
{
    float *samples = decay(frames, (size_t)channels);
    write_sound(file, rate_hz, channels, samples, frames);
    free(samples);
}

static void write_bytes(const char *file, const void *bytes, size_t count)
{
    FILE *out = fopen(name(file), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

static void put(uint8_t *to, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

/// The header of a WAV of 16 bits, whatever it says.
static void write_header(const char *file, uint32_t rate_hz, uint32_t channels, uint32_t data_bytes)
{
    uint8_t header[44] = "RIFF....WAVEfmt ";
    put(header + 4, 36 + data_bytes, 4);
    put(header + 16, 16, 4);
    put(header + 20, 1, 2);
    put(header + 22, channels, 2);
    put(header + 24, rate_hz, 4);
    put(header + 28, rate_hz * channels * 2, 4);
    put(header + 32, channels * 2, 2);
    put(header + 34, 16, 2);
    memcpy(header + 36, "data", 4);
    put(header + 40, data_bytes, 4);
    write_bytes(file, header, sizeof header);
}

// ---- what a response does ----

/// Energy of what comes out of a click on both sides, which must be finite.
static double energy_of(struct response *response)
{
    static float in[2][256], out[2][256];
    double energy = 0;
    struct convolver *convolver = convolver_create(&(struct convolver_settings){
        .schedule = schedule, .frames_max = FRAMES_MAX, .rate_hz = RATE_HZ});
    assert_non_null(convolver);
    assert_int_equal(convolver_set(convolver, response), 0);
    in[0][0] = in[1][0] = 1;
    for (uint32_t at = 0; at < FRAMES_MAX; at += 256) {
        convolver_run(convolver, (const float *const[2]){in[0], in[1]},
                      (float *const[2]){out[0], out[1]}, 256);
        in[0][0] = in[1][0] = 0;
        for (int i = 0; i < 512; i++)
            energy += (double)out[i % 2][i / 2] * (double)out[i % 2][i / 2];
    }
    convolver_destroy(convolver);
    assert_true(isfinite(energy));
    return energy;
}

static void assert_loaded(enum response_kind kind, uint32_t frames_least, uint32_t frames_most)
{
    struct response *response = load(path);
    if (!response) {
        fail_msg("%s", said);
        return;
    }
    assert_string_equal(said, path);
    assert_int_equal(response->kind, kind);
    if (response->frames < frames_least || response->frames > frames_most)
        fail_msg("%s: %u frames", path, response->frames);
    double energy = energy_of(response);
    if (!(energy > 0.01 && energy < 1000))
        fail_msg("%s: an energy of %g", path, energy);
    response_drop(response);
}

// ---- the tests ----

static void test_spaces(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPACE_KINDS; kind++) {
        struct space_wish wish = {.space = kind, .shape = IMPULSE_AS_IT_IS};
        struct response *response =
            space_load(&wish, RATE_HZ, &schedule, FRAMES_MAX, said, sizeof said);
        assert_non_null(response);
        assert_string_equal(said, space_name((enum space_kind)kind));
        assert_true(energy_of(response) > 0.01);
        response_drop(response);
    }
}

static void test_other_rates(void **state)
{
    static const uint32_t rates[] = {8000, 44100, 192000};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct space_wish wish = wish_of("");
        struct schedule other = schedule_standard(rates[i]);
        struct response *response =
            space_load(&wish, rates[i], &other, rates[i], said, sizeof said);
        assert_non_null(response);
        assert_true(response->frames > rates[i] / 10 && response->frames <= rates[i]);
        response_drop(response);
    }
}

static void test_good_files(void **state)
{
    (void)state;
    write_decay("mono.wav", RATE_HZ, 1, 24000);
    assert_loaded(RESPONSE_MONO, 23000, 24000);
    write_decay("stereo.wav", RATE_HZ, 2, 24000);
    assert_loaded(RESPONSE_STEREO, 23000, 24000);
    write_decay("true stereo.flac", RATE_HZ, 4, 24000);
    assert_loaded(RESPONSE_TRUE_STEREO, 23000, 24000);
    write_decay("fine.wav", 192000, 2, 96000);
    assert_loaded(RESPONSE_STEREO, 23000, 24001);
    write_decay("coarse.wav", 8000, 1, 4000);
    assert_loaded(RESPONSE_MONO, 23000, 24001);
    write_sound("one.wav", RATE_HZ, 1, (const float[]){0.25f}, 1);
    assert_loaded(RESPONSE_MONO, 1, 1);
    write_sound("four fine.wav", 192000, 1, (const float[]){.1f, .2f, .3f, .4f}, 4);
    assert_loaded(RESPONSE_MONO, 1, 1);
}

/// Longer than the engine takes, up to a minute: the beginning, without a click at its end.
static void test_long_files(void **state)
{
    (void)state;
    write_decay("long.wav", RATE_HZ, 2, 10 * RATE_HZ);
    assert_loaded(RESPONSE_STEREO, FRAMES_MAX, FRAMES_MAX);
    write_decay("minute.wav", 11025, 1, 60 * 11025);
    assert_loaded(RESPONSE_MONO, FRAMES_MAX, FRAMES_MAX);
}

static void test_too_long_files(void **state)
{
    (void)state;
    const uint32_t ten_minutes = 600 * RATE_HZ;
    write_header("ten minutes.wav", RATE_HZ, 1, ten_minutes * 2);
    assert_int_equal(truncate(path, 44 + 2 * (off_t)ten_minutes), 0);
    assert_refused("longer than");
    write_header("ten coarse minutes.wav", 8000, 1, 600 * 8000 * 2);
    assert_int_equal(truncate(path, 44 + 600 * 8000 * 2), 0);
    assert_refused("at most 60 seconds");
    write_decay("with delay.wav", 8000, 1, 60 * 8000);
    struct space_wish wish = wish_of(path);
    wish.shape.pre_delay_ms = 500;
    assert_null(space_load(&wish, 8000, &schedule, FRAMES_MAX, said, sizeof said));
    assert_non_null(strstr(said, "pre-delay"));
}

static void test_unusable_sound(void **state)
{
    static const float silence[8 * 100];
    float odd[2 * 100] = {0.5f, 0.5f};
    (void)state;
    write_sound("silent.wav", RATE_HZ, 2, silence, 100);
    assert_refused("silent");
    write_sound("three.wav", RATE_HZ, 3, silence, 100);
    assert_refused("1, 2 or 4 channels");
    write_decay("eight.wav", RATE_HZ, 8, 100);
    assert_refused("1, 2 or 4 channels");
    write_sound("one fine.wav", 192000, 2, (const float[]){.1f, .2f}, 1); // less than a frame here
    assert_refused("nothing is left");
    static const float faults[] = {NAN, INFINITY, -INFINITY, 1e7f};
    for (int i = 0; i < 4; i++) {
        odd[101] = faults[i];
        write_sound("no number.wav", RATE_HZ, 2, odd, 100);
        assert_refused("no numbers");
    }
    write_header("slow.wav", 4000, 1, 2000);
    assert_int_equal(truncate(path, 2044), 0);
    assert_refused("8000 to 384000");
    write_header("nine.wav", RATE_HZ, 9, 1800);
    assert_int_equal(truncate(path, 1844), 0);
    assert_refused("8 channels");
    write_header("headless.wav", RATE_HZ, 2, 0);
    assert_refused("no samples");
}

static void test_broken_files(void **state)
{
    (void)state;
    name("missing.wav");
    assert_refused("No such file");
    assert_int_equal(mkdir(name("folder.wav"), 0700), 0);
    assert_refused("");
    rmdir(path);
    write_bytes("empty.wav", "", 0);
    assert_refused("no sound file");
    write_bytes("text.wav", "RIFF is not enough", 18);
    assert_refused("no sound file");
    write_header("liar.wav", RATE_HZ, 2, UINT32_MAX); // promises 4 GiB and has none
    assert_refused("");
}

/// A path as long as can be leaves room for the reason.
static void test_long_path(void **state)
{
    char file[PARAM_TEXT_MAX];
    (void)state;
    memset(file, 'x', sizeof file);
    snprintf(file + 180, sizeof file - 180, "end.wav");
    name(file);
    assert_null(load(path));
    assert_non_null(strstr(said, "end.wav: No such file"));
    write_bytes(file, "no", 2);
    assert_null(load(path));
    assert_non_null(strstr(said, "no sound file"));
}

/// However little room there is to say it.
static void test_little_room(void **state)
{
    struct space_wish wish = wish_of(name("missing.wav"));
    (void)state;
    for (size_t room = 1; room < 100; room++) {
        memset(said, 'x', sizeof said);
        assert_null(space_load(&wish, RATE_HZ, &schedule, FRAMES_MAX, said, room));
        assert_true(strlen(said) < room);
    }
}

/// A good file with bytes exchanged is played or refused, and never more than that.
static void test_damaged_files(void **state)
{
    static uint8_t good[8192], bad[8192];
    unsigned seed = 11, loaded = 0;
    (void)state;
    write_decay("good.wav", RATE_HZ, 2, 900);
    FILE *in = fopen(path, "rb");
    size_t count = fread(good, 1, sizeof good, in);
    fclose(in);
    assert_true(count > 7000);
    for (int i = 0; i < 400; i++) {
        memcpy(bad, good, count);
        for (int k = 0; k <= rand_r(&seed) % 4; k++)
            bad[(size_t)rand_r(&seed) % (k % 2 ? count : 90)] = (uint8_t)rand_r(&seed);
        write_bytes("damaged.wav", bad, i % 3 ? count : (size_t)rand_r(&seed) % count);
        struct response *response = load(path);
        assert_non_null(strstr(said, "damaged.wav"));
        loaded += response != NULL;
        if (response && i % 16 == 0)
            energy_of(response);
        response_drop(response);
    }
    assert_true(loaded > 10 && loaded < 400);
}

/// All extremes of the shape give sound that is finite.
static void test_shapes(void **state)
{
    (void)state;
    write_decay("shaped.wav", RATE_HZ, 2, 12000);
    for (unsigned i = 0; i < 64; i++) {
        struct space_wish wish = wish_of(path);
        wish.shape = (struct impulse_shape){.decay = i & 1 ? 0.1f : 1,
                                            .damping = i & 2 ? 1 : 0,
                                            .low_cut_hz = i & 4 ? 2000 : 20,
                                            .high_cut_hz = i & 8 ? 500 : 20000,
                                            .pre_delay_ms = i & 16 ? 500 : 0,
                                            .width = i & 32 ? 2 : 0};
        struct response *response =
            space_load(&wish, RATE_HZ, &schedule, FRAMES_MAX, said, sizeof said);
        assert_non_null(response);
        if (i % 8 == 0 || i == 63)
            energy_of(response);
        response_drop(response);
    }
}

static void get(void *context, unsigned index, struct param_value *value)
{
    (void)context;
    param_default(index, value);
}

static void test_wish(void **state)
{
    const struct impulse_shape as_it_is = IMPULSE_AS_IT_IS;
    struct space_wish wish;
    (void)state;
    space_wish_read(&wish, get, NULL);
    assert_int_equal(wish.space, 0);
    assert_string_equal(wish.file, "");
    assert_memory_equal(&wish.shape, &as_it_is, sizeof as_it_is);
}

static int start(void **state)
{
    (void)state;
    schedule = schedule_standard(FRAMES_MAX);
    return mkdtemp(folder) ? 0 : -1;
}

static int finish(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spaces),         cmocka_unit_test(test_other_rates),
        cmocka_unit_test(test_good_files),     cmocka_unit_test(test_long_files),
        cmocka_unit_test(test_too_long_files), cmocka_unit_test(test_unusable_sound),
        cmocka_unit_test(test_broken_files),   cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_little_room),    cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_shapes),         cmocka_unit_test(test_wish),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
