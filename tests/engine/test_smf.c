// The MIDI file reader on valid files: what a writer wrote comes back, at its time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "dsp/engine/smf.h"
#include "tests/engine/smf_writer.h"

enum { WRITTEN_MAX = 4000, TEMPOS_MAX = 64 };

struct written {
    uint32_t tick, order;
    uint8_t status, first, second;
};

struct tempo {
    uint32_t tick, us_per_quarter;
};

static struct smf_writer writer;
static struct written written[WRITTEN_MAX];
static size_t written_count;
static struct tempo tempos[TEMPOS_MAX];
static size_t tempo_count;

static struct smf *parse(void)
{
    struct smf *piece = NULL;
    struct smf_error error;
    int status = smf_parse(writer.bytes, writer.count, &piece, &error);
    if (status)
        fail_msg("byte %zu: %s", error.offset, error.reason);
    return piece;
}

static int by_tick(const void *left, const void *right)
{
    const struct written *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

// The time of a tick by the definition, in long double.
static long double seconds_of(uint32_t tick, unsigned division)
{
    long double seconds = 0, us_per_quarter = 500000;
    uint32_t from = 0;
    for (size_t i = 0; i < tempo_count && tempos[i].tick < tick; i++) {
        seconds += (tempos[i].tick - from) * us_per_quarter / division / 1e6L;
        from = tempos[i].tick;
        us_per_quarter = tempos[i].us_per_quarter;
    }
    return seconds + (tick - from) * us_per_quarter / division / 1e6L;
}

static void write_random_message(uint32_t tick)
{
    static const uint8_t kinds[] = {0x80, 0x90, 0x90, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0};
    struct written *message = &written[written_count];
    message->tick = tick;
    message->order = (uint32_t)written_count++;
    message->status = (uint8_t)(kinds[rand() % 9] | (rand() % 3 ? 0 : rand() % 16));
    message->first = (uint8_t)(rand() % 128);
    message->second = (uint8_t)(rand() % 128);
    smf_writer_message(&writer, tick, message->status, message->first, message->second);
}

static void write_something_else(uint32_t tick, bool may_set_tempo)
{
    switch (rand() % 4) {
    case 0:
        smf_writer_sysex(&writer, tick, (const uint8_t[]){0xF0, 0x7D, 1, 2, 0xF7}, 5);
        break;
    case 1:
        smf_writer_meta(&writer, tick, (uint8_t)(rand() % 2 ? 0x21 : 0x01), "words", 5);
        break;
    default:
        if (!may_set_tempo || tempo_count == TEMPOS_MAX)
            break;
        tempos[tempo_count].tick = tick;
        tempos[tempo_count].us_per_quarter = (uint32_t)(1 + rand() % 2000000);
        smf_writer_tempo(&writer, tick, tempos[tempo_count++].us_per_quarter);
    }
}

static uint32_t write_random_track(bool may_set_tempo, unsigned longest_gap)
{
    uint32_t tick = 0;
    smf_writer_begin_track(&writer);
    for (int i = rand() % 150; i > 0; i--) {
        tick += rand() % 3 ? 0 : (uint32_t)rand() % longest_gap;
        if (rand() % 8)
            write_random_message(tick);
        else
            write_something_else(tick, may_set_tempo);
    }
    tick += (uint32_t)rand() % longest_gap;
    smf_writer_end_track(&writer, tick);
    return tick;
}

static unsigned write_random_file(uint32_t *last_tick)
{
    const unsigned tracks = 1 + (unsigned)rand() % 6, gap = rand() % 2 ? 100 : 30000;
    const unsigned division = 1 + (unsigned)rand() % 0x7FFF;
    written_count = tempo_count = *last_tick = 0;
    writer.uses_running_status = rand() % 2;
    smf_writer_begin(&writer, tracks > 1, tracks, division);
    for (unsigned track = 0; track < tracks; track++) {
        uint32_t tick = write_random_track(track == 0, gap);
        *last_tick = tick > *last_tick ? tick : *last_tick;
    }
    return division;
}

static void expect_message(const struct event *event, const struct written *message)
{
    const bool is_off = (message->status & 0xF0) == 0x90 && message->second == 0;
    const int kind = is_off ? 0 : (message->status >> 4) - 8;
    static const uint8_t types[] = {EVENT_NOTE_OFF, EVENT_NOTE_ON, EVENT_KEY_PRESSURE,
                                    EVENT_CONTROL,  EVENT_PROGRAM, EVENT_CHANNEL_PRESSURE,
                                    EVENT_BEND};
    assert_int_equal(event->type, types[kind]);
    assert_int_equal(event->channel, message->status & 15);
    assert_true(event->frame == 0 && event->order == 0 && event->source == 0);
    if (event->type == EVENT_BEND)
        assert_int_equal(event->bend, (message->second << 7 | message->first) - 8192);
    else
        assert_int_equal(event->bytes[0], message->first);
    if (kind <= 3)
        assert_int_equal(event->bytes[1], message->second);
}

static void test_random_files_come_back(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 600; seed++) {
        srand(seed);
        uint32_t last_tick;
        const unsigned division = write_random_file(&last_tick);
        if (seconds_of(last_tick, division) > SMF_SECONDS_MAX)
            continue;
        struct smf *piece = parse();
        qsort(written, written_count, sizeof *written, by_tick);
        assert_int_equal(piece->count, written_count);
        size_t notes = 0;
        for (size_t i = 0; i < piece->count; i++) {
            expect_message(&piece->events[i].event, &written[i]);
            const long double ns = 1e9L * seconds_of(written[i].tick, division);
            assert_true(fabsl((long double)piece->events[i].time_ns - ns) < 0.51L);
            assert_true(i == 0 || piece->events[i].time_ns >= piece->events[i - 1].time_ns);
            notes += piece->events[i].event.type == EVENT_NOTE_ON;
        }
        assert_int_equal(piece->notes, notes);
        assert_true(fabsl((long double)piece->length_ns - 1e9L * seconds_of(last_tick, division)) <
                    0.51L);
        smf_destroy(piece);
    }
}

