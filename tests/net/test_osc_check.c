// What is accepted as an OSC packet, and that liblo can read all of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/osc_check.h"
#include "net/osc_message.h"

enum { ROUNDS = 200000 };

static bool passes(const void *packet, size_t bytes)
{
    struct osc_fault fault = {0};
    // A copy of its own size, so that the address sanitizer sees any step beyond it.
    uint8_t *copy = calloc(1, bytes ? bytes : 1);
    memcpy(copy, packet, bytes);
    const bool is_good = osc_check_packet(copy, bytes, &fault);
    assert_true(is_good || (fault.reason && fault.at <= bytes));
    free(copy);
    return is_good;
}

#define PASSES(literal) passes(literal, sizeof literal - 1)

static void test_good_packets(void **state)
{
    (void)state;
    assert_true(PASSES("/a\0\0"));
    assert_true(PASSES("/a\0\0,\0\0\0"));
    assert_true(PASSES("/a\0\0,ifs\0\0\0\0\0\0\0\1\0\0\0\2abc\0"));
    assert_true(PASSES("/a\0\0,TFNI\0\0\0"));
    assert_true(PASSES("/a\0\0,b\0\0\0\0\0\5abcde\0\0\0"));
    assert_true(PASSES("#bundle\0\0\0\0\0\0\0\0\1"));
    assert_true(PASSES("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\4/a\0\0\0\0\0\4/b\0\0"));
}

static void test_bad_packets(void **state)
{
    (void)state;
    assert_false(PASSES(""));
    assert_false(PASSES("/a\0"));
    assert_false(PASSES("abcd"));
    assert_false(PASSES("/abc"));                                 // no end
    assert_false(PASSES("/a\0x"));                                // padding
    assert_false(PASSES("/ a\0"));                                // a space
    assert_false(PASSES("/\xff\0\0"));                            // not printable
    assert_false(PASSES("/a\0\0i\0\0\0"));                        // no comma
    assert_false(PASSES("/a\0\0,i\0\0"));                         // argument missing
    assert_false(PASSES("/a\0\0,h\0\0\0\0\0\0"));                 // half an argument
    assert_false(PASSES("/a\0\0,s\0\0abcd"));                     // string without an end
    assert_false(PASSES("/a\0\0,i\0\0\0\0\0\0\0\0\0\0"));         // bytes left over
    assert_false(PASSES("/a\0\0,[]\0"));                          // arrays
    assert_false(PASSES("/a\0\0,b\0\0\xff\xff\xff\xff"));         // negative blob
    assert_false(PASSES("/a\0\0,b\0\0\x7f\xff\xff\xff\0\0\0\0")); // huge blob
    assert_false(PASSES("#bundle\0\0\0\0\0"));                    // half a header
    assert_false(PASSES("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\xff/a\0\0"));
    assert_false(PASSES("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\3/a\0\0"));
    assert_false(PASSES("#bundle\0\0\0\0\0\0\0\0\1\0\0\0\0"));
    assert_false(PASSES("#bundle\0\0\0\0\0\0\0\0\1\xff\xff\xff\xfc/a\0\0"));
}

static size_t nest(uint8_t *to, int depth)
{
    if (depth == 0) {
        memcpy(to, "/a\0\0", 4);
        return 4;
    }
    memcpy(to, "#bundle\0\0\0\0\0\0\0\0\1\0\0\0", 20);
    const size_t bytes = nest(to + 20, depth - 1);
    to[19] = (uint8_t)bytes;
    return bytes + 20;
}

static void test_nesting_ends_at_four(void **state)
{
    uint8_t packet[256];
    (void)state;
    assert_true(passes(packet, nest(packet, 4)));
    assert_false(passes(packet, nest(packet, 5)));
}

static void test_long_address_and_many_arguments(void **state)
{
    char packet[512] = {0};
    (void)state;
    memset(packet, '/', 255);
    assert_true(passes(packet, 256));
    memset(packet, '/', 256);
    assert_false(passes(packet, 260));
    memset(packet, 0, sizeof packet);
    memcpy(packet, "/a\0\0,", 5);
    memset(packet + 5, 'T', 32);
    assert_true(passes(packet, 40));
    packet[37] = 'T';
    assert_false(passes(packet, 40));
}

static unsigned read_count;

static void read_message(void *context, uint64_t timetag, const void *data, size_t bytes)
{
    struct osc_message message;
    (void)context;
    (void)timetag;
    assert_int_equal(osc_message_init(&message, data, bytes), 0);
    for (unsigned i = 0; i < message.count; i++)
        if (message.arguments[i].text)
            read_count += strlen(message.arguments[i].text) > 0;
    read_count++;
    osc_message_finish(&message);
}

/// Whatever passes, liblo reads; whatever does not, is never shown to it.
static void test_liblo_agrees_on_damaged_packets(void **state)
{
    static const char seed[] =
        "#bundle\0\0\0\0\0\0\0\0\1\0\0\0\x2c/ch/1/note\0\0,ifsbT\0\0\0\0\0\x3c"
        "\x3f\x80\0\0text\0\0\0\0\0\0\0\3abc\0\0\0\0\x10/a\0\0,hd\0"
        "\0\0\0\0\0\0\0\1";
    (void)state;
    srand(7);
    read_count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t packet[sizeof seed + 4];
        size_t bytes = (sizeof seed - 1) & ~(size_t)3;
        struct osc_fault fault;
        memcpy(packet, seed, sizeof seed);
        for (int hits = rand() % 4; hits > 0; hits--)
            packet[(size_t)rand() % bytes] =
                (uint8_t)(rand() % 3 ? ",/\0\4\10\xffsb"[rand() % 8] : rand());
        if (rand() % 4 == 0)
            bytes = (size_t)rand() % (bytes / 4 + 1) * 4;
        if (passes(packet, bytes) && osc_check_packet(packet, bytes, &fault))
            osc_visit_packet(packet, bytes, read_message, NULL);
    }
    assert_true(read_count > ROUNDS / 100);
}

static void test_arguments_survive_the_way(void **state)
{
    const struct osc_argument sent[] = {osc_int(-5),        osc_float(0.25),
                                        osc_text("Flügel"), {.type = 'd', .number = 1e-300},
                                        {.type = 'T'},      {.type = 'F'}};
    uint8_t packet[256];
    struct osc_message message;
    struct osc_fault fault;
    (void)state;
    const size_t bytes = osc_message_build(packet, sizeof packet, "/x", sent, 6);
    assert_true(osc_check_packet(packet, bytes, &fault));
    assert_int_equal(osc_message_init(&message, packet, bytes), 0);
    assert_string_equal(message.address, "/x");
    assert_int_equal(message.count, 6);
    assert_true(message.arguments[0].number == -5 && message.arguments[1].number == 0.25);
    assert_string_equal(message.arguments[2].text, "Flügel");
    assert_true(message.arguments[3].number == 1e-300 && message.arguments[4].number == 1);
    assert_true(message.arguments[5].number == 0 && message.arguments[5].type == 'F');
    osc_message_finish(&message);
    assert_int_equal(osc_message_build(packet, bytes - 4, "/x", sent, 6), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_packets),
        cmocka_unit_test(test_bad_packets),
        cmocka_unit_test(test_nesting_ends_at_four),
        cmocka_unit_test(test_long_address_and_many_arguments),
        cmocka_unit_test(test_liblo_agrees_on_damaged_packets),
        cmocka_unit_test(test_arguments_survive_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
