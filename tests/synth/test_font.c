// The sampler against a bare libfluidsynth on the same file: a null test. And what a font tells.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/synth/twin.h"

static const double bound_db = -100.0;

static struct twin twin;

static void expect_same(const char *what)
{
    double residual_db = twin_residual_db(&twin);
    printf("%s: residual %.1f dB, %llu samples differ, peak %.3f\n", what, residual_db,
           (unsigned long long)twin.differs, twin.loudest);
    assert_true(twin.loudest > 0.001);
    assert_true(residual_db <= bound_db);
}

/// Every `stride`th preset, some keys and velocities of each, held for a while and let go.
static void compare_presets(const char *font, unsigned stride, unsigned held_blocks)
{
    static const uint8_t keys[] = {21, 35, 38, 42, 46, 48, 57, 60, 69, 74, 81, 96, 108};
    static const uint8_t velocities[] = {1, 40, 80, 127};
    if (twin_create(&twin, font)) {
        printf("the font %s is not installed\n", font);
        skip();
    }
    for (unsigned preset = 0; preset < font_preset_count(twin.font); preset += stride) {
        uint8_t part = (uint8_t)(preset % 16);
        twin_preset(&twin, part, preset);
        for (size_t v = 0; v < sizeof velocities; v++) {
            for (size_t k = v % 2; k < sizeof keys; k += 2)
                twin_note(&twin, part, keys[k], velocities[v]);
            twin_render(&twin, held_blocks);
        }
        for (size_t k = 0; k < sizeof keys; k++)
            twin_note(&twin, part, keys[k], 0);
        twin_render(&twin, 4);
        if (preset % 3)
            twin_sound_off(&twin);
    }
    expect_same(font);
    twin_destroy(&twin);
}

static void test_every_preset_sounds_as_by_the_library(void **state)
{
    (void)state;
    compare_presets("TimGM6mb", 1, 6);
}

static void test_loops_and_envelopes(void **state)
{
    (void)state;
    compare_presets("TimGM6mb", 17, 200);
}

static void test_a_large_font(void **state)
{
    (void)state;
    compare_presets("FluidR3_GM", 7, 6);
}

static void test_a_compressed_font(void **state)
{
    (void)state;
    compare_presets("FluidR3Mono_GM", 23, 6);
}

static void test_drums_silence_their_fellows(void **state)
{
    (void)state;
    static const uint8_t keys[] = {46, 42, 46, 44, 46, 42, 42, 36, 38, 49, 46, 81, 80, 78, 79};
    if (twin_create(&twin, "TimGM6mb"))
        skip();
    for (unsigned preset = 0; preset < font_preset_count(twin.font); preset++)
        if (font_preset_bank(twin.font, preset) == FONT_BANK_DRUMS) {
            twin_preset(&twin, 9, preset);
            for (size_t i = 0; i < sizeof keys; i++) {
                twin_note(&twin, 9, keys[i], (uint8_t)(60 + 4 * i));
                twin_render(&twin, 17);
            }
        }
    expect_same("drums");
    twin_destroy(&twin);
}

// ---- controllers ----

static int pick(int low, int high) { return low + rand() % (high - low + 1); }

static void turn_a_controller(uint8_t part)
{
    static const uint8_t numbers[] = {1, 2, 7, 8, 10, 11, 11, 64, 64, 66, 67, 71, 74, 92, 121, 123};
    uint8_t number = numbers[(size_t)rand() % sizeof numbers];
    twin_control(&twin, part, number, (uint8_t)pick(0, 127));
}

static void enter_rpn(uint8_t part)
{
    int number = pick(0, 2);
    twin_control(&twin, part, 101, 0);
    twin_control(&twin, part, 100, (uint8_t)number);
    twin_control(&twin, part, 38, (uint8_t)(number == 1 ? pick(0, 127) : 0));
    twin_control(&twin, part, 6, (uint8_t)(number ? pick(52, 76) : pick(0, 24)));
}

/// Any generator but the offsets of a sample's end, which ours keeps where the font has them.
static void enter_nrpn(uint8_t part)
{
    int data = 8192 + pick(-300, 300), number = pick(0, 62);
    twin_control(&twin, part, 99, 120);
    twin_control(&twin, part, 98, (uint8_t)(number == 1 || number == 12 ? 8 : number));
    twin_control(&twin, part, 38, (uint8_t)(data & 127));
    twin_control(&twin, part, 6, (uint8_t)(data >> 7));
}

static void play_something(uint8_t part)
{
    switch (rand() % 12) {
    case 0:
        enter_rpn(part);
        break;
    case 1:
        enter_nrpn(part);
        break;
    case 2:
        twin_bend(&twin, part, pick(-8192, 8191));
        break;
    case 3:
        twin_pressure(&twin, part, (uint8_t)pick(0, 127));
        break;
    case 4:
        twin_key_pressure(&twin, part, (uint8_t)pick(40, 80), (uint8_t)pick(0, 127));
        break;
    case 5:
    case 6:
        turn_a_controller(part);
        break;
    case 7:
        twin_preset(&twin, part, (unsigned)rand() % font_preset_count(twin.font));
        break;
    case 8:
    case 9:
        twin_note(&twin, part, (uint8_t)pick(40, 80), 0);
        break;
    default:
        twin_note(&twin, part, (uint8_t)pick(40, 80), (uint8_t)pick(1, 127));
    }
}

