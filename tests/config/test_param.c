// The parameter table: its rows are sane, every name leads back to its index.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

#include "config/param.h"
#include "config/text.h"

enum { NAME_BYTES = 96 };

static void indices_are_a_run(void **state)
{
    (void)state;
    unsigned next = 0;
    for (size_t i = 0; i < param_row_count; i++) {
        const struct param *row = &param_rows[i];
        const unsigned parts = row->flags & PARAM_FLAG_PER_PART ? 16 : 1;
        assert_int_equal(row->index, next);
        for (unsigned n = 0; n < parts; n++) {
            assert_ptr_equal(param_row(next + n), row);
            assert_int_equal(param_part(next + n), parts == 16 ? n + 1 : 0);
        }
        next += parts;
    }
    assert_int_equal(next, PARAM_COUNT);
}

static void rows_make_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < param_row_count; i++) {
        const struct param *row = &param_rows[i];
        assert_int_equal(row->path[0], '/');
        assert_true(strlen(row->path) < NAME_BYTES - 4);
        assert_true(*row->label && *row->sentence);
        assert_int_equal(!!strstr(row->path, "/N/"), !!(row->flags & PARAM_FLAG_PER_PART));
        assert_false((row->flags & PARAM_FLAG_STATE) && (row->flags & PARAM_FLAG_CONFIG));
        assert_false((row->flags & PARAM_FLAG_ENGINE) && row->type == PARAM_TEXT);
        assert_true(text_is_utf8(row->sentence) && !text_has_control(row->sentence));
        assert_int_equal(row->type == PARAM_ENUM, *row->choices != '\0');
        if (row->type == PARAM_ENUM)
            assert_int_equal(param_choice_count(row) - 1, (int)row->maximum);
        if (row->type != PARAM_TEXT)
            assert_true(row->minimum < row->maximum);
    }
}

static void defaults_are_valid(void **state)
{
    (void)state;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        struct param_value value;
        param_default(index, &value);
        if (param_row(index)->type == PARAM_TEXT)
            assert_string_equal(value.text, param_row(index)->text);
        else
            assert_true(param_is_valid(param_row(index), value.number));
    }
    struct param_value channel;
    param_default(PARAM_CH_CHANNEL, &channel);
    assert_true(channel.number == 1);
    param_default(PARAM_CH_CHANNEL + 15, &channel);
    assert_true(channel.number == 16);
}

static void names_lead_back(void **state)
{
    (void)state;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        char name[NAME_BYTES];
        const int path_bytes = param_path(index, name, sizeof name);
        assert_int_equal(path_bytes, strlen(name));
        assert_int_equal(param_find_path(name), index);
        assert_int_equal(param_nearest_path(name), index);
        const int key_bytes = param_key(index, name, sizeof name);
        assert_int_equal(key_bytes, strlen(name));
        assert_int_equal(param_find_key(name), index);
        if (param_row(index)->flags & PARAM_FLAG_CONFIG)
            assert_int_equal(param_nearest_key(name), index);
    }
}

static void names_look_as_documented(void **state)
{
    (void)state;
    char name[NAME_BYTES];
    param_path(PARAM_CH_VOLUME + 2, name, sizeof name);
    assert_string_equal(name, "/ch/3/volume");
    param_key(PARAM_CH_VOLUME + 2, name, sizeof name);
    assert_string_equal(name, "ch3.volume");
    param_key(PARAM_LIMITER_ON, name, sizeof name);
    assert_string_equal(name, "master.limiter.on");
    assert_int_equal(param_path(PARAM_LIMITER_ON, name, 4), strlen("/master/limiter/on"));
    assert_string_equal(name, "/ma");
}

static void wrong_names_are_not_found(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "/",          "/ch",         "/ch/",          "/ch/0/volume",
        "/ch/N/pan",  "/ch/17/pan", "/ch/03/pan",  "/ch/1/",        "/ch/1/pan/",
        "/ch/1",      "ch/1/pan",   "/audio.rate", "/audio/rate ",  "/ch/99999999999999/pan",
        "/ch/-1/pan", "/ch//pan",   "ch1.volume",  "/master/gain/x"};
    static const char *const wrong_keys[] = {"",         ".",        "ch.1.pan", "ch0.pan",
                                             "ch17.pan", "ch1",      "ch1/pan",  "/audio/rate",
                                             "chN.pan",  "ch01.pan", "audio",    "audio.rate."};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(param_find_path(wrong[i]), -ENOENT);
    for (size_t i = 0; i < sizeof wrong_keys / sizeof wrong_keys[0]; i++)
        assert_int_equal(param_find_key(wrong_keys[i]), -ENOENT);
}

static void near_spellings_are_found(void **state)
{
    (void)state;
    assert_int_equal(param_nearest_key("synth.polifony"), PARAM_SYNTH_POLYPHONY);
    assert_int_equal(param_nearest_key("ch12.voluem"), PARAM_CH_VOLUME + 11);
    assert_int_equal(param_nearest_path("/master/limitr/celing"), PARAM_LIMITER_CEILING);
    // What the box reports is no suggestion for its config file.
    assert_int_not_equal(param_nearest_key("audio.state"), PARAM_AUDIO_STATE);
}

