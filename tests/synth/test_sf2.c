// The SoundFont reader: what it understands, and that nothing hostile passes or breaks it.

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "dsp/synth/layers.h"
#include "dsp/synth/sf2.h"
#include "tests/synth/font_writer.h"

enum { WAVE_FRAMES = 64, EXPLOSION_ZONES = 1500 };

static struct font_writer writer;

static int finish(void **state)
{
    (void)state;
    font_writer_finish(&writer);
    return 0;
}

static int add_sample(void)
{
    int16_t wave[WAVE_FRAMES];
    for (int i = 0; i < WAVE_FRAMES; i++)
        wave[i] = (int16_t)(500 * (i % 16));
    return font_writer_sample(&writer, "wave", wave, WAVE_FRAMES, 16, 48, 44100, 60);
}

static void add_zone(int link_gen, int link)
{
    font_writer_zone(&writer);
    font_writer_gen(&writer, (uint16_t)link_gen, link);
}

static void add_preset(const char *name, uint16_t bank, uint16_t program, int instrument)
{
    font_writer_preset(&writer, name, bank, program);
    add_zone(WRITER_GEN_INSTRUMENT, instrument);
}

static void write_plain_font(void)
{
    int sample = add_sample();
    font_writer_instrument(&writer, "instrument");
    add_zone(WRITER_GEN_SAMPLE, sample);
    add_preset("Last", 128, 3, 0);
    add_preset("Middle", 0, 9, 0);
    add_preset("First", 0, 2, 0);
    add_preset("Again", 0, 9, 0); // the first of two stays
    font_writer_end(&writer);
}

static void parse(struct sf2 *sf2)
{
    char error[256] = "";
    if (sf2_parse(writer.file.at, writer.file.count, sf2, error, sizeof error))
        fail_msg("%s", error);
}

// ---- what it understands ----

static void test_presets_come_sorted_and_once(void **state)
{
    (void)state;
    struct sf2 sf2;
    write_plain_font();
    parse(&sf2);
    assert_int_equal(sf2.preset_count, 3);
    assert_string_equal(sf2.presets[0].name, "First");
    assert_string_equal(sf2.presets[1].name, "Middle");
    assert_string_equal(sf2.presets[2].name, "Last");
    assert_int_equal(sf2.sample_count, 1);
    assert_true(sf2.samples[0].is_usable && !sf2.samples[0].is_compressed);
    assert_int_equal(sf2.samples[0].loop_start, 16);
    assert_int_equal(sf2.samples[0].loop_end, 48);
    sf2_finish(&sf2);
}

static const struct sf2_gen *find_gen(const struct sf2 *sf2, const struct sf2_zone *zone, int id)
{
    for (uint32_t i = 0; i < zone->gens.count; i++)
        if (sf2->gens[zone->gens.first + i].id == id)
            return &sf2->gens[zone->gens.first + i];
    return NULL;
}

static void test_generators_count_where_they_may(void **state)
{
    (void)state;
    struct sf2 sf2;
    int sample = add_sample();
    font_writer_instrument(&writer, "instrument");
    font_writer_zone(&writer); // global: no link
    font_writer_gen(&writer, WRITER_GEN_PAN, 77);
    font_writer_zone(&writer);
    font_writer_gen(&writer, WRITER_GEN_KEYS, font_writer_range(20, 30));
    font_writer_gen(&writer, WRITER_GEN_VELOCITIES, font_writer_range(5, 6));
    font_writer_gen(&writer, WRITER_GEN_ATTENUATION, 10);
    font_writer_gen(&writer, WRITER_GEN_ATTENUATION, 30);               // the last counts
    font_writer_gen(&writer, WRITER_GEN_KEYS, font_writer_range(1, 2)); // not at the head
    font_writer_gen(&writer, 60, 4);                                    // no such generator
    font_writer_gen(&writer, WRITER_GEN_EXCLUSIVE, 3);
    font_writer_gen(&writer, WRITER_GEN_SAMPLE, sample);
    font_writer_gen(&writer, WRITER_GEN_PAN, 5); // behind the link
    font_writer_zone(&writer);                   // a second global one: ignored
    font_writer_gen(&writer, WRITER_GEN_PAN, 5);
    font_writer_preset(&writer, "Preset", 0, 0);
    font_writer_zone(&writer);
    font_writer_gen(&writer, WRITER_GEN_EXCLUSIVE, 3); // not in presets
    font_writer_gen(&writer, WRITER_GEN_PAN, -5);
    font_writer_gen(&writer, WRITER_GEN_INSTRUMENT, 0);
    font_writer_end(&writer);
    parse(&sf2);
    assert_int_equal(sf2.instruments[0].zones.count, 2);
    const struct sf2_zone *global = &sf2.zones[sf2.instruments[0].zones.first], *zone = global + 1;
    assert_int_equal(global->link, -1);
    assert_int_equal(find_gen(&sf2, global, WRITER_GEN_PAN)->amount, 77);
    assert_int_equal(zone->link, sample);
    assert_true(zone->key_low == 20 && zone->key_high == 30);
    assert_true(zone->velocity_low == 5 && zone->velocity_high == 6);
    assert_int_equal(find_gen(&sf2, zone, WRITER_GEN_ATTENUATION)->amount, 30);
    assert_int_equal(find_gen(&sf2, zone, WRITER_GEN_EXCLUSIVE)->amount, 3);
    assert_null(find_gen(&sf2, zone, WRITER_GEN_PAN));
    zone = &sf2.zones[sf2.presets[0].zones.first];
    assert_null(find_gen(&sf2, zone, WRITER_GEN_EXCLUSIVE));
    assert_int_equal(find_gen(&sf2, zone, WRITER_GEN_PAN)->amount, -5);
    sf2_finish(&sf2);
}

