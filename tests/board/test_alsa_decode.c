/// Sequencer events into MIDI messages: built by hand, since not every machine has a sequencer.
#include <alsa/asoundlib.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/alsa_decode.h"
#include "board/alsa_midi.h"

static struct alsa_decoder *decoder;
static struct sysex_buffer sysex;
static uint8_t heard[8192];
static size_t heard_bytes, lengths[16];
static int messages;

static void hear(void *data, const uint8_t *bytes, size_t count)
{
    (void)data;
    assert_true(messages < 16 && heard_bytes + count <= sizeof heard);
    memcpy(heard + heard_bytes, bytes, count);
    heard_bytes += count;
    lengths[messages++] = count;
}

static int set_up(void **state)
{
    (void)state;
    decoder = alsa_decoder_create();
    memset(&sysex, 0, sizeof sysex);
    return decoder ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    alsa_decoder_destroy(decoder);
    return 0;
}

static int decode(const snd_seq_event_t *event)
{
    heard_bytes = 0;
    messages = 0;
    return alsa_decode(decoder, &sysex, event, hear, NULL);
}

static void expect(const snd_seq_event_t *event, const char *bytes, size_t count)
{
    assert_int_equal(decode(event), 0);
    assert_int_equal(heard_bytes, count);
    assert_memory_equal(heard, bytes, count);
}

#define EXPECT(event, bytes) expect(event, bytes, sizeof(bytes) - 1)

static void test_channel_messages(void **state)
{
    (void)state;
    snd_seq_event_t event;
    snd_seq_ev_clear(&event);
    snd_seq_ev_set_noteon(&event, 3, 60, 100);
    EXPECT(&event, "\x93\x3c\x64");
    EXPECT(&event, "\x93\x3c\x64"); // no running status
    snd_seq_ev_set_noteoff(&event, 0, 60, 64);
    EXPECT(&event, "\x80\x3c\x40");
    snd_seq_ev_set_keypress(&event, 1, 61, 5);
    EXPECT(&event, "\xa1\x3d\x05");
    snd_seq_ev_set_controller(&event, 15, 64, 127);
    EXPECT(&event, "\xbf\x40\x7f");
    snd_seq_ev_set_pgmchange(&event, 2, 19);
    EXPECT(&event, "\xc2\x13");
    snd_seq_ev_set_chanpress(&event, 2, 90);
    EXPECT(&event, "\xd2\x5a");
    snd_seq_ev_set_pitchbend(&event, 0, 0);
    EXPECT(&event, "\xe0\x00\x40");
    snd_seq_ev_set_pitchbend(&event, 0, -8192);
    EXPECT(&event, "\xe0\x00\x00");
}

static void test_long_controllers_are_split(void **state)
{
    (void)state;
    snd_seq_event_t event;
    snd_seq_ev_clear(&event);
    snd_seq_ev_set_fixed(&event);
    event.type = SND_SEQ_EVENT_REGPARAM; // bend range of two semitones
    event.data.control.channel = 4;
    event.data.control.param = 0;
    event.data.control.value = 2 << 7;
    assert_int_equal(decode(&event), 0);
    assert_int_equal(messages, 4);
    assert_int_equal(heard_bytes, 12);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(lengths[i], 3);
        assert_int_equal(heard[3 * i], 0xb4);
    }
    event.type = SND_SEQ_EVENT_CONTROL14;
    event.data.control.param = 7;
    event.data.control.value = (100 << 7) + 3;
    EXPECT(&event, "\xb4\x07\x64\xb4\x27\x03");
    assert_int_equal(messages, 2);
}

static void test_active_sensing_comes_through(void **state)
{
    (void)state;
    snd_seq_event_t event;
    snd_seq_ev_clear(&event);
    snd_seq_ev_set_fixed(&event);
    event.type = SND_SEQ_EVENT_SENSING;
    EXPECT(&event, "\xfe");
}

static void test_ignores_what_is_no_midi(void **state)
{
    (void)state;
    snd_seq_event_t event;
    snd_seq_ev_clear(&event);
    snd_seq_ev_set_fixed(&event);
    for (int type = 0; type < 256; type++) {
        event.type = (snd_seq_event_type_t)type;
        if (snd_seq_ev_is_variable_type(&event) || type == SND_SEQ_EVENT_SYSEX)
            continue;
        assert_int_equal(decode(&event), 0);
        assert_true(heard_bytes <= 12);
    }
    event.type = SND_SEQ_EVENT_PORT_START;
    EXPECT(&event, "");
}

