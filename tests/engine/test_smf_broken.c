// The MIDI file reader on broken files: harmless flaws are read over, the rest is refused with
// place and reason, and nothing crashes, hangs or fills the memory.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsp/engine/smf.h"
#include "tests/engine/smf_writer.h"

static struct smf_writer writer;

// Parses a copy of exactly this size, so that a sanitizer sees each byte read behind it.
static int parse(const uint8_t *bytes, size_t count, struct smf **piece, struct smf_error *error)
{
    uint8_t *copy = malloc(count ? count : 1);
    assert_non_null(copy);
    if (count)
        memcpy(copy, bytes, count);
    memset(error, 0, sizeof *error);
    *piece = NULL;
    int status = smf_parse(copy, count, piece, error);
    free(copy);
    assert_true((status == 0) == (*piece != NULL));
    if (status) {
        assert_true(error->offset <= count);
        assert_true(error->reason[0]);
    }
    return status;
}

// The notes of a file that must be read.
static size_t notes(void)
{
    struct smf *piece;
    struct smf_error error;
    if (parse(writer.bytes, writer.count, &piece, &error))
        fail_msg("byte %zu: %s", error.offset, error.reason);
    size_t count = piece->notes;
    smf_destroy(piece);
    return count;
}

static void expect_refusal(int status, size_t offset, const char *word)
{
    struct smf *piece;
    struct smf_error error;
    assert_int_equal(parse(writer.bytes, writer.count, &piece, &error), status);
    if (error.offset != offset || !strstr(error.reason, word))
        fail_msg("byte %zu: %s; not: byte %zu: %s", error.offset, error.reason, offset, word);
}

// A header and one track with these bytes; the track begins at byte 22.
static void write_track(const void *bytes, size_t count)
{
    smf_writer_begin(&writer, 0, 1, 100);
    smf_writer_begin_track(&writer);
    smf_writer_raw(&writer, bytes, count);
    writer.bytes[writer.track - 2] = (uint8_t)(count >> 8);
    writer.bytes[writer.track - 1] = (uint8_t)count;
}

static void test_harmless_flaws(void **state)
{
    (void)state;
    write_track("\0\x90\x40\x40\x10\x40\x00", 7); // no end-of-track
    assert_int_equal(notes(), 1);
    write_track("\0\x90\x40\x40\0\xFF\x2F\0\0\x90\x41", 11); // bytes behind it
    assert_int_equal(notes(), 1);
    smf_writer_raw(&writer, "\x1A\0junk of an old disk", 21);
    assert_int_equal(notes(), 1);
    write_track("\0\x90\x40\x40\0\xFF\1\1x\0\x41\x40", 12); // running status through a meta event
    assert_int_equal(notes(), 2);
    write_track("\0\x90\x40\x40\0\xF0\1\xF7\0\x41\x40", 11); // and through system exclusive
    assert_int_equal(notes(), 2);
    writer.bytes[11] = 9; // the header promises nine tracks
    assert_int_equal(notes(), 2);
    writer.bytes[11] = 0; // or none
    assert_int_equal(notes(), 2);
    // A GS reset with a wrong checksum, and a message longer than any we know.
    write_track("\0\xF0\x0A\x41\x10\x42\x12\x40\0\x7F\0\x40\xF7\0\x90\x40\x40", 17);
    assert_int_equal(notes(), 1);
    uint8_t longest[1 + 1 + 2 + 600 + 4] = {0, 0xF0, 0x84, 0x58, 0x7E};
    memcpy(longest + sizeof longest - 5, "\xF7\0\x90\x40\x40", 5);
    write_track(longest, sizeof longest);
    assert_int_equal(notes(), 1);
    // The same again as a further packet of the first.
    uint8_t packets[2 * sizeof longest - 4];
    memcpy(packets, longest, sizeof longest - 4);
    memcpy(packets + sizeof longest - 4, longest, sizeof longest);
    packets[sizeof longest - 5] = 0;
    packets[sizeof longest - 3] = 0xF7;
    write_track(packets, sizeof packets);
    assert_int_equal(notes(), 1);
    // A foreign chunk between the tracks, and a header longer than today's.
    static const uint8_t foreign[] = "MThd\0\0\0\x08\0\1\0\2\0\x64??XFIH\0\0\0\3abc"
                                     "MTrk\0\0\0\4\0\x90\x40\x40MTrk\0\0\0\4\0\x90\x40\x40";
    writer.count = 0;
    smf_writer_raw(&writer, foreign, sizeof foreign - 1);
    assert_int_equal(notes(), 2);
}

