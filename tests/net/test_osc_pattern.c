// Address patterns against a plain recursive matcher, and their bounded cost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/osc_pattern.h"

static bool is_in_set(const char *set, const char *end, char character)
{
    const bool is_negated = *set == '!';
    bool is_found = false;
    for (set += is_negated; set < end; set++) {
        if (set + 2 < end && set[1] == '-') {
            is_found |= set[0] <= character && character <= set[2];
            set += 2;
        } else {
            is_found |= *set == character;
        }
    }
    return is_found != is_negated;
}

/// The reference: tries every way, as OSC 1.0 tells it.
static bool naive(const char *pattern, const char *address)
{
    if (*pattern == 0)
        return *address == 0;
    if (*pattern == '*') {
        for (;; address++) {
            if (naive(pattern + 1, address))
                return true;
            if (*address == 0 || *address == '/')
                return false;
        }
    }
    if (*pattern == '{') {
        const char *end = strchr(pattern, '}');
        for (const char *word = pattern + 1;;) {
            const size_t length = strcspn(word, ",}");
            if (strncmp(word, address, length) == 0 && naive(end + 1, address + length))
                return true;
            if (word[length] == '}')
                return false;
            word += length + 1;
        }
    }
    if (*address == 0)
        return false;
    if (*pattern == '[') {
        const char *end = strchr(pattern, ']');
        return *address != '/' && is_in_set(pattern + 1, end, *address) &&
               naive(end + 1, address + 1);
    }
    if (*pattern == '?')
        return *address != '/' && naive(pattern + 1, address + 1);
    return *pattern == *address && naive(pattern + 1, address + 1);
}

static void test_agrees_with_reference(void **state)
{
    static const char *const pieces[] = {"a", "b",     "/",      "*",     "?",   "[ab]", "[!a]",
                                         "b", "{a,b}", "{ab,,}", "[a-c]", "{a}", "ba",   "[!a-b]"};
    unsigned matched = 0;
    (void)state;
    srand(3);
    for (int i = 0; i < 300000; i++) {
        char pattern[64] = "", address[16] = "";
        for (int n = rand() % 7; n > 0; n--)
            strcat(pattern, pieces[(unsigned)rand() % (sizeof pieces / sizeof pieces[0])]);
        for (int n = rand() % 7; n > 0; n--)
            strcat(address, (const char *[]){"a", "b", "/", "c"}[rand() % 4]);
        const bool is_match = osc_pattern_match(pattern, address);
        if (is_match != naive(pattern, address))
            fail_msg("%s against %s", pattern, address);
        matched += is_match;
    }
    assert_true(matched > 3000);
}

static void test_known_cases(void **state)
{
    (void)state;
    assert_true(osc_pattern_match("/ch/*/volume", "/ch/12/volume"));
    assert_true(osc_pattern_match("/ch/{1,12}/volume", "/ch/12/volume"));
    assert_true(osc_pattern_match("/ch/[1-4]/pan", "/ch/3/pan"));
    assert_false(osc_pattern_match("/ch/[1-4]/pan", "/ch/5/pan"));
    assert_true(osc_pattern_match("/ch/1?/pan", "/ch/16/pan"));
    assert_false(osc_pattern_match("/*", "/ch/1"));
    assert_false(osc_pattern_match("/ch", "/ch/1"));
}

static void test_broken_patterns_match_nothing(void **state)
{
    static const char *const broken[] = {"/[",    "/{",      "/]",   "/}",     "/[a",
                                         "/{a,b", "/{a{b}}", "/[[]", "/{a/b}", "/a,b",
                                         "/[a/]", "/[!",     "/[a-", "/{a]"};
    (void)state;
    for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(osc_pattern_is_valid(broken[i]));
        assert_false(osc_pattern_match(broken[i], "/a"));
    }
}

static void test_hostile_pattern_is_cheap(void **state)
{
    char pattern[256], address[OSC_MATCHED_MAX];
    (void)state;
    for (int i = 0; i < 254; i += 2)
        memcpy(pattern + i, "*a", 3);
    strcat(pattern, "b");
    memset(address, 'a', sizeof address - 1);
    address[sizeof address - 1] = 0;
    const clock_t start = clock();
    for (int i = 0; i < 1000; i++)
        assert_false(osc_pattern_match(pattern, address));
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

static void test_address_too_long_is_no_match(void **state)
{
    char address[OSC_MATCHED_MAX + 8];
    (void)state;
    memset(address, 'a', sizeof address);
    address[OSC_MATCHED_MAX - 1] = 0;
    assert_true(osc_pattern_match("*", address));
    address[OSC_MATCHED_MAX - 1] = 'a';
    address[OSC_MATCHED_MAX] = 0;
    assert_false(osc_pattern_match("*", address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_reference),
        cmocka_unit_test(test_known_cases),
        cmocka_unit_test(test_broken_patterns_match_nothing),
        cmocka_unit_test(test_hostile_pattern_is_cheap),
        cmocka_unit_test(test_address_too_long_is_no_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
