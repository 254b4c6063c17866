// The committed General MIDI file is what its source says, and holds what tests rely on. With a
// path as argument: writes the file there.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/engine/smf.h"
#include "tests/data/gm_piece.h"

static struct smf_writer writer;

static void test_the_committed_file(void **state)
{
    (void)state;
    static uint8_t bytes[SMF_WRITER_BYTES];
    FILE *file = fopen("tests/data/consort_gm.mid", "rb");
    assert_non_null(file);
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    gm_piece_write(&writer);
    assert_int_equal(count, writer.count);
    assert_memory_equal(bytes, writer.bytes, count);
}

static void test_every_part_plays_and_stops(void **state)
{
    (void)state;
    struct smf *piece = NULL;
    struct smf_error error;
    int held[PARTS][KEYS] = {0};
    unsigned parts = 0;
    gm_piece_write(&writer);
    assert_int_equal(smf_parse(writer.bytes, writer.count, &piece, &error), 0);
    for (size_t i = 0; i < piece->count; i++) {
        const struct event *event = &piece->events[i].event;
        if (event->type == EVENT_NOTE_ON) {
            assert_int_equal(held[event->channel][event->note.key]++, 0);
            parts |= 1u << event->channel;
        } else if (event->type == EVENT_NOTE_OFF) {
            assert_int_equal(held[event->channel][event->note.key]--, 1);
        }
    }
    assert_int_equal(parts, (1u << GM_PIECE_PARTS) - 1);
    for (unsigned part = 0; part < PARTS; part++)
        for (unsigned key = 0; key < KEYS; key++)
            assert_int_equal(held[part][key], 0);
    assert_true(piece->length_ns > UINT64_C(34000000000));
    assert_true(piece->length_ns < UINT64_C(40000000000));
    smf_destroy(piece);
}

static int write_file(const char *path)
{
    gm_piece_write(&writer);
    FILE *file = fopen(path, "wb");
    if (!file)
        return perror(path), 1;
    const size_t count = fwrite(writer.bytes, 1, writer.count, file);
    return fclose(file) != 0 || count != writer.count;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return write_file(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_committed_file),
        cmocka_unit_test(test_every_part_plays_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
