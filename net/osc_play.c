#include "net/osc_play.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { METHOD_ARGUMENTS_MAX = 3 };

struct operand {
    const char *name;
    int minimum, maximum;
};

struct method {
    const char *name;
    unsigned least, most; ///< arguments
    struct operand operands[METHOD_ARGUMENTS_MAX];
    void (*fill)(const int *operands, struct event *event);
};

static void fill_note(const int *operands, struct event *event)
{
    event->type = operands[1] ? EVENT_PART_NOTE_ON : EVENT_PART_NOTE_OFF;
    event->note.key = (uint8_t)operands[0];
    event->note.velocity = (uint8_t)operands[1];
}

static void fill_key_pressure(const int *operands, struct event *event)
{
    event->type = EVENT_PART_KEY_PRESSURE;
    event->note.key = (uint8_t)operands[0];
    event->note.velocity = (uint8_t)operands[1];
}

static void fill_control(const int *operands, struct event *event)
{
    event->type = EVENT_PART_CONTROL;
    event->control.number = (uint8_t)operands[0];
    event->control.value = (uint8_t)operands[1];
}

static void fill_pressure(const int *operands, struct event *event)
{
    event->type = EVENT_PART_CHANNEL_PRESSURE;
    event->pressure = (uint8_t)operands[0];
}

static void fill_bend(const int *operands, struct event *event)
{
    event->type = EVENT_PART_BEND;
    event->bend = (int16_t)operands[0];
}

static const struct method methods[] = {
    {"note",
     2,
     3,
     {{"key", 0, 127}, {"velocity", 0, 127}, {"duration in ms", 1, OSC_DURATION_MAX_MS}},
     fill_note},
    {"cc", 2, 2, {{"controller", 0, 127}, {"value", 0, 127}}, fill_control},
    {"bend", 1, 1, {{"bend", -8192, 8191}}, fill_bend},
    {"pressure", 1, 1, {{"pressure", 0, 127}}, fill_pressure},
    {"keypressure", 2, 2, {{"key", 0, 127}, {"pressure", 0, 127}}, fill_key_pressure},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

int osc_play_find(const char *name)
{
    for (int i = 0; i < METHODS; i++)
        if (strcmp(methods[i].name, name) == 0)
            return i;
    return -ENOENT;
}

const char *osc_play_name(int method) { return method < METHODS ? methods[method].name : NULL; }

/// A bend in floats is -1..1: its full range reaches 8192 below and 8191 above the middle.
static bool scale_bend(double *number)
{
    if (*number < -1 || *number > 1)
        return false;
    *number = fmin(*number * 8192, 8191);
    return true;
}

static int read_operand(const struct operand *operand, bool is_bend,
                        const struct osc_argument *argument, int *value, char *reason)
{
    double number = argument->number;

    if (!osc_argument_is_number(argument)) {
        snprintf(reason, OSC_REASON_MAX, "%s: must be a finite number", operand->name);
        return -EINVAL;
    }
    if (is_bend && (argument->type == 'f' || argument->type == 'd') && !scale_bend(&number)) {
        snprintf(reason, OSC_REASON_MAX, "bend %.9g: must be -1 to 1 as a float", number);
        return -EINVAL;
    }
    number = round(number);
    if (number < operand->minimum || number > operand->maximum) {
        snprintf(reason, OSC_REASON_MAX, "%s %.9g: must be %d to %d", operand->name, number,
                 operand->minimum, operand->maximum);
        return -EINVAL;
    }
    *value = (int)number;
    return 0;
}

int osc_play_read(int method, unsigned part, const struct osc_message *message, struct event *event,
                  uint32_t *duration_ms, char reason[OSC_REASON_MAX])
{
    const struct method *found = &methods[method];
    int operands[METHOD_ARGUMENTS_MAX] = {0};

    if (message->count < found->least || message->count > found->most) {
        snprintf(reason, OSC_REASON_MAX, "takes %u%s, not %u", found->least,
                 found->most > found->least ? " or 3 arguments"
                 : found->least == 1        ? " argument"
                                            : " arguments",
                 message->count);
        return -EINVAL;
    }
    for (unsigned i = 0; i < message->count; i++)
        if (read_operand(&found->operands[i], found->fill == fill_bend, &message->arguments[i],
                         &operands[i], reason) != 0)
            return -EINVAL;
    memset(event, 0, sizeof *event);
    event->channel = (uint8_t)(part - 1);
    found->fill(operands, event);
    *duration_ms = event->type == EVENT_PART_NOTE_ON ? (uint32_t)operands[2] : 0;
    return 0;
}
