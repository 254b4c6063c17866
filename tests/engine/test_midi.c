// Every translation of a MIDI message, the refusals, and hostile bytes.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "dsp/engine/midi.h"

static struct event events[MIDI_EVENTS_MAX];

#define TRANSLATE(...)                                                                             \
    translate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// Every event must be clean where the translation has nothing to say.
static int translate(const uint8_t *bytes, size_t count)
{
    memset(events, 0xA5, sizeof events);
    int made = midi_translate(bytes, count, events);
    assert_true(made >= -EBADMSG && made <= MIDI_EVENTS_MAX);
    for (int i = 0; i < made; i++) {
        assert_true(events[i].type < EVENT_TYPES);
        assert_true(events[i].channel < PARTS);
        assert_true(events[i].frame == 0 && events[i].source == 0 && events[i].order == 0);
    }
    return made;
}

static void test_channel_messages(void **state)
{
    (void)state;
    for (unsigned channel = 0; channel < 16; channel++) {
        assert_int_equal(TRANSLATE(0x90 | channel, 60, 99), 1);
        assert_int_equal(events[0].type, EVENT_NOTE_ON);
        assert_int_equal(events[0].channel, channel);
        assert_int_equal(events[0].note.key, 60);
        assert_int_equal(events[0].note.velocity, 99);
        assert_int_equal(TRANSLATE(0x80 | channel, 61, 7), 1);
        assert_int_equal(events[0].type, EVENT_NOTE_OFF);
        assert_int_equal(events[0].note.velocity, 7);
        assert_int_equal(TRANSLATE(0x90 | channel, 62, 0), 1);
        assert_int_equal(events[0].type, EVENT_NOTE_OFF);
        assert_int_equal(events[0].note.key, 62);
        assert_int_equal(TRANSLATE(0xA0 | channel, 63, 0), 1);
        assert_int_equal(events[0].type, EVENT_KEY_PRESSURE);
        assert_int_equal(TRANSLATE(0xC0 | channel, 127), 1);
        assert_int_equal(events[0].type, EVENT_PROGRAM);
        assert_int_equal(events[0].program.program, 127);
        assert_int_equal(TRANSLATE(0xD0 | channel, 5), 1);
        assert_int_equal(events[0].type, EVENT_CHANNEL_PRESSURE);
        assert_int_equal(events[0].pressure, 5);
        assert_int_equal(events[0].channel, channel);
    }
}

static void test_every_controller(void **state)
{
    (void)state;
    for (unsigned number = 0; number < 128; number++) {
        assert_int_equal(TRANSLATE(0xB3, number, 127 - number), 1);
        assert_int_equal(events[0].type, EVENT_CONTROL);
        assert_int_equal(events[0].channel, 3);
        assert_int_equal(events[0].control.number, number);
        assert_int_equal(events[0].control.value, 127 - number);
    }
}

static void test_bend_covers_its_range(void **state)
{
    (void)state;
    for (int bend = -8192; bend < 8192; bend++) {
        assert_int_equal(TRANSLATE(0xE0, (bend + 8192) & 0x7F, (bend + 8192) >> 7), 1);
        assert_int_equal(events[0].type, EVENT_BEND);
        assert_int_equal(events[0].bend, bend);
    }
}

static void test_wrong_lengths_and_data(void **state)
{
    (void)state;
    static const uint8_t broken[][5] = {
        {1, 60},
        {2, 0x90, 60},
        {4, 0x90, 60, 1, 1},
        {3, 0xC0, 1, 1},
        {1, 0xC0},
        {3, 0x90, 0x80, 1},
        {3, 0x90, 60, 0xFF},
        {2, 0xC0, 0x80},
        {1, 0xF0},
        {2, 0xF0, 0xF7},
        {3, 0xF0, 1, 2},
        {4, 0xF0, 1, 0x90, 0xF7},
        {1, 0xF7},
        {2, 0xF8, 0},
        {1, 0xF1},
        {2, 0xF2, 0},
        {2, 0xFE, 0xFE},
        {2, 0xF3, 0x80},
        {4, 0xF0, 0xF7, 0, 0xF7},
    };
    assert_int_equal(midi_translate(NULL, 0, events), -EBADMSG);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(translate(broken[i] + 1, broken[i][0]), -EBADMSG);
}

