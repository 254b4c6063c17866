// The store: what is set is there, what is wrong is refused, threads do not tear a value.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "config/store.h"

enum { ROUNDS = 20000 };

static int set_number(struct store *store, unsigned index, double number)
{
    const struct param_value value = {.number = number};
    return store_set(store, index, &value);
}

static int set_text(struct store *store, unsigned index, const char *text)
{
    struct param_value value = {0};
    memccpy(value.text, text, '\0', sizeof value.text);
    return store_set(store, index, &value);
}

static void starts_with_defaults(void **state)
{
    struct store *store = *state;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        struct param_value is, should;
        store_get(store, index, &is);
        param_default(index, &should);
        assert_true(is.number == should.number);
        assert_string_equal(is.text, should.text);
        assert_int_equal(store_changed(store, index), 0);
    }
    assert_int_equal(store_serial(store), 0);
}

static void serials_count_changes(void **state)
{
    struct store *store = *state;
    assert_int_equal(set_number(store, PARAM_CH_VOLUME + 4, 90), 1);
    assert_int_equal(set_number(store, PARAM_CH_VOLUME + 4, 90), 0);
    assert_int_equal(set_text(store, PARAM_AUDIO_CARD, "USB"), 1); // STATE too
    assert_int_equal(set_text(store, PARAM_AUDIO_CARD, "USB"), 0);
    assert_int_equal(store_serial(store), 2);
    assert_int_equal(store_changed(store, PARAM_CH_VOLUME + 4), 1);
    assert_int_equal(store_changed(store, PARAM_AUDIO_CARD), 2);
    assert_int_equal(store_changed(store, PARAM_CH_VOLUME + 3), 0);
    assert_true(store_number(store, PARAM_CH_VOLUME + 4) == 90);
    char text[3];
    assert_int_equal(store_text(store, PARAM_AUDIO_CARD, text, sizeof text), 3);
    assert_string_equal(text, "US");
}

static void wrong_values_change_nothing(void **state)
{
    struct store *store = *state;
    char endless[PARAM_TEXT_MAX];
    memset(endless, 'x', sizeof endless);
    struct param_value value = {0};
    memcpy(value.text, endless, sizeof endless);
    assert_int_equal(store_set(store, PARAM_SYNTH_FONT, &value), -ERANGE);
    assert_int_equal(set_number(store, PARAM_CH_VOLUME, 128), -ERANGE);
    assert_int_equal(set_number(store, PARAM_CH_VOLUME, -1), -ERANGE);
    assert_int_equal(set_number(store, PARAM_MASTER_GAIN, INFINITY), -ERANGE);
    assert_int_equal(set_number(store, PARAM_CH_VOLUME, 1.5), -EINVAL);
    assert_int_equal(set_number(store, PARAM_MIDI_SEQUENCER, 0.5), -EINVAL);
    assert_int_equal(set_number(store, PARAM_MASTER_GAIN, NAN), -EINVAL);
    assert_int_equal(set_text(store, PARAM_SYNTH_FONT, "\xff"), -EINVAL);
    assert_int_equal(set_text(store, PARAM_SYNTH_FONT, "a\nb"), -EINVAL);
    assert_int_equal(set_number(store, PARAM_COUNT, 0), -EINVAL);
    assert_int_equal(store_serial(store), 0);
    assert_true(store_number(store, PARAM_CH_VOLUME) == 100);
    store_get(store, PARAM_SYNTH_FONT, &value);
    assert_string_equal(value.text, "auto");
}

struct race {
    struct store *store;
    atomic_int torn;
};

static void *write_texts(void *argument)
{
    struct race *race = argument;
    for (int i = 0; i < ROUNDS; i++) {
        char text[PARAM_TEXT_MAX] = "";
        memset(text, 'a' + i % 26, (size_t)(1 + i % 200));
        set_text(race->store, PARAM_SYNTH_FONT, text);
        set_number(race->store, PARAM_CH_VOLUME, i % 128);
    }
    return NULL;
}

static void *read_texts(void *argument)
{
    struct race *race = argument;
    uint64_t last = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct param_value value;
        store_get(race->store, PARAM_SYNTH_FONT, &value);
        if (strcmp(value.text, "auto") != 0 &&
            strspn(value.text, (char[]){value.text[0], '\0'}) != strlen(value.text))
            race->torn++;
        const uint64_t serial = store_serial(race->store);
        race->torn += serial < last; // serials only grow
        last = serial;
    }
    return NULL;
}

static void threads_never_tear_a_value(void **state)
{
    struct race race = {.store = *state};
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, write_texts, &race), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, write_texts, &race), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, read_texts, &race), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.torn, 0);
    assert_true(store_serial(race.store) >= ROUNDS);
}

static int set_up(void **state)
{
    *state = store_create();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    store_destroy(*state);
    return 0;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(starts_with_defaults),
        WITH_STORE(serials_count_changes),
        WITH_STORE(wrong_values_change_nothing),
        WITH_STORE(threads_never_tear_a_value),
    };
    store_destroy(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