static void test_refusals_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count, offset;
        const char *word;
    } broken[] = {
        {"", 0, 0, "MThd"},
        {"MThd", 4, 0, "header"},
        {"\x89PNG\r\n\x1A\n", 8, 0, "MThd"},
        {"MThd\0\0\0\5\0\0\0\1\0\x64", 14, 4, "header of 5"},
        {"MThd\xFF\xFF\xFF\xFF\0\0\0\1\0\x64", 14, 4, "header of 4294967295"},
        {"MThd\0\0\0\6\0\3\0\1\0\x64", 14, 8, "format 3"},
        {"MThd\0\0\0\6\0\0\0\1\0\0", 14, 12, "zero ticks"},
        {"MThd\0\0\0\6\0\0\0\1\xE8\0", 14, 12, "SMPTE"},
        {"MThd\0\0\0\6\0\0\0\1\x80\1", 14, 12, "SMPTE"},
        {"MThd\0\0\0\6\0\0\0\1\0\x64", 14, 14, "no track"},
        {"MThd\0\0\0\6\0\0\0\1\0\x64MTrk", 18, 14, "within the header of a chunk"},
        {"MThd\0\0\0\6\0\0\0\1\0\x64MTrk\0\0\0\1", 22, 14, "chunk of 1 bytes, but 0"},
        {"MThd\0\0\0\6\0\0\0\1\0\x64\0\0\0\0\0\0\0\0", 22, 14, "no chunk where track 1"},
        {"MThd\0\0\0\6\0\0\0\1\0\x64XXXX\xFF\xFF\xFF\xFF", 22, 14, "chunk of 4294967295"},
        {"RIFF", 4, 0, "not of MIDI"},
        {"RIFF\4\0\0\0WAVE", 12, 0, "not of MIDI"},
        {"RIFF\4\0\0\0RMID", 12, 12, "without"},
        {"RIFF\4\0\0\0RMIDdata\xFF\xFF\xFF\xFF", 20, 12, "chunk of 4294967295"},
        {"RIFF\4\0\0\0RMIDdata\0\0\0\0", 20, 20, "MThd"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        writer.count = 0;
        smf_writer_raw(&writer, broken[i].bytes, broken[i].count);
        expect_refusal(-EBADMSG, broken[i].offset, broken[i].word);
    }
}

static void test_refusals_of_events(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count, offset; // within the track
        const char *word;
    } broken[] = {
        {"\0", 1, 0, "ends within an event"},
        {"\x81", 1, 0, "ends within a delta time"},
        {"\x81\x81\x81\x81\0", 5, 0, "longer than four bytes"},
        {"\0\x40\x40", 3, 0, "before any status"},
        {"\0\x90\x40", 3, 0, "ends within an event"},
        {"\0\x90\x40\x90", 4, 3, "90 where a data byte belongs"},
        {"\0\x90\xC0\x40", 4, 2, "C0 where a data byte belongs"},
        {"\0\xF8", 2, 0, "F8 is no event"},
        {"\0\xF1\0", 3, 0, "F1 is no event"},
        {"\0\xFF", 2, 0, "ends within an event"},
        {"\0\xFF\1", 3, 3, "ends within a length"},
        {"\0\xFF\1\5abcd", 8, 3, "event of 5 bytes, but 4"},
        {"\0\xF0\xFF\xFF\xFF\x7F\xF7", 7, 2, "event of 268435455 bytes, but 1"},
        {"\0\xFF\x51\2\0\0", 6, 0, "tempo of other than 3"},
        {"\0\xFF\x51\3\0\0\0", 7, 0, "tempo of zero"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        write_track(broken[i].bytes, broken[i].count);
        expect_refusal(-EBADMSG, 22 + broken[i].offset, broken[i].word);
    }
}

static void test_pieces_without_end(void **state)
{
    (void)state;
    write_track("\0\xFF\x51\3\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x90\x40\x40", 14);
    expect_refusal(-EFBIG, 22 + 7, "longer than 24 hours");
    // Many of the longest gaps at once: sums that overflow are no short cut.
    uint8_t gaps[7000];
    for (size_t i = 0; i < sizeof gaps; i += 7)
        memcpy(gaps + i, "\xFF\xFF\xFF\x7F\x90\x40\x40", 7);
    write_track(gaps, sizeof gaps);
    expect_refusal(-EFBIG, 22, "longer than 24 hours");
}