static void test_system_messages(void **state)
{
    (void)state;
    assert_int_equal(TRANSLATE(0xFE), 1);
    assert_int_equal(events[0].type, EVENT_SENSING);
    for (unsigned status = 0xF8; status <= 0xFF; status++)
        if (status != 0xFE)
            assert_int_equal(TRANSLATE(status), 0);
    assert_int_equal(TRANSLATE(0xF1, 0), 0);
    assert_int_equal(TRANSLATE(0xF2, 0, 0), 0);
    assert_int_equal(TRANSLATE(0xF3, 0), 0);
    assert_int_equal(TRANSLATE(0xF6), 0);
    assert_int_equal(TRANSLATE(0xF0, 0x7D, 1, 2, 3, 0xF7), 0);
    assert_int_equal(TRANSLATE(0xF0, 0x7E, 0x7F, 6, 1, 0xF7), 0); // identity request
}

static void expect_reset(int made, enum reset_mode mode)
{
    assert_int_equal(made, 1);
    assert_int_equal(events[0].type, EVENT_RESET);
    assert_int_equal(events[0].reset.mode, mode);
}

static void test_resets(void **state)
{
    (void)state;
    for (unsigned device = 0; device < 128; device++) {
        expect_reset(TRANSLATE(0xF0, 0x7E, device, 9, 1, 0xF7), RESET_GM);
        expect_reset(TRANSLATE(0xF0, 0x7E, device, 9, 2, 0xF7), RESET_GM_OFF);
        expect_reset(TRANSLATE(0xF0, 0x7E, device, 9, 3, 0xF7), RESET_GM2);
        expect_reset(TRANSLATE(0xF0, 0x41, device, 0x42, 0x12, 0x40, 0, 0x7F, 0, 0x41, 0xF7),
                     RESET_GS);
        expect_reset(TRANSLATE(0xF0, 0x41, device, 0x42, 0x12, 0, 0, 0x7F, 0, 0x01, 0xF7),
                     RESET_GS);
    }
    for (unsigned device = 0; device < 16; device++)
        expect_reset(TRANSLATE(0xF0, 0x43, 0x10 | device, 0x4C, 0, 0, 0x7E, 0, 0xF7), RESET_XG);
    assert_int_equal(TRANSLATE(0xF0, 0x43, 0x20, 0x4C, 0, 0, 0x7E, 0, 0xF7), 0); // a request
    assert_int_equal(TRANSLATE(0xF0, 0x7E, 0x7F, 9, 4, 0xF7), 0);
    assert_int_equal(TRANSLATE(0xF0, 0x7E, 0x7F, 9, 1, 1, 0xF7), -EBADMSG);
}

static void test_gs_checksum_counts(void **state)
{
    (void)state;
    for (unsigned sum = 0; sum < 128; sum++)
        assert_int_equal(TRANSLATE(0xF0, 0x41, 0x10, 0x42, 0x12, 0x40, 0, 0x7F, 0, sum, 0xF7),
                         sum == 0x41 ? 1 : -EBADMSG);
}

static void test_master_volume(void **state)
{
    (void)state;
    for (unsigned volume = 0; volume < 16384; volume += 127) {
        assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 1, volume & 0x7F, volume >> 7, 0xF7), 1);
        assert_int_equal(events[0].type, EVENT_MASTER_VOLUME);
        assert_int_equal(events[0].master_volume, volume);
    }
    for (unsigned volume = 0; volume < 128; volume++) {
        const unsigned sum = -(0x40 + 4 + volume) & 0x7F;
        assert_int_equal(TRANSLATE(0xF0, 0x41, 0x10, 0x42, 0x12, 0x40, 0, 4, volume, sum, 0xF7), 1);
        assert_int_equal(events[0].master_volume, volume * 16383 / 127);
        assert_int_equal(TRANSLATE(0xF0, 0x43, 0x10, 0x4C, 0, 0, 4, volume, 0xF7), 1);
        assert_int_equal(events[0].type, EVENT_MASTER_VOLUME);
        assert_int_equal(events[0].master_volume, volume * 16383 / 127);
    }
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 1, 0, 0xF7), -EBADMSG);
}

static void test_master_tuning(void **state)
{
    (void)state;
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 3, 0, 0x40, 0xF7), 1);
    assert_int_equal(events[0].type, EVENT_MASTER_TUNE);
    assert_true(events[0].cents == 0);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 3, 0, 0, 0xF7), 1);
    assert_true(events[0].cents == -100);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 3, 0x7F, 0x7F, 0xF7), 1);
    assert_true(events[0].cents > 99.98f && events[0].cents < 100);
    for (int semitones = -64; semitones < 64; semitones++) {
        assert_int_equal(TRANSLATE(0xF0, 0x7F, 0x7F, 4, 4, 0, 64 + semitones, 0xF7), 1);
        assert_int_equal(events[0].type, EVENT_MASTER_COARSE);
        assert_true(events[0].cents == 100.0f * (float)semitones);
    }
}

