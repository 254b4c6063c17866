#include "config/config.h"

#include <string.h>

void config_defaults(struct config_values *values)
{
    memset(values, 0, sizeof *values);
    for (unsigned index = 0; index < PARAM_COUNT; index++)
        param_default(index, &values->value[index]);
}

unsigned config_count(const struct config_values *values)
{
    unsigned count = 0;
    for (unsigned index = 0; index < PARAM_COUNT; index++)
        count += values->is_set[index];
    return count;
}

static bool is_equal(const struct param *row, const struct param_value *a,
                     const struct param_value *b)
{
    return row->type == PARAM_TEXT ? strcmp(a->text, b->text) == 0 : a->number == b->number;
}

unsigned config_apply(const struct config_values *new_values, const struct config_values *old,
                      config_apply_function *apply, void *user)
{
    unsigned calls = 0;
    for (unsigned index = 0; index < PARAM_COUNT; index++) {
        const struct param *row = param_row(index);
        struct param_value before;
        if (!(row->flags & PARAM_FLAG_CONFIG))
            continue;
        if (old)
            before = old->value[index];
        else
            param_default(index, &before);
        if (is_equal(row, &new_values->value[index], &before))
            continue;
        apply(user, index, &new_values->value[index], row->flags & PARAM_FLAG_RESTART);
        calls++;
    }
    return calls;
}
