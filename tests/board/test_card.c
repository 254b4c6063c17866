/// Choosing cards by name, and the command line for each.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "board/card.h"
#include "board/jackd_command.h"

static const struct card present[] = {
    {"USB", "Scarlett 2i2", 0}, {"Headphones", "bcm2835", 1}, {"vc4hdmi0", "HDMI", 2}};
static struct card wanted[CARDS_MAX];

static void expect(const char *names, const char *chosen)
{
    char found[256] = "";
    int count = card_choose(names, present, 3, wanted);
    for (int i = 0; i < count; i++) {
        strncat(found, wanted[i].name, sizeof found - strlen(found) - 1);
        strncat(found, " ", sizeof found - strlen(found) - 1);
    }
    assert_string_equal(found, chosen);
}

static void test_chooses_by_name(void **state)
{
    (void)state;
    expect("", "USB Headphones vc4hdmi0 ");
    expect(" , ,", "USB Headphones vc4hdmi0 ");
    expect("Headphones", "Headphones ");
    expect(" vc4hdmi0 , USB,", "vc4hdmi0 USB ");
    expect("USB,USB,Nothing", "USB ");
    expect("Nothing", "");
    expect("usb", "");
    assert_null(card_find(present, 3, "US"));
    assert_ptr_equal(card_find(present, 3, "USB"), &present[0]);
}

static void expect_command(const struct card *card, int period, const char *expected)
{
    struct jackd_settings settings = {
        .rate_hz = 44100, .period_frames = period, .periods = 3, .priority = 0, .program = "jackd"};
    struct jackd_command command;
    char line[512] = "";
    jackd_command_init(&command, &settings, "default", card);
    for (int i = 0; command.arguments[i]; i++) {
        strncat(line, command.arguments[i], sizeof line - strlen(line) - 1);
        strncat(line, " ", sizeof line - strlen(line) - 1);
    }
    assert_string_equal(line, expected);
    assert_false(command.is_realtime);
}

static void test_command_lines(void **state)
{
    (void)state;
    expect_command(&present[0], 64, "jackd -r -ndefault -d alsa -dhw:USB -r44100 -p64 -n3 ");
    expect_command(NULL, 64, "jackd -r -ndefault -d dummy -r44100 -p256 ");
    expect_command(NULL, 1024, "jackd -r -ndefault -d dummy -r44100 -p1024 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chooses_by_name),
        cmocka_unit_test(test_command_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