static void test_drum_parts(void **state)
{
    (void)state;
    static const unsigned part_of_block[16] = {9, 0, 1,  2,  3,  4,  5,  6,
                                               7, 8, 10, 11, 12, 13, 14, 15};
    for (unsigned block = 0; block < 16; block++) {
        const unsigned sum = -(0x40 + 0x10 + block + 0x15 + 2) & 0x7F;
        assert_int_equal(
            TRANSLATE(0xF0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | block, 0x15, 2, sum, 0xF7), 1);
        assert_int_equal(events[0].type, EVENT_DRUM_PART);
        assert_int_equal(events[0].channel, part_of_block[block]);
        assert_int_equal(events[0].drum.mode, 2);
        assert_int_equal(TRANSLATE(0xF0, 0x43, 0x10, 0x4C, 8, block, 7, block, 0xF7), 1);
        assert_int_equal(events[0].type, EVENT_DRUM_PART);
        assert_int_equal(events[0].channel, block);
        assert_int_equal(events[0].drum.mode, block);
    }
    assert_int_equal(TRANSLATE(0xF0, 0x43, 0x10, 0x4C, 8, 16, 7, 1, 0xF7), 0);
}

static void test_single_key_tuning(void **state)
{
    (void)state;
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 2, 5, 3, 60, 60, 0x40, 0, 61, 0x7F, 0x7F, 0x7F, 62,
                               0x7F, 0x7F, 0x7E, 0xF7),
                     2); // the middle one says "no change"
    assert_int_equal(events[0].type, EVENT_TUNE_KEY);
    assert_int_equal(events[0].tune_key.program, 5);
    assert_int_equal(events[0].tune_key.bank, 0);
    assert_int_equal(events[0].tune_key.key, 60);
    assert_true(events[0].tune_key.is_realtime);
    assert_true(events[0].tune_key.semitones == 60.5f);
    assert_int_equal(events[1].tune_key.key, 62);
    assert_true(events[1].tune_key.semitones == 127.0f + 16382.0f / 16384.0f);
    assert_int_equal(TRANSLATE(0xF0, 0x7E, 0, 8, 7, 9, 5, 1, 60, 59, 0, 1, 0xF7), 1);
    assert_int_equal(events[0].tune_key.bank, 9);
    assert_int_equal(events[0].tune_key.program, 5);
    assert_false(events[0].tune_key.is_realtime);
    assert_true(events[0].tune_key.semitones == 59.0f + 1.0f / 16384.0f);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 7, 9, 5, 0, 0xF7), 0);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 2, 5, 2, 60, 60, 0, 0, 0xF7), -EBADMSG);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 2, 5, 0xF7), -EBADMSG);
}

static size_t make_bulk_dump(uint8_t *bytes, unsigned bank)
{
    size_t count = 0;
    for (const uint8_t *head = (const uint8_t[]){0xF0, 0x7E, 0x11, 8, bank ? 4 : 1}; count < 5;)
        bytes[count] = head[count], count++;
    if (bank)
        bytes[count++] = (uint8_t)bank;
    bytes[count++] = 42;
    for (const char *name = "A tuning of ours"; *name;)
        bytes[count++] = (uint8_t)*name++;
    for (unsigned key = 0; key < KEYS; key++) {
        bytes[count++] = (uint8_t)(127 - key);
        bytes[count++] = (uint8_t)key;
        bytes[count++] = 1;
    }
    uint8_t sum = 0;
    for (size_t i = 1; i < count; i++)
        sum ^= bytes[i];
    bytes[count++] = sum;
    bytes[count++] = 0xF7;
    return count;
}

static void test_bulk_tuning_dump(void **state)
{
    (void)state;
    for (unsigned bank = 0; bank < 3; bank++) {
        uint8_t bytes[MIDI_BYTES_MAX];
        const size_t count = make_bulk_dump(bytes, bank);
        assert_int_equal(count, bank ? 409 : 408);
        assert_int_equal(translate(bytes, count), KEYS);
        for (unsigned key = 0; key < KEYS; key++) {
            assert_int_equal(events[key].type, EVENT_TUNE_KEY);
            assert_int_equal(events[key].tune_key.bank, bank);
            assert_int_equal(events[key].tune_key.program, 42);
            assert_int_equal(events[key].tune_key.key, key);
            assert_true(events[key].tune_key.semitones ==
                        (float)(127 - key) + (float)(key * 128 + 1) / 16384.0f);
        }
        bytes[count - 2] ^= 1;
        assert_int_equal(translate(bytes, count), -EBADMSG);
        bytes[count - 2] ^= 1;
        memmove(bytes + 20, bytes + 21, count - 21);
        assert_int_equal(translate(bytes, count - 1), -EBADMSG);
    }
}