static int piece(const char *bytes, size_t count)
{
    snd_seq_event_t event;
    snd_seq_ev_clear(&event);
    snd_seq_ev_set_sysex(&event, (unsigned)count, (void *)(uintptr_t)bytes);
    return decode(&event);
}

#define PIECE(bytes) piece(bytes, sizeof(bytes) - 1)

static void test_sysex_is_joined(void **state)
{
    (void)state;
    assert_int_equal(PIECE("\xf0\x7e\x7f"), 0);
    assert_int_equal(messages, 0);
    assert_int_equal(PIECE("\x09\xfe"), 0); // real time in between belongs elsewhere
    assert_int_equal(PIECE("\x01\xf7"), 0);
    assert_int_equal(heard_bytes, 6);
    assert_memory_equal(heard, "\xf0\x7e\x7f\x09\x01\xf7", 6);
    assert_int_equal(PIECE("\xf0\x01\xf7\xf0\x02\x03\xf7"), 0); // two in one
    assert_int_equal(messages, 2);
    assert_int_equal(heard_bytes, 7);
}

static void test_broken_sysex_is_dropped(void **state)
{
    (void)state;
    assert_int_equal(PIECE("\x01\x02"), -EBADMSG); // no beginning
    assert_int_equal(PIECE("\xf7"), -EBADMSG);
    assert_int_equal(PIECE("\xf0\x01"), 0);
    assert_int_equal(PIECE("\xf0\x02\xf7"), -EBADMSG); // the first one never ended
    assert_int_equal(messages, 1);
    assert_memory_equal(heard, "\xf0\x02\xf7", 3);
    assert_int_equal(PIECE("\xf0\x01\x90\x05"), -EBADMSG);
    assert_int_equal(messages, 0);
}

static void test_endless_sysex_is_bounded(void **state)
{
    (void)state;
    static char much[3000];
    memset(much, 1, sizeof much);
    assert_int_equal(PIECE("\xf0"), 0);
    assert_int_equal(piece(much, sizeof much), 0);
    assert_int_equal(piece(much, sizeof much), -EBADMSG);
    assert_int_equal(piece(much, sizeof much), 0); // said once
    assert_int_equal(PIECE("\xf7"), 0);
    assert_int_equal(messages, 0);
    assert_int_equal(PIECE("\xf0\x05\xf7"), 0); // and it goes on
    assert_int_equal(messages, 1);
    // One that just fits.
    assert_int_equal(PIECE("\xf0"), 0);
    assert_int_equal(piece(much, 3000), 0);
    assert_int_equal(piece(much, SYSEX_BYTES_MAX - 3002), 0);
    assert_int_equal(PIECE("\xf7"), 0);
    assert_int_equal(heard_bytes, SYSEX_BYTES_MAX);
}

static int no_source(void *data, const char *name, bool is_keyboard)
{
    (void)data, (void)name, (void)is_keyboard;
    return -ENOSPC;
}

static void drop_source(void *data, int source) { (void)data, (void)source; }

/// Opens and closes the sequencer where there is one, and says so where there is none.
static void test_sequencer_or_a_clear_word(void **state)
{
    (void)state;
    char error[200] = "";
    struct clock clock;
    clock_init(&clock);
    struct alsa_midi_settings settings = {
        .client = "consort-test",
        .wiring = {.connect = "none", .ignore = ""},
        .sources = {no_source, drop_source, NULL},
        .clock = &clock,
    };
    struct alsa_midi *midi = alsa_midi_open(&settings, error, sizeof error);
    if (midi) {
        assert_int_equal(alsa_midi_lost(midi), 0);
    } else {
        assert_int_equal(errno, ENOENT);
        assert_string_equal(error, "no ALSA sequencer: No such file or directory");
    }
    alsa_midi_close(midi);
    settings.wiring.ignore = "(";
    assert_null(alsa_midi_open(&settings, error, sizeof error));
    assert_int_equal(errno, EINVAL);
    clock_finish(&clock);
    snd_config_update_free_global();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_channel_messages),
        TEST(test_long_controllers_are_split),
        TEST(test_active_sensing_comes_through),
        TEST(test_ignores_what_is_no_midi),
        TEST(test_sysex_is_joined),
        TEST(test_broken_sysex_is_dropped),
        TEST(test_endless_sysex_is_bounded),
        cmocka_unit_test(test_sequencer_or_a_clear_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
