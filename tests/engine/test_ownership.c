// Ownership: against a plain list of who holds what.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/engine/ownership.h"

enum { FEW_SOURCES = 5, FEW_PARTS = 3 };

static struct ownership ownership;
static bool model[FEW_SOURCES][FEW_PARTS][KEYS];
static uint8_t pedals[FEW_SOURCES][FEW_PARTS][PEDALS];

static bool is_held_by_any(unsigned part, unsigned key)
{
    for (int i = 0; i < FEW_SOURCES; i++)
        if (model[i][part][key])
            return true;
    return false;
}

static void compare_lists(void)
{
    for (unsigned source = 0; source < FEW_SOURCES; source++)
        for (unsigned part = 0; part < FEW_PARTS; part++) {
            int next = ownership_next(&ownership, source, part, 0);
            for (int key = 0; key < KEYS; key++) {
                assert_int_equal(model[source][part][key], next == key);
                if (next == key)
                    next = ownership_next(&ownership, source, part, (unsigned)key + 1);
            }
            assert_int_equal(next, -1);
        }
}

static void press_some_pedal(unsigned source, unsigned part)
{
    unsigned pedal = (unsigned)rand() % PEDALS;
    uint8_t most = 0;
    pedals[source][part][pedal] = (uint8_t)(rand() % 128);
    for (int i = 0; i < FEW_SOURCES; i++)
        most = pedals[i][part][pedal] > most ? pedals[i][part][pedal] : most;
    assert_int_equal(ownership_press(&ownership, source, part, (enum ownership_pedal)pedal,
                                     pedals[source][part][pedal]),
                     most);
}

static void test_random_play_against_a_plain_list(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        unsigned source = (unsigned)rand() % FEW_SOURCES, part = (unsigned)rand() % FEW_PARTS;
        unsigned key = rand() % 2 ? (unsigned)rand() % KEYS : 60 + (unsigned)rand() % 8;
        switch (rand() % 200 ? rand() % 3 : 3) {
        case 0:
            model[source][part][key] = true;
            ownership_hold(&ownership, source, part, key, (uint16_t)key);
            break;
        case 1: {
            bool was_held = model[source][part][key];
            model[source][part][key] = false;
            assert_int_equal(ownership_let_go(&ownership, source, part, key),
                             was_held && !is_held_by_any(part, key));
            break;
        }
        case 2:
            press_some_pedal(source, part);
            break;
        default:
            part = rand() % 2 ? part : PARTS;
            for (unsigned p = 0; p < FEW_PARTS; p++)
                for (int s = 0; s < FEW_SOURCES && (part == PARTS || part == p); s++)
                    memset(model[s][p], 0, sizeof model[s][p]);
            ownership_forget(&ownership, part);
        }
        if (i % 50 == 0)
            compare_lists();
    }
}

static void test_a_key_sounds_until_both_let_go(void **state)
{
    (void)state;
    memset(&ownership, 0, sizeof ownership);
    ownership_hold(&ownership, 1, 0, 60, 60);
    ownership_hold(&ownership, 2, 0, 60, 60);
    ownership_hold(&ownership, 2, 0, 60, 61); // struck again: still held once
    assert_int_equal(ownership.origin[2][0][60], 61);
    assert_false(ownership_let_go(&ownership, 1, 0, 60));
    assert_false(ownership_let_go(&ownership, 1, 0, 60));
    assert_true(ownership_let_go(&ownership, 2, 0, 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_play_against_a_plain_list),
        cmocka_unit_test(test_a_key_sounds_until_both_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