static void test_no_drift_in_a_long_piece(void **state)
{
    (void)state;
    const unsigned division = 32767;
    smf_writer_begin(&writer, 0, 1, division);
    smf_writer_begin_track(&writer);
    for (uint32_t i = 0; i < 50000; i++) // 16777215 us a quarter, and ticks that no ns measures
        smf_writer_tempo(&writer, i, 0xFFFFFF - i % 2);
    smf_writer_note(&writer, 50000, 0, 60, 1);
    smf_writer_end_track(&writer, 50000);
    struct smf *piece = parse();
    const long double us = 25000 * (16777215.0L + 16777214.0L) / division;
    // The first tempo stands at tick 0, so that each tick has one of its own.
    assert_true(fabsl((long double)piece->events[0].time_ns - 1000 * us) < 0.51L);
    smf_destroy(piece);
}

static void test_smpte_time(void **state)
{
    (void)state;
    static const struct {
        unsigned division;
        double tick_seconds;
    } bases[] = {{0xE728, 1.0 / 25 / 40}, // a millisecond
                 {0xE804, 1.0 / 24 / 4},
                 {0xE350, 1001.0 / 30000 / 80},
                 {0xE264, 1.0 / 30 / 100}};
    for (size_t i = 0; i < 4; i++) {
        smf_writer_begin(&writer, 0, 1, bases[i].division);
        smf_writer_begin_track(&writer);
        smf_writer_tempo(&writer, 0, 1000000); // means nothing here
        smf_writer_note(&writer, 12345, 0, 60, 1);
        smf_writer_end_track(&writer, 23456);
        struct smf *piece = parse();
        assert_true(fabs((double)piece->events[0].time_ns - 12345e9 * bases[i].tick_seconds) < 1);
        assert_true(fabs((double)piece->length_ns - 23456e9 * bases[i].tick_seconds) < 1);
        smf_destroy(piece);
    }
}

static void test_sequences_of_format_2(void **state)
{
    (void)state;
    smf_writer_begin(&writer, 2, 2, 100);
    for (int track = 0; track < 2; track++) {
        smf_writer_begin_track(&writer);
        smf_writer_note(&writer, 100, 0, 60, 1); // half a second
        smf_writer_tempo(&writer, 100, 1000000);
        smf_writer_end_track(&writer, 200); // a second more
    }
    struct smf *piece = parse();
    assert_int_equal(piece->count, 2);
    assert_int_equal(piece->events[0].time_ns, 500000000);
    assert_int_equal(piece->events[1].time_ns, 2000000000);
    assert_int_equal(piece->length_ns, 3000000000);
    smf_destroy(piece);
}

