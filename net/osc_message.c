#include "net/osc_message.h"

#include <errno.h>
#include <lo/lo.h>
#include <lo/lo_lowlevel.h>
#include <math.h>
#include <string.h>

// liblo lays all arguments on four bytes, whatever their own alignment: they are copied out.
#define COPY(type, from)                                                                           \
    ({                                                                                             \
        type copied_;                                                                              \
        memcpy(&copied_, from, sizeof copied_);                                                    \
        copied_;                                                                                   \
    })

static struct osc_argument read_argument(char type, const void *value)
{
    struct osc_argument argument = {.type = type};

    switch (type) {
    case 'i':
    case 'c':
        argument.number = COPY(int32_t, value);
        break;
    case 'f':
        argument.number = COPY(float, value);
        break;
    case 'h':
        argument.number = (double)COPY(int64_t, value);
        break;
    case 'd':
        argument.number = COPY(double, value);
        break;
    case 'T':
        argument.number = 1;
        break;
    case 's':
    case 'S':
        argument.text = value;
        break;
    default:
        break;
    }
    return argument;
}

int osc_message_init(struct osc_message *message, const void *data, size_t bytes)
{
    int error = 0;

    memset(message, 0, sizeof *message);
    message->address = data;
    if (((strlen(data) | 3) + 1) == bytes)
        return 0; // no types, no arguments

    // liblo copies the data before it turns the byte order.
    lo_message parsed = lo_message_deserialise((void *)(uintptr_t)data, bytes, &error);
    if (!parsed)
        return error == LO_EALLOC ? -ENOMEM : -EBADMSG;
    message->storage = parsed;
    message->count = (unsigned)lo_message_get_argc(parsed);
    if (message->count > OSC_ARGUMENTS_MAX) {
        osc_message_finish(message);
        return -EBADMSG;
    }
    const char *types = lo_message_get_types(parsed);
    lo_arg **values = lo_message_get_argv(parsed);
    for (unsigned i = 0; i < message->count; i++)
        message->arguments[i] = read_argument(types[i], values[i]);
    return 0;
}

void osc_message_finish(struct osc_message *message)
{
    if (message->storage)
        lo_message_free(message->storage);
    message->storage = NULL;
}

static int add_argument(lo_message message, const struct osc_argument *argument)
{
    switch (argument->type) {
    case 'i':
        return lo_message_add_int32(message, (int32_t)argument->number);
    case 'f':
        return lo_message_add_float(message, (float)argument->number);
    case 'd':
        return lo_message_add_double(message, argument->number);
    case 's':
        return lo_message_add_string(message, argument->text);
    case 'T':
        return lo_message_add_true(message);
    case 'F':
        return lo_message_add_false(message);
    default:
        return -1;
    }
}

size_t osc_message_build(void *to, size_t room, const char *address,
                         const struct osc_argument *arguments, unsigned count)
{
    size_t bytes = 0;
    lo_message message = lo_message_new();

    if (!message)
        return 0;
    for (unsigned i = 0; i < count; i++)
        if (add_argument(message, &arguments[i]) != 0)
            goto done;
    if (lo_message_length(message, address) <= room)
        lo_message_serialise(message, address, to, &bytes);
done:
    lo_message_free(message);
    return bytes;
}

bool osc_argument_is_number(const struct osc_argument *argument)
{
    return strchr("ihfdTF", argument->type) != NULL && isfinite(argument->number);
}

struct osc_argument osc_int(int32_t value)
{
    return (struct osc_argument){.type = 'i', .number = value};
}

struct osc_argument osc_float(double value)
{
    return (struct osc_argument){.type = 'f', .number = value};
}

struct osc_argument osc_text(const char *text)
{
    return (struct osc_argument){.type = 's', .text = text};
}
