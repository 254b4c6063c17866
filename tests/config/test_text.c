// Text helpers: UTF-8, safe showing, numbers, quotes, JSON strings, spelling distance.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "config/json.h"
#include "config/spelling.h"
#include "config/text.h"

static void utf8_is_told_apart(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xa4",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x8e\xb9",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xff",
                                      "\xf0\x80\x80\x80",
                                      "\xe2\x82",
                                      "\xe2\x28\xa1",
                                      "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(text_is_utf8(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i]));
}

static void control_characters_are_seen(void **state)
{
    (void)state;
    assert_true(text_has_control("a\x1b[31m"));
    assert_true(text_has_control("a\n"));
    assert_true(text_has_control("\x7f"));
    assert_true(text_has_control("\xc2\x9b")); // C1: a control sequence introducer
    assert_false(text_has_control("\xc2\xa0 caf\xc3\xa9"));
    assert_false(text_has_control("\xff"));
}

static void shown_text_is_safe_and_fits(void **state)
{
    (void)state;
    char shown[64];
    text_show("caf\xc3\xa9\x1b\xff", 99, shown, sizeof shown);
    assert_string_equal(shown, "caf\xc3\xa9\\x1b\\xff");
    text_show("abcdef", 3, shown, sizeof shown);
    assert_string_equal(shown, "abc");
    // A character cut at the end is not half shown.
    text_show("ab\xc3\xa9", 3, shown, sizeof shown);
    assert_string_equal(shown, "ab\\xc3");
    for (size_t bytes = 8; bytes < 56; bytes++) {
        text_show("0123456789\x01\x02\x03 0123456789 0123456789 0123456789", 99, shown, bytes);
        assert_true(strlen(shown) < bytes);
        assert_string_equal(shown + strlen(shown) - 3, "...");
    }
}

static void numbers_are_short_and_exact(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < 20000; i++) {
        const double number = (rand() - RAND_MAX / 2) / (double)(1 + rand() % 100000);
        text_format_number(number, text, sizeof text);
        assert_true(strtod(text, NULL) == number || strtof(text, NULL) == (float)number);
        text_format_number((float)number, text, sizeof text);
        assert_true(strtof(text, NULL) == (float)number);
        assert_true(strlen(text) <= 15);
    }
    text_format_number(0.1 + 0.2, text, sizeof text);
    assert_string_equal(text, "0.30000000000000004");
    text_format_number(192000, text, sizeof text);
    assert_string_equal(text, "192000");
    text_format_number(NAN, text, sizeof text);
    assert_non_null(strstr(text, "nan"));
}

static void quotes_are_escaped(void **state)
{
    (void)state;
    char text[16];
    assert_int_equal(text_quote("a\"\\", text, sizeof text), 7);
    assert_string_equal(text, "\"a\\\"\\\\\"");
    for (size_t bytes = 1; bytes < 8; bytes++) {
        assert_int_equal(text_quote("a\"\\", text, bytes), 7);
        assert_int_equal(strlen(text), bytes - 1);
    }
}

static void assert_json(const char *raw, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    json_write_string(out, raw);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    assert_json("caf\xc3\xa9", "\"caf\xc3\xa9\"");
    assert_json("\"\\\n\t\x01\x7f", "\"\\\"\\\\\\n\\t\\u0001\\u007f\"");
    assert_json("a\xff\xc3", "\"a\\ufffd\\ufffd\"");
    assert_json(NULL, "null");
}

static void distances_are_those_of_the_book(void **state)
{
    (void)state;
    assert_int_equal(spelling_distance("", ""), 0);
    assert_int_equal(spelling_distance("abc", ""), 3);
    assert_int_equal(spelling_distance("kitten", "sitting"), 3);
    assert_int_equal(spelling_distance("rate", "raet"), 1);
    assert_int_equal(spelling_distance("Rate", "rATE"), 0);
    assert_true(spelling_is_close("synth.polifony", 2));
    assert_false(spelling_is_close("zzzzz", 5));
}

static void distances_are_a_measure(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char word[2][SPELLING_MAX + 8] = {"", ""};
        for (int w = 0; w < 2; w++)
            for (int n = rand() % (SPELLING_MAX + 7); n > 0; n--)
                word[w][strlen(word[w])] = (char)('a' + rand() % 3);
        const unsigned distance = spelling_distance(word[0], word[1]);
        assert_int_equal(spelling_distance(word[1], word[0]), distance);
        assert_int_equal(spelling_distance(word[0], word[0]), 0);
        assert_true(distance <= SPELLING_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_apart),
        cmocka_unit_test(control_characters_are_seen),
        cmocka_unit_test(shown_text_is_safe_and_fits),
        cmocka_unit_test(numbers_are_short_and_exact),
        cmocka_unit_test(quotes_are_escaped),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(distances_are_those_of_the_book),
        cmocka_unit_test(distances_are_a_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
