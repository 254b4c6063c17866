// Dumps and subscriptions: the whole state once, then every change, not too often, until the lease
// ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/net/desk.h"

static int begin(void **state)
{
    *state = desk_create();
    return 0;
}

static int end(void **state)
{
    desk_destroy(*state);
    return 0;
}

static void check_dump(const struct desk *desk)
{
    assert_int_equal(desk->count, PARAM_COUNT);
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        char path[64];
        const int length = param_path(i, path, sizeof path);
        assert_memory_equal(desk->heard[i].text, path, length);
        assert_int_equal(desk->heard[i].text[length], ' ');
    }
    assert_true(desk->largest <= 1400 && desk->datagrams < PARAM_COUNT / 20);
}

static void test_dump_is_the_whole_state(void **state)
{
    struct desk *desk = *state;
    desk_tell(desk, "/dump", "", 0, 0, 0);
    assert_int_equal(desk->count, 0);
    desk_pass(desk, 5 * MS);
    assert_true(desk->datagrams <= 4); // at a pace
    desk_tell(desk, "/dump", "", 0, 0, 0);
    desk_pass(desk, 500 * MS);
    check_dump(desk); // once, though asked for twice
    fake_put(&desk->box, PARAM_MASTER_GAIN, -1);
    desk_pass(desk, 500 * MS);
    assert_int_equal(desk->count, PARAM_COUNT); // and no subscription
}

static void test_dump_waits_for_room(void **state)
{
    struct desk *desk = *state;
    desk->is_choked = true;
    desk_tell(desk, "/dump", "", 0, 0, 0);
    desk_pass(desk, 500 * MS);
    desk->is_choked = false;
    desk_pass(desk, 500 * MS);
    check_dump(desk);
}

static void subscribe(struct desk *desk, int seconds)
{
    desk_tell(desk, "/subscribe", "i", seconds, 0, 0);
    desk_pass(desk, 100 * MS);
    check_dump(desk);
    desk_forget(desk);
}

static void test_changes_are_told_as_they_come(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 100);
    assert_int_equal(osc_session_subscribers(desk->session), 1);
    desk_pass(desk, 1000 * MS);
    assert_int_equal(desk->count, 0);
    desk_tell(desk, "/master/gain", "f", -6, 0, 0); // the setter hears it too
    desk_pass(desk, 10 * MS);
    assert_int_equal(desk->count, 1);
    assert_string_equal(desk_last(desk), "/master/gain f:-6");
}

static void test_rate_is_bounded_and_the_latest_wins(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 100);
    for (int i = 0; i <= 1000; i++) {
        fake_put(&desk->box, PARAM_MASTER_GAIN, -60 + i * 0.06);
        fake_put(&desk->box, PARAM_CH_VOLUME, i % 128);
        desk_pass(desk, MS);
    }
    desk_pass(desk, 100 * MS);
    assert_in_range(desk->count, 2 * 28, 2 * 32);
    uint64_t last_ns = 0;
    for (unsigned i = 0; i < desk->count; i++) {
        if (strncmp(desk->heard[i].text, "/master", 7) != 0)
            continue;
        assert_true(desk->heard[i].at_ns - last_ns >= 1000 * MS / 30);
        last_ns = desk->heard[i].at_ns;
    }
    char last[64];
    snprintf(last, sizeof last, "/ch/1/volume i:%d", 1000 % 128);
    assert_string_equal(desk->heard[desk->count - 2].text, last);
    assert_string_equal(desk_last(desk), "/master/gain f:0");
}

static void test_rate_follows_the_config(void **state)
{
    struct desk *desk = *state;
    fake_put(&desk->box, PARAM_OSC_RATE, 5);
    subscribe(desk, 100);
    for (int i = 0; i < 1000; i++) {
        fake_put(&desk->box, PARAM_MASTER_GAIN, -i * 0.05);
        desk_pass(desk, MS);
    }
    assert_in_range(desk->count, 4, 6);
}

static void test_lease_ends_and_is_renewed(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 2);
    desk_pass(desk, 1500 * MS);
    desk_tell(desk, "/subscribe", "i", 2, 0, 0);
    desk_pass(desk, 1500 * MS);
    assert_int_equal(desk->count, 0); // renewed without another dump
    fake_put(&desk->box, PARAM_MASTER_GAIN, -1);
    desk_pass(desk, 100 * MS);
    assert_int_equal(desk->count, 1);
    desk_pass(desk, 1000 * MS);
    assert_int_equal(osc_session_subscribers(desk->session), 0);
    fake_put(&desk->box, PARAM_MASTER_GAIN, -2);
    desk_pass(desk, 100 * MS);
    assert_int_equal(desk->count, 1);
    subscribe((desk_forget(desk), desk), 2); // anew: a dump again
}

static void test_lease_is_that_of_the_config(void **state)
{
    struct desk *desk = *state;
    fake_put(&desk->box, PARAM_OSC_LEASE, 3);
    desk_tell(desk, "/subscribe", "", 0, 0, 0);
    desk_pass(desk, 2900 * MS);
    assert_int_equal(osc_session_subscribers(desk->session), 1);
    desk_pass(desk, 200 * MS);
    assert_int_equal(osc_session_subscribers(desk->session), 0);
}

static void test_unsubscribe_ends_it(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 100);
    desk_tell(desk, "/unsubscribe", "", 0, 0, 0);
    fake_put(&desk->box, PARAM_MASTER_GAIN, -2);
    desk_pass(desk, 100 * MS);
    assert_int_equal(desk->count, 0);
    assert_int_equal(osc_session_subscribers(desk->session), 0);
}

static void test_change_that_found_no_room_is_told_later(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 100);
    desk->is_choked = true;
    fake_put(&desk->box, PARAM_MASTER_GAIN, -2);
    desk_pass(desk, 300 * MS);
    desk->is_choked = false;
    desk_pass(desk, 10 * MS);
    assert_int_equal(desk->count, 1);
    assert_string_equal(desk_last(desk), "/master/gain f:-2");
}

static void test_many_changes_share_bundles(void **state)
{
    struct desk *desk = *state;
    subscribe(desk, 100);
    for (unsigned i = 0; i < PARAM_COUNT; i++)
        fake_put(&desk->box, i, desk->box.values[i].number);
    desk_pass(desk, 10 * MS);
    assert_int_equal(desk->count, PARAM_COUNT);
    assert_true(desk->datagrams < PARAM_COUNT / 20 && desk->largest <= 1400);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(test_dump_is_the_whole_state),
        DESK_TEST(test_dump_waits_for_room),
        DESK_TEST(test_changes_are_told_as_they_come),
        DESK_TEST(test_rate_is_bounded_and_the_latest_wins),
        DESK_TEST(test_rate_follows_the_config),
        DESK_TEST(test_lease_ends_and_is_renewed),
        DESK_TEST(test_lease_is_that_of_the_config),
        DESK_TEST(test_unsubscribe_ends_it),
        DESK_TEST(test_change_that_found_no_room_is_told_later),
        DESK_TEST(test_many_changes_share_bundles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
