// The snapshot: what is read was written, whole, and never older than what was read before.

#include "dsp/base/snapshot.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void it_starts_as_zeros(void **state)
{
    (void)state;
    struct snapshot snapshot;
    unsigned char value[24], zeros[24] = {0};
    memset(value, 0xff, sizeof value);
    assert_int_equal(snapshot_init(&snapshot, sizeof value), 0);
    snapshot_read(&snapshot, value);
    assert_memory_equal(value, zeros, sizeof value);
    snapshot_finish(&snapshot);
}

// Sizes that do not fill their last word must neither lose bytes nor touch the ones behind.
static void every_size_comes_back(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes <= 40; bytes++) {
        struct snapshot snapshot;
        unsigned char in[41], out[41];
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (unsigned char)(i * 7 + bytes);
        memset(out, 0xee, sizeof out);
        assert_int_equal(snapshot_init(&snapshot, bytes), 0);
        snapshot_write(&snapshot, in);
        snapshot_read(&snapshot, out);
        assert_memory_equal(out, in, bytes);
        assert_int_equal(out[bytes], 0xee);
        snapshot_finish(&snapshot);
    }
}

static void the_latest_wins(void **state)
{
    (void)state;
    struct snapshot snapshot;
    assert_int_equal(snapshot_init(&snapshot, sizeof(uint64_t)), 0);
    for (uint64_t i = 1; i < 100; i++) {
        uint64_t value = 0;
        snapshot_write(&snapshot, &i);
        snapshot_read(&snapshot, &value);
        assert_int_equal(value, i);
        snapshot_read(&snapshot, &value); // reading takes nothing away
        assert_int_equal(value, i);
    }
    snapshot_finish(&snapshot);
}

static void the_sequence_may_run_over(void **state)
{
    (void)state;
    struct snapshot snapshot;
    assert_int_equal(snapshot_init(&snapshot, sizeof(uint64_t)), 0);
    atomic_store(&snapshot.sequence, UINT32_MAX - 1);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t value = 99;
        snapshot_write(&snapshot, &i);
        snapshot_read(&snapshot, &value);
        assert_int_equal(value, i);
    }
    snapshot_finish(&snapshot);
}

enum { WORDS = 37, WRITES = 50000, READERS = 2 };

struct value {
    uint64_t word[WORDS]; ///< all made from the first
};

struct shared {
    struct snapshot snapshot;
    atomic_bool is_over;
};

static void *write_values(void *context)
{
    struct shared *shared = context;
    struct value value;
    for (uint64_t i = 1; i <= WRITES; i++) {
        for (uint64_t w = 0; w < WORDS; w++)
            value.word[w] = i * (w + 1);
        snapshot_write(&shared->snapshot, &value);
        if (i % 64 == 0)
            sched_yield();
    }
    atomic_store(&shared->is_over, true);
    return NULL;
}

// Returns its first complaint, or NULL.
static void *read_values(void *context)
{
    struct shared *shared = context;
    uint64_t newest = 0;
    for (bool is_last = false; !is_last;) {
        struct value value;
        is_last = atomic_load(&shared->is_over);
        snapshot_read(&shared->snapshot, &value);
        for (uint64_t w = 0; w < WORDS; w++)
            if (value.word[w] != value.word[0] * (w + 1))
                return "a torn value";
        if (value.word[0] < newest)
            return "a value older than one before";
        newest = value.word[0];
    }
    return newest == WRITES ? NULL : "the last value is missing";
}

static void readers_see_whole_values_in_order(void **state)
{
    (void)state;
    struct shared shared = {.is_over = false};
    assert_int_equal(snapshot_init(&shared.snapshot, sizeof(struct value)), 0);
    pthread_t writer, reader[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&reader[i], NULL, read_values, &shared), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_values, &shared), 0);
    for (int i = 0; i < READERS; i++) {
        void *complaint = NULL;
        assert_int_equal(pthread_join(reader[i], &complaint), 0);
        if (complaint)
            fail_msg("reader %d saw %s", i, (const char *)complaint);
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    snapshot_finish(&shared.snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_as_zeros),
        cmocka_unit_test(every_size_comes_back),
        cmocka_unit_test(the_latest_wins),
        cmocka_unit_test(the_sequence_may_run_over),
        cmocka_unit_test(readers_see_whole_values_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
