#include "firmware/control.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int control_init(struct control *control)
{
    memset(control, 0, sizeof *control);
    pthread_mutex_init(&control->lock, NULL);
    control->store = store_create();
    return control->store ? 0 : -ENOMEM;
}

void control_finish(struct control *control)
{
    store_destroy(control->store);
    pthread_mutex_destroy(&control->lock);
}

static bool is_engine_setting(const struct param *row)
{
    return (row->flags & PARAM_FLAG_ENGINE) && !(row->flags & PARAM_FLAG_STATE);
}

/// With the lock held. Engine values are floats: what comes back is compared as such.
static bool push_param(struct control *control, enum control_ring ring, unsigned index,
                       double number, uint64_t frame)
{
    struct event event = {.frame = frame,
                          .type = EVENT_PARAM,
                          .param = {.index = (uint16_t)index, .value = (float)number}};
    if (!engine_push(control->engine, (int)ring, &event))
        return false;
    control->pushed[ring]++;
    control->pending[index].ring = ring;
    control->pending[index].count = control->pushed[ring];
    return true;
}

void control_use_engine(struct control *control, struct engine *engine)
{
    pthread_mutex_lock(&control->lock);
    control->engine = engine;
    memset(control->pushed, 0, sizeof control->pushed);
    memset(control->pending, 0, sizeof control->pending);
    for (unsigned i = 0; i < PARAM_COUNT && engine; i++)
        if (is_engine_setting(param_row(i)))
            push_param(control, RING_MAIN, i, store_number(control->store, i), EVENT_NOW);
    pthread_mutex_unlock(&control->lock);
}

static int check(const struct param *row, const struct param_value *value)
{
    if (row->flags & (PARAM_FLAG_STATE | PARAM_FLAG_RESTART))
        return -EACCES;
    if (row->type != PARAM_TEXT && !param_is_valid(row, value->number))
        return -ERANGE;
    return 0;
}

int control_set(struct control *control, enum control_ring ring, unsigned index,
                const struct param_value *value, uint64_t frame)
{
    const struct param *row = param_row(index);
    int status = check(row, value);
    if (status)
        return status;
    pthread_mutex_lock(&control->lock);
    bool has_engine = control->engine && is_engine_setting(row);
    if (has_engine && !push_param(control, ring, index, value->number, frame))
        status = -EAGAIN;
    // What is set for later shows when it takes effect; the rest shows at once.
    if (!status && (!has_engine || frame == EVENT_NOW))
        status = store_set(control->store, index, value);
    pthread_mutex_unlock(&control->lock);
    return status < 0 ? status : 0;
}

int control_play(struct control *control, enum control_ring ring, const struct event *event)
{
    pthread_mutex_lock(&control->lock);
    bool is_sent = control->engine && engine_push(control->engine, (int)ring, event);
    pthread_mutex_unlock(&control->lock);
    return is_sent ? 0 : -EAGAIN;
}

void control_report(struct control *control, unsigned index, double number)
{
    struct param_value value = {.number = param_clamp(param_row(index), number)};
    store_set(control->store, index, &value);
}

void control_report_text(struct control *control, unsigned index, const char *text)
{
    struct param_value value = {0};
    snprintf(value.text, sizeof value.text, "%s", text);
    for (char *at = value.text; *at; at++) // names of devices may hold anything
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '?';
    store_set(control->store, index, &value);
}

/// Meters move all the time; a tenth of a decibel is as fine as anybody reads them.
static double readable(const struct param *row, float value)
{
    bool is_level = (row->flags & PARAM_FLAG_STATE) && row->type == PARAM_FLOAT;
    return is_level ? round((double)value * 10.0) / 10.0 : (double)value;
}

bool control_refresh(struct control *control, struct engine_state *state)
{
    pthread_mutex_lock(&control->lock);
    bool has_engine = control->engine != NULL;
    if (has_engine)
        engine_read_state(control->engine, state);
    for (unsigned i = 0; i < PARAM_COUNT && has_engine; i++) {
        const struct param *row = param_row(i);
        bool is_awaited = control->pending[i].count > state->applied[control->pending[i].ring];
        if (!(row->flags & PARAM_FLAG_ENGINE) || is_awaited ||
            (float)store_number(control->store, i) == state->value[i])
            continue;
        control_report(control, i, readable(row, state->value[i]));
    }
    pthread_mutex_unlock(&control->lock);
    return has_engine;
}
