// The ring: nothing lost, nothing doubled, order kept, whatever two threads do.

#include "dsp/base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

// No power of two in size, and no padding: an element copied to a wrong place shows.
struct element {
    uint32_t number;
    uint8_t shadow[8]; ///< made from `number`
};

static struct element make(uint32_t number)
{
    struct element element = {.number = number};
    for (size_t i = 0; i < sizeof element.shadow; i++)
        element.shadow[i] = (uint8_t)(number * 31 + i);
    return element;
}

static bool is_whole(const struct element *element)
{
    struct element expected = make(element->number);
    return memcmp(element->shadow, expected.shadow, sizeof expected.shadow) == 0;
}

static struct ring make_ring(uint32_t capacity)
{
    struct ring ring;
    assert_int_equal(ring_init(&ring, capacity, sizeof(struct element)), 0);
    return ring;
}

static uint32_t fill(struct ring *ring)
{
    uint32_t count = 0;
    for (struct element element = make(0); ring_push(ring, &element); element = make(count))
        count++;
    return count;
}

static void capacity_is_rounded_up(void **state)
{
    (void)state;
    static const uint32_t asked_and_got[][2] = {{1, 1}, {2, 2}, {3, 4}, {64, 64}, {65, 128}};
    for (size_t i = 0; i < sizeof asked_and_got / sizeof *asked_and_got; i++) {
        struct ring ring = make_ring(asked_and_got[i][0]);
        assert_int_equal(fill(&ring), asked_and_got[i][1]);
        ring_finish(&ring);
    }
}

static void an_empty_ring_gives_nothing(void **state)
{
    (void)state;
    struct ring ring = make_ring(4);
    struct element element = make(77);
    assert_false(ring_pop(&ring, &element));
    assert_int_equal(element.number, 77);
    assert_null(ring_peek(&ring));
    assert_int_equal(ring_count(&ring), 0);
    ring_finish(&ring);
}

static void a_full_ring_takes_nothing(void **state)
{
    (void)state;
    struct ring ring = make_ring(4);
    assert_int_equal(fill(&ring), 4);
    struct element element = make(99);
    assert_false(ring_push(&ring, &element));
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(ring_pop(&ring, &element));
        assert_int_equal(element.number, i);
    }
    assert_false(ring_pop(&ring, &element));
    ring_finish(&ring);
}

static void peek_shows_what_pop_takes(void **state)
{
    (void)state;
    struct ring ring = make_ring(4);
    for (uint32_t i = 0; i < 100; i++) {
        struct element in = make(i), out;
        assert_true(ring_push(&ring, &in));
        const struct element *peeked = ring_peek(&ring);
        assert_non_null(peeked);
        assert_int_equal(peeked->number, i);
        assert_int_equal(ring_count(&ring), 1); // peeking takes nothing away
        assert_true(ring_pop(&ring, &out));
        assert_true(is_whole(&out));
        assert_int_equal(out.number, i);
    }
    ring_finish(&ring);
}

// The counts of what was ever pushed and popped run over after 2^32 elements: start close by.
static void counts_may_run_over(void **state)
{
    (void)state;
    struct ring ring = make_ring(8);
    atomic_store(&ring.written, UINT32_MAX - 3);
    atomic_store(&ring.read, UINT32_MAX - 3);
    assert_int_equal(fill(&ring), 8);
    assert_int_equal(ring_count(&ring), 8);
    for (uint32_t i = 0; i < 8; i++) {
        struct element element;
        assert_true(ring_pop(&ring, &element));
        assert_int_equal(element.number, i);
        assert_true(is_whole(&element));
    }
    assert_null(ring_peek(&ring));
    ring_finish(&ring);
}

static void a_ring_too_large_is_refused(void **state)
{
    (void)state;
    struct ring ring;
    assert_int_equal(ring_init(&ring, 1u << 31, UINT32_MAX), -ENOMEM);
}

enum { STREAM = 300000 };

static void *produce(void *context)
{
    for (uint32_t i = 0; i < STREAM; i++) {
        struct element element = make(i);
        while (!ring_push(context, &element))
            sched_yield();
    }
    return NULL;
}

static void two_threads_lose_and_double_nothing(void **state)
{
    (void)state;
    struct ring ring = make_ring(16);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    for (uint32_t i = 0; i < STREAM; i++) {
        struct element element;
        while (!ring_pop(&ring, &element))
            sched_yield();
        assert_int_equal(element.number, i);
        assert_true(is_whole(&element));
        assert_true(ring_count(&ring) <= 16);
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(ring_count(&ring), 0);
    ring_finish(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_rounded_up),
        cmocka_unit_test(an_empty_ring_gives_nothing),
        cmocka_unit_test(a_full_ring_takes_nothing),
        cmocka_unit_test(peek_shows_what_pop_takes),
        cmocka_unit_test(counts_may_run_over),
        cmocka_unit_test(a_ring_too_large_is_refused),
        cmocka_unit_test(two_threads_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
