#include "net/osc_param.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/text.h"

/// "VALUE: must be RANGE".
static int refuse(const struct param *row, const char *value, char *reason)
{
    char shown[96], range[128];

    text_show(value, strlen(value), shown, sizeof shown);
    param_format_range(row, range, sizeof range);
    snprintf(reason, OSC_REASON_MAX, "%s: must be %s", shown, range);
    return -ERANGE;
}

static int refuse_number(const struct param *row, double number, char *reason)
{
    char text[32];

    text_format_number(number, text, sizeof text);
    return refuse(row, text, reason);
}

static int read_text(const struct param *row, const struct osc_argument *argument,
                     struct param_value *value, char *reason)
{
    if (!argument->text)
        return refuse(row, "a number", reason);
    if (strlen(argument->text) >= PARAM_TEXT_MAX)
        return refuse(row, "a longer text", reason);
    if (!text_is_utf8(argument->text) || text_has_control(argument->text)) {
        snprintf(reason, OSC_REASON_MAX, "the text is not UTF-8 without control characters");
        return -EINVAL;
    }
    memcpy(value->text, argument->text, strlen(argument->text) + 1);
    return 0;
}

static int read_choice(const struct param *row, const char *name, struct param_value *value,
                       char *reason)
{
    const int choice = row->type == PARAM_ENUM ? param_choice_find(row, name) : -ENOENT;

    if (choice < 0)
        return refuse(row, name, reason);
    value->number = choice;
    return 0;
}

static int read_normalized(const struct param *row, double number, struct param_value *value,
                           char *reason)
{
    if (number < 0 || number > 1) {
        snprintf(reason, OSC_REASON_MAX, "%.9g: must be 0 to 1", number);
        return -ERANGE;
    }
    value->number = param_denormalize(row, number);
    return 0;
}

static int read_native(const struct param *row, double number, struct param_value *value,
                       char *reason)
{
    // Faders of most apps can only send floats, to whole numbers too.
    const double wanted = row->type == PARAM_FLOAT ? number : round(number);

    if (!param_is_valid(row, wanted))
        return refuse_number(row, number, reason);
    value->number = wanted;
    return 0;
}

int osc_param_read(unsigned index, bool is_normalized, const struct osc_message *message,
                   struct param_value *value, char reason[OSC_REASON_MAX])
{
    const struct param *row = param_row(index);
    const struct osc_argument *argument = &message->arguments[0];

    memset(value, 0, sizeof *value);
    if (row->flags & PARAM_FLAG_STATE) {
        snprintf(reason, OSC_REASON_MAX, "is read only: the box reports it");
        return -EACCES;
    }
    if (message->count != 1) {
        snprintf(reason, OSC_REASON_MAX, "takes one argument, not %u", message->count);
        return -EINVAL;
    }
    if (row->type == PARAM_TEXT && !is_normalized)
        return read_text(row, argument, value, reason);
    if (argument->text && !is_normalized)
        return read_choice(row, argument->text, value, reason);
    if (!osc_argument_is_number(argument)) {
        snprintf(reason, OSC_REASON_MAX, "the argument is not a finite number");
        return -EINVAL;
    }
    return is_normalized ? read_normalized(row, argument->number, value, reason)
                         : read_native(row, argument->number, value, reason);
}

bool osc_param_answer(unsigned index, bool is_normalized, const struct param_value *value,
                      char scratch[PARAM_TEXT_MAX], struct osc_argument *argument)
{
    const struct param *row = param_row(index);

    if (is_normalized) {
        *argument = osc_float(param_normalize(row, value->number));
        return row->type != PARAM_TEXT;
    }
    if (row->type == PARAM_TEXT) {
        snprintf(scratch, PARAM_TEXT_MAX, "%.*s", PARAM_TEXT_MAX - 1, value->text);
        *argument = osc_text(scratch);
    } else if (row->type == PARAM_ENUM) {
        param_choice_name(row, (int)value->number, scratch, PARAM_TEXT_MAX);
        *argument = osc_text(scratch);
    } else if (row->type == PARAM_FLOAT) {
        *argument = osc_float(value->number);
    } else {
        *argument = osc_int((int32_t)value->number);
    }
    return true;
}

void osc_param_explain(unsigned index, const struct param_value *value, int error,
                       char reason[OSC_REASON_MAX])
{
    const struct param *row = param_row(index);

    if (error == -EAGAIN)
        snprintf(reason, OSC_REASON_MAX, "the box is busy: try again");
    else if (error == -EACCES) // what the box reports was refused before
        snprintf(reason, OSC_REASON_MAX, "is taken at start only: set it in the config");
    else if (row->type == PARAM_TEXT)
        refuse(row, value->text, reason);
    else
        refuse_number(row, value->number, reason);
}
