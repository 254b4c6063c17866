// Packets in streams: what is written in either framing is read back, byte by byte.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/osc_frame.h"

static struct osc_frame frame;

static void begin(void) { memset(&frame, 0, offsetof(struct osc_frame, packet)); }

static void round_trip(enum osc_framing framing)
{
    static uint8_t packet[2000], stream[OSC_FRAMED_MAX(sizeof packet)];
    begin();
    for (int i = 0; i < 500; i++) {
        const size_t bytes = 4 * (size_t)(1 + rand() % 500);
        for (size_t n = 0; n < bytes; n++)
            packet[n] =
                (uint8_t)(rand() % 2 ? rand() : (const int[]){0xc0, 0xdb, 0xdc, 0xdd}[rand() % 4]);
        const size_t used = osc_frame_write(framing, packet, bytes, stream);
        assert_true(used <= OSC_FRAMED_MAX(bytes));
        for (size_t n = 0; n < used; n++)
            assert_int_equal(osc_frame_push(&frame, stream[n]), n + 1 == used);
        assert_int_equal(frame.used, bytes);
        assert_memory_equal(frame.packet, packet, bytes);
        assert_int_equal(frame.framing, framing);
    }
}

static void test_round_trips(void **state)
{
    (void)state;
    srand(5);
    round_trip(OSC_FRAMING_LENGTH);
    round_trip(OSC_FRAMING_SLIP);
}

static int push_all(const char *bytes, size_t count)
{
    int result = 0;
    begin();
    for (size_t i = 0; i < count && result == 0; i++)
        result = osc_frame_push(&frame, (uint8_t)bytes[i]);
    return result;
}

#define PUSH(literal) push_all(literal, sizeof literal - 1)

static void test_first_byte_tells(void **state)
{
    (void)state;
    assert_int_equal(PUSH("\0\0\0\4/a\0\0"), 1);
    assert_int_equal(PUSH("\xc0/a\0\0\xc0"), 1);
    assert_int_equal(PUSH("/a\0\0\xc0"), 1); // SLIP without its first END
    assert_int_equal(frame.used, 4);
    assert_int_equal(PUSH("GET / HTTP"), -EPROTO);
    assert_int_equal(PUSH("\x16\3\1"), -EPROTO);
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(PUSH("\0\1\0\4"), -EMSGSIZE);
    assert_int_equal(PUSH("\0\0\0\3"), -EPROTO);
    assert_int_equal(PUSH("\xc0\xdb\xc0"), -EPROTO);
    assert_int_equal(PUSH("\0\0\0\0\0\0\0\4/a\0\0"), 1); // an empty packet is skipped
    begin();
    assert_int_equal(osc_frame_push(&frame, 0xc0), 0);
    for (int i = 0; i < OSC_PACKET_MAX; i++)
        assert_int_equal(osc_frame_push(&frame, 'a'), 0);
    assert_int_equal(osc_frame_push(&frame, 'a'), -EMSGSIZE);
}

static void test_any_bytes_are_safe(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        begin();
        for (int n = 0; n < 500; n++) {
            const int byte =
                rand() % 3 ? (const int[]){0, 4, 0xc0, 0xdb, '/', 1}[rand() % 6] : rand();
            const int result = osc_frame_push(&frame, (uint8_t)byte);
            assert_true(result <= 1 && frame.used <= OSC_PACKET_MAX);
            if (result < 0)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_first_byte_tells),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_any_bytes_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