static void test_controllers_act_as_in_the_library(void **state)
{
    (void)state;
    if (twin_create(&twin, "TimGM6mb"))
        skip();
    for (unsigned seed = 0; seed < 40; seed++) {
        srand(seed);
        for (int i = 0; i < 60; i++) {
            play_something((uint8_t)pick(0, 15));
            twin_render(&twin, (unsigned)pick(0, 4));
        }
        for (uint8_t part = 0; part < 16; part++) {
            twin_control(&twin, part, 121, 0);
            twin_control(&twin, part, 123, 0);
            twin_control(&twin, part, 7, 100);
        }
        twin_sound_off(&twin);
    }
    expect_same("controllers");
    twin_destroy(&twin);
}

static void test_mono_legato_and_portamento(void **state)
{
    (void)state;
    static const uint8_t numbers[] = {126, 127, 68, 65, 5, 64, 2};
    if (twin_create(&twin, "TimGM6mb"))
        skip();
    srand(5);
    bool is_held[4][128] = {{false}};
    for (int i = 0; i < 1500; i++) {
        uint8_t part = (uint8_t)pick(0, 3), key = (uint8_t)pick(55, 65);
        if (rand() % 4 == 0) {
            uint8_t number = numbers[(size_t)rand() % sizeof numbers];
            int value = number >= 126 ? number == 126 : number == 5 ? pick(1, 9) : pick(0, 127);
            twin_control(&twin, part, number, (uint8_t)value);
        } else {
            is_held[part][key] = !is_held[part][key];
            twin_note(&twin, part, key, (uint8_t)(is_held[part][key] ? pick(1, 127) : 0));
        }
        twin_render(&twin, (unsigned)pick(0, 6));
    }
    expect_same("mono, legato, portamento");
    twin_destroy(&twin);
}

static void test_a_glide_is_for_the_next_note_alone(void **state)
{
    (void)state;
    if (twin_create(&twin, "TimGM6mb"))
        skip();
    twin_preset(&twin, 0, font_find_preset(twin.font, 0, 48, false));
    twin_control(&twin, 0, 5, 7); // portamento time
    for (uint8_t key = 50; key < 70; key++) {
        if (key % 2)
            twin_control(&twin, 0, 84, (uint8_t)(key - 12));
        twin_note(&twin, 0, key, 100);
        twin_render(&twin, 30);
        twin_note(&twin, 0, key, 0);
    }
    expect_same("glide");
    twin_destroy(&twin);
}

// ---- what a font tells ----

static void test_presets_are_found_by_the_rules(void **state)
{
    (void)state;
    char path[512], error[256];
    if (font_find("TimGM6mb", path, sizeof path))
        skip();
    struct font *font = font_load(path, NULL, NULL, error, sizeof error);
    assert_non_null(font);
    for (unsigned i = 0; i < font_preset_count(font); i++) {
        unsigned bank = font_preset_bank(font, i), program = font_preset_program(font, i);
        bool is_drums = bank == FONT_BANK_DRUMS;
        assert_int_equal(font_find_preset(font, bank, program, is_drums), i);
        assert_true(font_preset_name(font, i)[0]);
    }
    unsigned kit = font_find_preset(font, 0, 99, true);
    assert_int_equal(font_preset_bank(font, kit), FONT_BANK_DRUMS);
    assert_int_equal(font_preset_program(font, kit), 0);
    unsigned variation = font_find_preset(font, 77, 40, false);
    assert_int_equal(font_preset_bank(font, variation), 0);
    assert_int_equal(font_preset_program(font, variation), 40);
    assert_true(font_is_exclusive(font, kit, 42) && font_is_exclusive(font, kit, 46));
    assert_false(font_is_exclusive(font, kit, 36));
    font_destroy(font);
}

static int rising;
static double last_percent;

static void hear_progress(void *context, double percent)
{
    assert_ptr_equal(context, &rising);
    assert_true(percent >= last_percent && percent <= 100.0);
    last_percent = percent;
    rising++;
}

static void test_loading_reports_progress(void **state)
{
    (void)state;
    char path[512], error[256];
    if (font_find("TimGM6mb", path, sizeof path))
        skip();
    struct font *font = font_load(path, hear_progress, &rising, error, sizeof error);
    assert_non_null(font);
    assert_string_equal(font_path(font), path);
    assert_true(rising > 1);
    font_destroy(font);
}

static void expect_refused(const char *path, const char *reason)
{
    char error[256] = "";
    assert_null(font_load(path, NULL, NULL, error, sizeof error));
    assert_ptr_equal(strstr(error, path), error);
    assert_non_null(strstr(error, reason));
}

static void test_what_is_no_font_is_refused(void **state)
{
    (void)state;
    expect_refused("/nowhere/at/all.sf2", "No such file");
    expect_refused("/tmp", "no regular file");
    expect_refused("/dev/zero", "no regular file");
    expect_refused("/proc/self/exe", "no SoundFont");
    char path[32];
    assert_true(font_find("no such font", path, sizeof path) < 0);
    assert_true(font_find("/no/such/font", path, sizeof path) < 0);
    assert_true(font_find("TimGM6mb", path, 8) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_preset_sounds_as_by_the_library),
        cmocka_unit_test(test_loops_and_envelopes),
        cmocka_unit_test(test_a_large_font),
        cmocka_unit_test(test_a_compressed_font),
        cmocka_unit_test(test_drums_silence_their_fellows),
        cmocka_unit_test(test_controllers_act_as_in_the_library),
        cmocka_unit_test(test_mono_legato_and_portamento),
        cmocka_unit_test(test_a_glide_is_for_the_next_note_alone),
        cmocka_unit_test(test_presets_are_found_by_the_rules),
        cmocka_unit_test(test_loading_reports_progress),
        cmocka_unit_test(test_what_is_no_font_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