static void test_too_many_events(void **state)
{
    (void)state;
    const size_t count = 22 + 1 + 3 * ((size_t)SMF_EVENTS_MAX + 1);
    uint8_t *bytes = calloc(count, 1); // after the first status, zeros are note-offs
    assert_non_null(bytes);
    memcpy(bytes, "MThd\0\0\0\6\0\0\0\1\0\x64MTrk", 18);
    for (int i = 0; i < 4; i++)
        bytes[18 + i] = (uint8_t)((count - 22) >> (24 - 8 * i));
    bytes[23] = 0x90;
    struct smf *piece = NULL;
    struct smf_error error;
    assert_int_equal(smf_parse(bytes, count, &piece, &error), -EFBIG);
    assert_non_null(strstr(error.reason, "4000000 events"));
    assert_int_equal(smf_parse(bytes, (size_t)SMF_BYTES_MAX + 1, &piece, &error), -EFBIG);
    assert_null(piece);
    free(bytes);
}

static void write_example(void)
{
    writer.uses_running_status = true;
    smf_writer_begin(&writer, 1, 3, 96);
    for (uint8_t track = 0; track < 3; track++) {
        smf_writer_begin_track(&writer);
        smf_writer_meta(&writer, 0, 3, "Example", 7);
        smf_writer_tempo(&writer, 10, 400000);
        smf_writer_sysex(&writer, 20, (const uint8_t[]){0xF0, 0x7E, 0x7F, 9, 1, 0xF7}, 6);
        for (uint32_t i = 0; i < 20; i++)
            smf_writer_note(&writer, 20 + 200 * i, track, (uint8_t)(60 + i), i % 2 ? 0 : 100);
        smf_writer_end_track(&writer, 10000);
    }
}

// A file that is cut off is refused, unless it is cut just behind a track.
static void test_truncation_at_every_byte(void **state)
{
    (void)state;
    smf_writer_begin(&writer, 1, 3, 96);
    size_t ends[3];
    for (uint8_t track = 0; track < 3; track++) {
        smf_writer_begin_track(&writer);
        smf_writer_meta(&writer, 0, 3, "Example", 7);
        for (uint32_t i = 0; i < 20; i++)
            smf_writer_note(&writer, 200 * i, track, (uint8_t)(60 + i), i % 2 ? 0 : 100);
        smf_writer_end_track(&writer, 10000);
        ends[track] = writer.count;
    }
    for (size_t count = 0; count <= writer.count; count++) {
        struct smf *piece;
        struct smf_error error;
        const int status = parse(writer.bytes, count, &piece, &error);
        size_t whole = 0;
        for (int i = 0; i < 3; i++)
            whole += count == ends[i] ? (size_t)i + 1 : 0;
        assert_int_equal(status, whole ? 0 : -EBADMSG);
        if (piece)
            assert_int_equal(piece->notes, 10 * whole);
        smf_destroy(piece);
    }
}

static void test_random_damage(void **state)
{
    (void)state;
    size_t refused = 0;
    for (unsigned seed = 0; seed < 20000; seed++) {
        srand(seed);
        write_example();
        for (int i = 1 + rand() % 4; i > 0; i--)
            writer.bytes[(size_t)rand() % writer.count] = (uint8_t)rand();
        struct smf *piece;
        struct smf_error error;
        refused += parse(writer.bytes, writer.count, &piece, &error) != 0;
        smf_destroy(piece);
    }
    assert_true(refused > 1000 && refused < 19000); // it looked at both kinds
}

static void expect_load(const char *path, int status, const char *word)
{
    struct smf *piece = NULL;
    struct smf_error error = {0};
    assert_int_equal(smf_load(path, &piece, &error), status);
    assert_null(piece);
    assert_non_null(strstr(error.reason, word));
}

static void test_files_of_the_disk(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_smf_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    expect_load(folder, -EINVAL, "not a regular file");
    expect_load("/dev/zero", -EINVAL, "not a regular file");
    snprintf(path, sizeof path, "%s/file", folder);
    expect_load(path, -ENOENT, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_load(path, -EINVAL, "not a regular file");
    unlink(path);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    expect_load(path, -EBADMSG, "MThd");
    write_example();
    assert_int_equal(write(file, writer.bytes, writer.count), (ssize_t)writer.count);
    struct smf *piece = NULL;
    struct smf_error error;
    assert_int_equal(smf_load(path, &piece, &error), 0);
    assert_int_equal(piece->notes, 30);
    smf_destroy(piece);
    assert_int_equal(ftruncate(file, (off_t)SMF_BYTES_MAX + 1), 0);
    expect_load(path, -EFBIG, "64 MiB");
    close(file);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_harmless_flaws),     cmocka_unit_test(test_refusals_of_files),
        cmocka_unit_test(test_refusals_of_events), cmocka_unit_test(test_pieces_without_end),
        cmocka_unit_test(test_too_many_events),    cmocka_unit_test(test_truncation_at_every_byte),
        cmocka_unit_test(test_random_damage),      cmocka_unit_test(test_files_of_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