static void test_layers_meet_in_both_ranges(void **state)
{
    (void)state;
    struct sf2 sf2;
    struct layers layers;
    int sample = add_sample();
    font_writer_instrument(&writer, "instrument");
    font_writer_zone(&writer);
    font_writer_gen(&writer, WRITER_GEN_KEYS, font_writer_range(40, 80));
    font_writer_gen(&writer, WRITER_GEN_SAMPLE, sample);
    font_writer_preset(&writer, "Preset", 0, 0);
    font_writer_zone(&writer);
    font_writer_gen(&writer, WRITER_GEN_KEYS, font_writer_range(60, 127));
    font_writer_gen(&writer, WRITER_GEN_VELOCITIES, font_writer_range(64, 127));
    font_writer_gen(&writer, WRITER_GEN_INSTRUMENT, 0);
    font_writer_end(&writer);
    parse(&sf2);
    assert_int_equal(layers_build(&layers, &sf2), 0);
    assert_int_equal(layers.layer_count, 1);
    assert_true(layers.layers[0].key_low == 60 && layers.layers[0].key_high == 80);
    assert_true(layers.layers[0].velocity_low == 64 && layers.layers[0].velocity_high == 127);
    layers_finish(&layers);
    sf2_finish(&sf2);
}

static void test_a_modulator_overrides_its_like(void **state)
{
    (void)state;
    struct sf2 sf2;
    struct layers layers;
    int sample = add_sample();
    font_writer_instrument(&writer, "instrument");
    font_writer_zone(&writer);
    font_writer_mod(&writer, 0x0081, 48, 100, 0, 0);
    font_writer_mod(&writer, 0x0082, 48, 100, 0, 0);
    font_writer_zone(&writer);
    font_writer_mod(&writer, 0x0081, 48, 7, 0, 0);
    font_writer_mod(&writer, 0x0081, 48, 9, 0, 0);   // the last of its zone wins
    font_writer_mod(&writer, 0x0081, 4000, 9, 0, 0); // no such destination
    font_writer_gen(&writer, WRITER_GEN_SAMPLE, sample);
    add_preset("Preset", 0, 0, 0);
    font_writer_end(&writer);
    parse(&sf2);
    assert_int_equal(layers_build(&layers, &sf2), 0);
    const struct recipe *recipe = &layers.recipes[layers.layers[0].instrument];
    assert_int_equal(recipe->mods.count, 2);
    assert_true(fluid_mod_get_amount(layers.mods[recipe->mods.first]) == 9.0);
    assert_int_equal(fluid_mod_get_source1(layers.mods[recipe->mods.first + 1]), 2);
    layers_finish(&layers);
    sf2_finish(&sf2);
}