static void test_riff_wrapper(void **state)
{
    (void)state;
    static struct smf_writer inner;
    smf_writer_begin(&inner, 0, 1, 100);
    smf_writer_begin_track(&inner);
    smf_writer_note(&inner, 0, 0, 60, 1);
    smf_writer_end_track(&inner, 100);
    for (int is_odd = 0; is_odd < 2; is_odd++) {
        writer.count = 0;
        smf_writer_raw(&writer, "RIFF\0\0\0\0RMIDLIST\3\0\0\0xyz", 23);
        smf_writer_raw(&writer, "\0data", 5);
        const uint8_t length[4] = {(uint8_t)(inner.count + (size_t)is_odd)};
        smf_writer_raw(&writer, length, 4);
        smf_writer_raw(&writer, inner.bytes, inner.count);
        smf_writer_raw(&writer, "\0\0DLS junk", 10);
        struct smf *piece = parse();
        assert_int_equal(piece->notes, 1);
        assert_int_equal(piece->length_ns, 500000000);
        smf_destroy(piece);
    }
}

static void test_sysex_in_packets(void **state)
{
    (void)state;
    smf_writer_begin(&writer, 0, 1, 100);
    smf_writer_begin_track(&writer);
    smf_writer_raw(&writer, "\0\xF0\4\x7E\x7F\x09\1", 7);         // no end yet
    smf_writer_raw(&writer, "\x64\xF7\1\xF7", 4);                 // here it is, 0.5 s later
    smf_writer_raw(&writer, "\0\xF7\6\xF0\x7E\x7F\x09\3\xF7", 9); // an escape of a whole one
    smf_writer_raw(&writer, "\0\xF7\1\xF8", 4);                   // an escaped clock
    smf_writer_raw(&writer, "\0\xF7\0", 3);                       // an empty escape
    smf_writer_raw(&writer, "\0\xF0\0", 3);                       // empty, and never ended
    writer.tick = 100;
    smf_writer_end_track(&writer, 100);
    struct smf *piece = parse();
    assert_int_equal(piece->count, 2);
    assert_int_equal(piece->events[0].event.type, EVENT_RESET);
    assert_int_equal(piece->events[0].event.reset.mode, RESET_GM);
    assert_int_equal(piece->events[0].time_ns, 500000000);
    assert_int_equal(piece->events[1].event.reset.mode, RESET_GM2);
    smf_destroy(piece);
}

static void expect_title(const char *name, size_t bytes, const char *title)
{
    smf_writer_begin(&writer, 1, 2, 100);
    smf_writer_begin_track(&writer);
    smf_writer_meta(&writer, 0, 3, name, bytes);
    smf_writer_end_track(&writer, 0);
    smf_writer_begin_track(&writer);
    smf_writer_meta(&writer, 0, 3, "second", 6);
    smf_writer_end_track(&writer, 0);
    struct smf *piece = parse();
    assert_string_equal(piece->title, title);
    smf_destroy(piece);
}

static void test_titles(void **state)
{
    (void)state;
    expect_title("Prelude", 7, "Prelude");
    expect_title("", 0, "");
    expect_title("  a\tb\r\n\0 ", 9, "ab");
    expect_title("Fr\xE9"
                 "d\xE9ric",
                 8,
                 "Fr\xC3\xA9"
                 "d\xC3\xA9ric");                // Latin-1
    expect_title("Fr\xC3\xA9", 4, "Fr\xC3\xA9"); // UTF-8
    expect_title("\x1B[31m\xC2\x9B", 7, "[31m"); // no escape sequences
    char longest[600], shown[SMF_TITLE_BYTES] = "";
    for (int i = 0; i < 300; i++)
        memcpy(longest + 2 * i, "\xC3\xA9", 2);
    for (int i = 0; i < (SMF_TITLE_BYTES - 1) / 2; i++)
        memcpy(shown + 2 * i, "\xC3\xA9", 2);
    expect_title(longest, sizeof longest, shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_files_come_back),
        cmocka_unit_test(test_no_drift_in_a_long_piece),
        cmocka_unit_test(test_smpte_time),
        cmocka_unit_test(test_sequences_of_format_2),
        cmocka_unit_test(test_riff_wrapper),
        cmocka_unit_test(test_sysex_in_packets),
        cmocka_unit_test(test_titles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