static void normalised_values_come_back(void **state)
{
    (void)state;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        const struct param *row = param_row(index);
        if (row->type == PARAM_TEXT)
            continue;
        assert_true(param_normalize(row, row->minimum) == 0);
        assert_true(param_normalize(row, row->maximum) == 1);
        for (int i = 0; i <= 100; i++) {
            const double value = param_denormalize(row, i / 100.0);
            assert_true(param_is_valid(row, value));
            const double again = param_denormalize(row, param_normalize(row, value));
            assert_true(fabs(again - value) <= 1e-12 * (row->maximum - row->minimum));
        }
    }
}

static void clamp_gives_valid_numbers(void **state)
{
    (void)state;
    static const double numbers[] = {-INFINITY, -1e300, -1.5, -0.0,     0.4999,
                                     0.5,       63.7,   1e9,  INFINITY, NAN};
    for (size_t i = 0; i < param_row_count; i++) {
        const struct param *row = &param_rows[i];
        for (size_t n = 0; n < sizeof numbers / sizeof numbers[0] && row->type != PARAM_TEXT; n++) {
            const double clamped = param_clamp(row, numbers[n]);
            assert_true(param_is_valid(row, clamped));
            if (param_is_valid(row, numbers[n]))
                assert_true(clamped == numbers[n]);
        }
    }
    const struct param *volume = param_row(PARAM_CH_VOLUME);
    assert_false(param_is_valid(volume, 63.5));
    assert_false(param_is_valid(volume, NAN));
    assert_true(param_clamp(volume, 63.6) == 64);
    assert_true(param_clamp(volume, NAN) == 100);
}

static void assert_format(unsigned index, double number, const char *expected)
{
    char text[64];
    const struct param_value value = {.number = number};
    assert_int_equal(param_format(param_row(index), &value, text, sizeof text), strlen(expected));
    assert_string_equal(text, expected);
}

static void values_read_well(void **state)
{
    (void)state;
    assert_format(PARAM_LIMITER_CEILING, -0.5, "-0.5 dB");
    assert_format(PARAM_AUDIO_RATE, 48000, "48000 Hz");
    assert_format(PARAM_MASTER_GAIN, -0.0, "0 dB");
    assert_format(PARAM_MASTER_GAIN, 0.1f, "0.1 dB");
    assert_format(PARAM_MASTER_GAIN, 0.1, "0.1 dB");
    assert_format(PARAM_AUDIO_SERVER, 1, "start");
    assert_format(PARAM_MIDI_SEQUENCER, 1, "on");
    assert_format(PARAM_MIDI_SEQUENCER, 0, "off");
    assert_format(PARAM_AUDIO_XRUNS, 2147483647, "2147483647");
    char text[16];
    const struct param_value file = {.text = "a \"b\\"};
    assert_int_equal(param_format(param_row(PARAM_PLAYER_FILE), &file, text, sizeof text), 9);
    assert_string_equal(text, "\"a \\\"b\\\\\"");
    assert_int_equal(param_format(param_row(PARAM_PLAYER_FILE), &file, text, 4), 9);
    assert_string_equal(text, "\"a ");
}

static void assert_range(unsigned index, const char *expected)
{
    char text[128];
    assert_int_equal(param_format_range(param_row(index), text, sizeof text), strlen(expected));
    assert_string_equal(text, expected);
}

static void ranges_read_well(void **state)
{
    (void)state;
    assert_range(PARAM_AUDIO_PERIOD, "16 to 4096 frames");
    assert_range(PARAM_AUDIO_SERVER, "auto, start or join");
    assert_range(PARAM_MIDI_TIMING, "steady or soon");
    assert_range(PARAM_MIDI_SEQUENCER, "on or off");
    assert_range(PARAM_SYNTH_FONT, "text of at most 255 bytes");
}

static void choices_have_names(void **state)
{
    (void)state;
    const struct param *server = param_row(PARAM_AUDIO_SERVER);
    char name[16];
    assert_int_equal(param_choice_find(server, "join"), 2);
    assert_int_equal(param_choice_find(server, "joi"), -ENOENT);
    assert_int_equal(param_choice_find(server, "auto|start"), -ENOENT);
    assert_int_equal(param_choice_find(server, ""), -ENOENT);
    assert_int_equal(param_choice_name(server, 1, name, sizeof name), 5);
    assert_string_equal(name, "start");
    assert_int_equal(param_choice_name(server, 3, name, sizeof name), -ENOENT);
    assert_int_equal(param_choice_name(server, -1, name, sizeof name), -ENOENT);
    assert_int_equal(param_choice_count(server), 3);
    assert_int_equal(param_choice_count(param_row(PARAM_AUDIO_RATE)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_are_a_run),         cmocka_unit_test(rows_make_sense),
        cmocka_unit_test(defaults_are_valid),        cmocka_unit_test(names_lead_back),
        cmocka_unit_test(names_look_as_documented),  cmocka_unit_test(wrong_names_are_not_found),
        cmocka_unit_test(near_spellings_are_found),  cmocka_unit_test(normalised_values_come_back),
        cmocka_unit_test(clamp_gives_valid_numbers), cmocka_unit_test(values_read_well),
        cmocka_unit_test(ranges_read_well),          cmocka_unit_test(choices_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