/// libfluidsynth reads far beyond a sample that ends within its first frames.
static void test_offsets_leave_a_sample_its_first_frames(void **state)
{
    (void)state;
    static const struct {
        int fine, coarse, kept_fine, kept_coarse;
    } cases[] = {{-56, 0, -56, 0}, {-57, 0, -56, 0}, {-32768, 0, -56, 0},
                 {5, -1, -56, 0},  {-1, -9, -56, 0}, {0, 1, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sf2 sf2;
        struct layers layers;
        int sample = add_sample();
        font_writer_instrument(&writer, "instrument");
        font_writer_zone(&writer);
        font_writer_mod(&writer, 0x0081, SF2_GEN_END, -100, 0, 0); // nor may modulators do it
        font_writer_gen(&writer, SF2_GEN_END, cases[i].fine);
        font_writer_gen(&writer, SF2_GEN_END_COARSE, cases[i].coarse);
        font_writer_gen(&writer, WRITER_GEN_SAMPLE, sample);
        add_preset("Preset", 0, 0, 0);
        font_writer_end(&writer);
        parse(&sf2);
        assert_int_equal(layers_build(&layers, &sf2), 0);
        const struct recipe *recipe = &layers.recipes[layers.layers[0].instrument];
        const struct layer_gen *gens = layers.gens + recipe->gens.first;
        assert_true(gens[0].id == SF2_GEN_END && gens[1].id == SF2_GEN_END_COARSE);
        assert_true(gens[0].value == (float)cases[i].kept_fine);
        assert_true(gens[1].value == (float)cases[i].kept_coarse);
        assert_int_equal(recipe->mods.count, 0);
        layers_finish(&layers);
        sf2_finish(&sf2);
        font_writer_finish(&writer);
    }
}

// ---- what it refuses ----

/// Parses, and if that succeeds builds the layers; every index must be good.
static int try_bytes(const uint8_t *bytes, size_t count, char *error, size_t error_bytes)
{
    struct sf2 sf2;
    struct layers layers;
    // In memory of its own, so that the address sanitizer sees a step beyond.
    uint8_t *copy = malloc(count ? count : 1);
    assert_non_null(copy);
    if (count)
        memcpy(copy, bytes, count);
    int status = sf2_parse(copy, count, &sf2, error, error_bytes);
    if (status == 0) {
        status = layers_build(&layers, &sf2);
        if (status == 0)
            layers_finish(&layers);
        sf2_finish(&sf2);
    }
    free(copy);
    return status;
}

static void test_every_truncation_is_refused_with_its_place(void **state)
{
    (void)state;
    write_plain_font();
    for (size_t count = 0; count < writer.file.count; count++) {
        char error[256] = "";
        assert_int_equal(try_bytes(writer.file.at, count, error, sizeof error), -EBADMSG);
        assert_true(strstr(error, "byte ") || strstr(error, "chunk "));
    }
}

/// The same with sizes put right, so that chunks and tables end early on purpose.
static void test_every_table_may_be_short_or_missing(void **state)
{
    (void)state;
    for (int table = 0; table < FONT_TABLES; table++)
        for (size_t cut = 1; cut < 200; cut++) {
            struct font_writer short_writer = {0};
            char error[256] = "";
            int16_t wave[WAVE_FRAMES] = {0};
            int sample =
                font_writer_sample(&short_writer, "w", wave, WAVE_FRAMES, 0, 64, 44100, 60);
            font_writer_instrument(&short_writer, "i");
            font_writer_zone(&short_writer);
            font_writer_mod(&short_writer, 1, 2, 3, 4, 0);
            font_writer_gen(&short_writer, WRITER_GEN_SAMPLE, sample);
            font_writer_preset(&short_writer, "p", 0, 0);
            font_writer_zone(&short_writer);
            font_writer_gen(&short_writer, WRITER_GEN_INSTRUMENT, 0);
            font_writer_end(&short_writer);
            struct font_bytes *bytes = &short_writer.tables[table];
            size_t whole = bytes->count;
            bytes->count = cut < whole ? whole - cut : 0;
            font_writer_seal(&short_writer);
            bytes->count = whole;
            int status =
                try_bytes(short_writer.file.at, short_writer.file.count, error, sizeof error);
            assert_true(status == 0 || error[0]);
            font_writer_finish(&short_writer);
            if (cut > whole)
                break;
        }
}

static void test_flipped_bits_break_nothing(void **state)
{
    (void)state;
    write_plain_font();
    for (size_t at = 0; at < writer.file.count; at++)
        for (int bit = 0; bit < 8; bit++) {
            char error[256] = "";
            writer.file.at[at] ^= (uint8_t)(1 << bit);
            int status = try_bytes(writer.file.at, writer.file.count, error, sizeof error);
            assert_true(status == 0 || status == -E2BIG || error[0]);
            writer.file.at[at] ^= (uint8_t)(1 << bit);
        }
}

static void test_random_bytes_break_nothing(void **state)
{
    (void)state;
    write_plain_font();
    srand(1);
    for (int i = 0; i < 20000; i++) {
        char error[256] = "";
        uint8_t copy[4096];
        size_t count = writer.file.count;
        assert_true(count <= sizeof copy);
        memcpy(copy, writer.file.at, count);
        for (int k = rand() % 6; k >= 0; k--)
            copy[(size_t)rand() % count] = (uint8_t)(rand() % 3 ? rand() % 256 : 255);
        try_bytes(copy, count, error, sizeof error);
    }
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    static const char *const chunks[] = {"smpl", "pdta", "phdr", "shdr", "ibag"};
    char error[256];
    write_plain_font();
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        uint8_t *at = memmem(writer.file.at, writer.file.count, chunks[i], 4);
        assert_non_null(at);
        memcpy(at, "none", 4);
        error[0] = '\0';
        assert_int_equal(try_bytes(writer.file.at, writer.file.count, error, sizeof error),
                         -EBADMSG);
        if (!strstr(error, chunks[i]))
            fail_msg("without %s: %s", chunks[i], error);
        memcpy(at, chunks[i], 4);
    }
}