static void test_octave_tuning(void **state)
{
    (void)state;
    for (unsigned kind = 0x7E; kind <= 0x7F; kind++) {
        assert_int_equal(TRANSLATE(0xF0, kind, 0, 8, 8, 3, 0x7F, 0x01, 0, 1, 2, 3, 4, 5, 64, 7, 8,
                                   9, 10, 127, 0xF7),
                         2);
        for (unsigned half = 0; half < 2; half++) {
            assert_int_equal(events[half].type, EVENT_TUNE_SCALE);
            assert_int_equal(events[half].tune_scale.parts, 0xFF81); // 16..8 and 1
            assert_int_equal(events[half].tune_scale.first, 6 * half);
            assert_int_equal(events[half].tune_scale.is_realtime, kind == 0x7F);
        }
        assert_int_equal(events[0].tune_scale.cents_64[0], -64 * 64);
        assert_int_equal(events[0].tune_scale.cents_64[5], -59 * 64);
        assert_int_equal(events[1].tune_scale.cents_64[0], 0);
        assert_int_equal(events[1].tune_scale.cents_64[5], 63 * 64);
    }
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 9, 0, 0, 2, 0, 0, 0x40, 0, 0x7F, 0x7F, 0x20, 0, 0,
                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0, 0xF7),
                     2);
    assert_int_equal(events[0].tune_scale.parts, 2);
    assert_int_equal(events[0].tune_scale.cents_64[0], -6400);
    assert_int_equal(events[0].tune_scale.cents_64[1], 0);
    assert_int_equal(events[0].tune_scale.cents_64[2], 6399);
    assert_int_equal(events[0].tune_scale.cents_64[3], -3200);
    assert_int_equal(events[1].tune_scale.cents_64[5], 3200);
    assert_int_equal(TRANSLATE(0xF0, 0x7F, 0, 8, 8, 0, 0, 1, 0, 0xF7), -EBADMSG);
}

// Whatever comes, the answer is an error or clean events; the sanitizers watch the bounds.
static void test_hostile_bytes(void **state)
{
    (void)state;
    static const uint8_t heads[][5] = {
        {0xF0, 0x7E, 0, 8, 1}, {0xF0, 0x7F, 0, 8, 2},          {0xF0, 0x7F, 0, 8, 7},
        {0xF0, 0x7E, 0, 8, 8}, {0xF0, 0x7F, 0, 8, 9},          {0xF0, 0x7F, 0, 4, 1},
        {0xF0, 0x7E, 0, 8, 4}, {0xF0, 0x41, 0x10, 0x42, 0x12}, {0xF0, 0x43, 0x10, 0x4C, 8},
    };
    srand(1);
    for (int round = 0; round < 200000; round++) {
        const size_t count = 1 + (size_t)rand() % (round % 100 ? 40 : MIDI_BYTES_MAX);
        uint8_t *bytes = malloc(count);
        for (size_t i = 0; i < count; i++)
            bytes[i] = (uint8_t)(rand() % (round % 7 ? 128 : 256));
        const uint8_t *head = heads[(size_t)rand() % (sizeof heads / sizeof *heads)];
        for (size_t i = 0; i < 5 && i < count; i++)
            bytes[i] = head[i];
        bytes[count - 1] = 0xF7;
        translate(bytes, count);
        bytes[0] = (uint8_t)(0x80 + rand() % 128);
        translate(bytes, count);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_messages),      cmocka_unit_test(test_every_controller),
        cmocka_unit_test(test_bend_covers_its_range), cmocka_unit_test(test_wrong_lengths_and_data),
        cmocka_unit_test(test_system_messages),       cmocka_unit_test(test_resets),
        cmocka_unit_test(test_gs_checksum_counts),    cmocka_unit_test(test_master_volume),
        cmocka_unit_test(test_master_tuning),         cmocka_unit_test(test_drum_parts),
        cmocka_unit_test(test_single_key_tuning),     cmocka_unit_test(test_bulk_tuning_dump),
        cmocka_unit_test(test_octave_tuning),         cmocka_unit_test(test_hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
