/// Patterns of ports: the empty one, the word none, and expressions good and bad.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "board/pattern.h"

static char error[200];

static void test_matches_names(void **state)
{
    (void)state;
    struct pattern pattern;
    assert_int_equal(pattern_init(&pattern, "(Midi Through|System)", error, sizeof error), 0);
    assert_true(pattern_matches(&pattern, "Midi Through:Midi Through Port-0"));
    assert_true(pattern_matches(&pattern, "System:Timer"));
    assert_false(pattern_matches(&pattern, "system:midi_capture_1"));
    pattern_finish(&pattern);
}

static void test_empty_and_none_match_nothing(void **state)
{
    (void)state;
    struct pattern pattern;
    assert_int_equal(pattern_init(&pattern, "", error, sizeof error), 0);
    assert_int_equal(pattern.kind, PATTERN_EMPTY);
    assert_false(pattern_matches(&pattern, "Keystation"));
    pattern_finish(&pattern);
    assert_int_equal(pattern_init(&pattern, "none", error, sizeof error), 0);
    assert_int_equal(pattern.kind, PATTERN_NONE);
    assert_false(pattern_matches(&pattern, "none"));
    pattern_finish(&pattern);
}

static void test_names_what_is_wrong(void **state)
{
    (void)state;
    struct pattern pattern;
    assert_int_equal(pattern_init(&pattern, "Key(station", error, sizeof error), -EINVAL);
    assert_non_null(strstr(error, "\"Key(station\" is no regular expression: "));
    assert_false(pattern_matches(&pattern, "Key(station"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches_names),
        cmocka_unit_test(test_empty_and_none_match_nothing),
        cmocka_unit_test(test_names_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
