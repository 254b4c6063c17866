#include "config/store.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text.h"

struct store {
    pthread_mutex_t lock; // guards all below
    uint64_t serial;
    uint64_t changed[PARAM_COUNT];
    struct param_value value[PARAM_COUNT];
};

struct store *store_create(void)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    pthread_mutex_init(&store->lock, NULL);
    for (unsigned index = 0; index < PARAM_COUNT; index++)
        param_default(index, &store->value[index]);
    return store;
}

void store_destroy(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_destroy(&store->lock);
    free(store);
}

void store_get(struct store *store, unsigned index, struct param_value *value)
{
    pthread_mutex_lock(&store->lock);
    *value = store->value[index];
    pthread_mutex_unlock(&store->lock);
}

double store_number(struct store *store, unsigned index)
{
    pthread_mutex_lock(&store->lock);
    const double number = store->value[index].number;
    pthread_mutex_unlock(&store->lock);
    return number;
}

int store_text(struct store *store, unsigned index, char *text, size_t bytes)
{
    pthread_mutex_lock(&store->lock);
    const int length = snprintf(text, bytes, "%s", store->value[index].text);
    pthread_mutex_unlock(&store->lock);
    return length;
}

static int check_text(const char *text)
{
    if (!memchr(text, '\0', PARAM_TEXT_MAX))
        return -ERANGE;
    return text_is_utf8(text) && !text_has_control(text) ? 0 : -EINVAL;
}

static int check_number(const struct param *row, double number)
{
    if (isnan(number))
        return -EINVAL;
    if (number < row->minimum || number > row->maximum)
        return -ERANGE;
    return param_is_valid(row, number) ? 0 : -EINVAL;
}

/// Puts a checked value in its place. Returns whether it differs from the one before.
static int replace(struct param_value *old, const struct param_value *value, bool is_text)
{
    if (is_text ? strcmp(old->text, value->text) == 0 : old->number == value->number)
        return 0;
    if (is_text)
        snprintf(old->text, sizeof old->text, "%s", value->text);
    else
        old->number = value->number;
    return 1;
}

int store_set(struct store *store, unsigned index, const struct param_value *value)
{
    if (index >= PARAM_COUNT)
        return -EINVAL;
    const struct param *row = param_row(index);
    const bool is_text = row->type == PARAM_TEXT;
    const int error = is_text ? check_text(value->text) : check_number(row, value->number);
    if (error)
        return error;
    pthread_mutex_lock(&store->lock);
    const int is_changed = replace(&store->value[index], value, is_text);
    if (is_changed)
        store->changed[index] = ++store->serial;
    pthread_mutex_unlock(&store->lock);
    return is_changed;
}

uint64_t store_changed(struct store *store, unsigned index)
{
    pthread_mutex_lock(&store->lock);
    const uint64_t serial = store->changed[index];
    pthread_mutex_unlock(&store->lock);
    return serial;
}

uint64_t store_serial(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    const uint64_t serial = store->serial;
    pthread_mutex_unlock(&store->lock);
    return serial;
}