static void test_links_beyond_the_end_are_refused(void **state)
{
    (void)state;
    char error[256] = "";
    add_sample();
    font_writer_instrument(&writer, "instrument");
    add_zone(WRITER_GEN_SAMPLE, 5);
    add_preset("Preset", 0, 0, 0);
    font_writer_end(&writer);
    assert_int_equal(try_bytes(writer.file.at, writer.file.count, error, sizeof error), -EBADMSG);
    assert_non_null(strstr(error, "igen"));
    assert_non_null(strstr(error, "number 5 of 1"));
}

/// Many preset zones that each name an instrument of many zones: billions of pairs in a small file.
static void test_an_explosion_of_pairs_is_refused(void **state)
{
    (void)state;
    char error[256] = "";
    int sample = add_sample();
    font_writer_instrument(&writer, "instrument");
    for (int i = 0; i < EXPLOSION_ZONES; i++)
        add_zone(WRITER_GEN_SAMPLE, sample);
    font_writer_preset(&writer, "Preset", 0, 0);
    for (int i = 0; i < EXPLOSION_ZONES; i++)
        add_zone(WRITER_GEN_INSTRUMENT, 0);
    font_writer_end(&writer);
    assert_null(font_writer_load_bytes(writer.file.at, writer.file.count, error, sizeof error));
    assert_int_equal(errno, E2BIG);
    assert_non_null(strstr(error, "more than a million"));
}

static void test_samples_out_of_bounds_are_silent(void **state)
{
    (void)state;
    static const struct {
        uint32_t offset, value;
    } changes[] = {{20, 1u << 30}, {24, 1u << 30}, {24, 0}, {36, 0}, {36, 0xffffffff}, {24, 3}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        write_plain_font();
        uint8_t *header = writer.tables[SHDR].at;
        for (int k = 0; k < 4; k++)
            header[changes[i].offset + (unsigned)k] = (uint8_t)(changes[i].value >> 8 * k);
        font_writer_seal(&writer);
        struct sf2 sf2;
        parse(&sf2);
        assert_false(sf2.samples[0].is_usable);
        sf2_finish(&sf2);
        struct font *font = font_writer_load(&writer);
        assert_non_null(font);
        font_destroy(font);
        font_writer_finish(&writer);
    }
}

static void test_loops_out_of_bounds_are_brought_back(void **state)
{
    (void)state;
    srand(2);
    for (int i = 0; i < 2000; i++) {
        write_plain_font();
        for (int k = 28; k < 36; k++)
            writer.tables[SHDR].at[k] = (uint8_t)(rand() % 4 ? 0 : rand());
        writer.tables[SHDR].at[28] = (uint8_t)rand();
        font_writer_seal(&writer);
        struct sf2 sf2;
        parse(&sf2);
        const struct sf2_sample *sample = &sf2.samples[0];
        assert_true(sample->start + sample->loop_start <= sf2.sample_byte_count / 2);
        assert_true(sample->start + sample->loop_end <= sf2.sample_byte_count / 2);
        sf2_finish(&sf2);
        font_writer_finish(&writer);
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_presets_come_sorted_and_once),
        TEST(test_generators_count_where_they_may),
        TEST(test_layers_meet_in_both_ranges),
        TEST(test_a_modulator_overrides_its_like),
        TEST(test_offsets_leave_a_sample_its_first_frames),
        TEST(test_every_truncation_is_refused_with_its_place),
        TEST(test_every_table_may_be_short_or_missing),
        TEST(test_flipped_bits_break_nothing),
        TEST(test_random_bytes_break_nothing),
        TEST(test_what_is_missing_is_named),
        TEST(test_links_beyond_the_end_are_refused),
        TEST(test_an_explosion_of_pairs_is_refused),
        TEST(test_samples_out_of_bounds_are_silent),
        TEST(test_loops_out_of_bounds_are_brought_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
