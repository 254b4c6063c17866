// The merge: all events, in the order of their frames, those of one frame as they came.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>

#include "dsp/engine/merge.h"

static struct merge merge;

static int start(void **state)
{
    (void)state;
    memset(&merge, 0, sizeof merge);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    merge_finish(&merge);
    return 0;
}

static struct event numbered(uint64_t frame, uint32_t number)
{
    struct event event = {.frame = frame, .type = EVENT_NOTE_ON};
    memcpy(event.bytes, &number, sizeof number);
    return event;
}

static uint32_t number_of(const struct event *event)
{
    uint32_t number;
    memcpy(&number, event->bytes, sizeof number);
    return number;
}

static void test_frames_in_order_and_stable(void **state)
{
    (void)state;
    enum { EVENTS = 3000 };
    int rings[4];
    srand(1);
    for (int i = 0; i < 4; i++)
        rings[i] = merge_open_ring(&merge, EVENTS);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct event event = numbered((uint64_t)(rand() % 50), i);
        assert_true(merge_push(&merge, rings[rand() % 4], &event));
    }
    merge_drain(&merge, 0, 64);
    uint64_t frame = 0;
    uint32_t last[4] = {0}, count = 0;
    while (merge_peek(&merge)) {
        struct event event;
        int ring = merge_pop(&merge, &event);
        assert_true(event.frame >= frame);
        if (event.frame > frame)
            memset(last, 0, sizeof last);
        assert_true(number_of(&event) >= last[ring]); // within a ring as they came
        last[ring] = number_of(&event);
        frame = event.frame;
        count++;
    }
    assert_int_equal(count, EVENTS);
}

static void test_the_late_count_as_now(void **state)
{
    (void)state;
    int ring = merge_open_ring(&merge, 8);
    struct event event;
    for (uint32_t i = 0; i < 3; i++) {
        event = numbered((uint64_t[]){EVENT_NOW, 99, 100}[i], i);
        merge_push(&merge, ring, &event);
    }
    assert_int_equal(merge_drain(&merge, 100, 200), 1); // EVENT_NOW is never late
    for (uint32_t i = 0; i < 3; i++) {
        merge_pop(&merge, &event);
        assert_int_equal(event.frame, 100);
        assert_int_equal(number_of(&event), i);
    }
}

static void test_the_future_leaves_room_for_the_present(void **state)
{
    (void)state;
    int future = merge_open_ring(&merge, 2 * MERGE_EVENTS), present = merge_open_ring(&merge, 64);
    for (uint32_t i = 0; i < 2 * MERGE_EVENTS; i++) {
        struct event event = numbered(1000000 + i, i);
        assert_true(merge_push(&merge, future, &event));
    }
    merge_drain(&merge, 0, 64);
    assert_int_equal(merge.count, MERGE_FUTURE_EVENTS);
    struct event event = numbered(5, 77);
    merge_push(&merge, present, &event);
    merge_drain(&merge, 0, 64);
    assert_int_equal(merge_pop(&merge, &event), present);
    assert_int_equal(number_of(&event), 77);
    uint32_t next = 0; // nothing of the future is lost either
    for (uint64_t now = 1000000; next < 2 * MERGE_EVENTS; now += 64) {
        merge_drain(&merge, now, now + 64);
        while (merge_peek(&merge) && merge_peek(&merge)->frame < now + 64) {
            merge_pop(&merge, &event);
            assert_int_equal(number_of(&event), next++);
        }
    }
}

static void test_a_full_heap_keeps_the_rest_in_the_ring(void **state)
{
    (void)state;
    int ring = merge_open_ring(&merge, 2 * MERGE_EVENTS);
    struct event event;
    for (uint32_t i = 0; i < 2 * MERGE_EVENTS; i++) {
        event = numbered(EVENT_NOW, i);
        assert_true(merge_push(&merge, ring, &event));
    }
    merge_drain(&merge, 10, 20);
    assert_int_equal(merge.count, MERGE_EVENTS);
    assert_false(merge_add(&merge, &event, 0));
    for (uint32_t i = 0; i < 2 * MERGE_EVENTS; i++) {
        if (!merge_peek(&merge))
            merge_drain(&merge, 20, 30);
        merge_pop(&merge, &event);
        assert_int_equal(number_of(&event), i);
    }
}

static void test_sixteen_rings(void **state)
{
    (void)state;
    for (int i = 0; i < MERGE_RINGS; i++)
        assert_int_equal(merge_open_ring(&merge, 4), i);
    assert_int_equal(merge_open_ring(&merge, 4), -ENOSPC);
}

static void *push_all(void *context)
{
    int ring = *(int *)context;
    for (uint32_t i = 0; i < 2000;) {
        struct event event = numbered(EVENT_NOW, i);
        i += merge_push(&merge, ring, &event);
    }
    return NULL;
}

static void test_producers_on_threads(void **state)
{
    (void)state;
    pthread_t threads[3];
    int rings[3];
    uint32_t next[3] = {0};
    for (int i = 0; i < 3; i++) {
        rings[i] = merge_open_ring(&merge, 100);
        assert_int_equal(pthread_create(&threads[i], NULL, push_all, &rings[i]), 0);
    }
    for (uint64_t now = 1; next[0] + next[1] + next[2] < 6000; now += 64) {
        merge_drain(&merge, now, now + 64);
        while (merge_peek(&merge)) {
            struct event event;
            int ring = merge_pop(&merge, &event);
            assert_int_equal(number_of(&event), next[ring]++);
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_frames_in_order_and_stable),
        TEST(test_the_late_count_as_now),
        TEST(test_the_future_leaves_room_for_the_present),
        TEST(test_a_full_heap_keeps_the_rest_in_the_ring),
        TEST(test_sixteen_rings),
        TEST(test_producers_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
