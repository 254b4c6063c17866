#include "net/osc_space.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/spelling.h"
#include "dsp/engine/event.h"
#include "net/osc_pattern.h"
#include "net/osc_play.h"

static const char normalized[] = "/normalized";

static const char *const commands[OSC_COMMANDS] = {
    [OSC_COMMAND_PANIC] = "/panic",         [OSC_COMMAND_DUMP] = "/dump",
    [OSC_COMMAND_SUBSCRIBE] = "/subscribe", [OSC_COMMAND_UNSUBSCRIBE] = "/unsubscribe",
    [OSC_COMMAND_PING] = "/ping",           [OSC_COMMAND_INFO] = "/info",
};

int osc_space_command(const char *address)
{
    for (int i = 0; i < OSC_COMMANDS; i++)
        if (strcmp(address, commands[i]) == 0)
            return i;
    return -ENOENT;
}

void osc_space_target(const char *address, struct osc_target *target)
{
    const size_t ending = sizeof normalized - 1;
    size_t length = strnlen(address, OSC_ADDRESS_MAX - 1);

    target->is_normalized = length > ending && strcmp(address + length - ending, normalized) == 0;
    if (target->is_normalized)
        length -= ending;
    memcpy(target->path, address, length);
    target->path[length] = 0;
    target->is_pattern = osc_pattern_is(target->path);
}

unsigned osc_space_next(const struct osc_target *target, unsigned from)
{
    if (!target->is_pattern) {
        const int index = param_find_path(target->path);
        return index >= 0 && (unsigned)index >= from ? (unsigned)index : PARAM_COUNT;
    }
    for (unsigned index = from; index < PARAM_COUNT; index++) {
        char path[OSC_MATCHED_MAX];
        param_path(index, path, sizeof path);
        if (osc_pattern_match(target->path, path))
            return index;
    }
    return PARAM_COUNT;
}

int osc_space_method(const char *address, char parts[OSC_ADDRESS_MAX])
{
    const char *slash = strrchr(address, '/');
    const int method = slash ? osc_play_find(slash + 1) : -ENOENT;

    if (method >= 0)
        snprintf(parts, OSC_ADDRESS_MAX, "%.*s", (int)(slash - address), address);
    return method;
}

bool osc_space_is_part(const char *parts, unsigned part)
{
    char path[16];

    snprintf(path, sizeof path, "/ch/%u", part);
    return osc_pattern_is(parts) ? osc_pattern_match(parts, path) : strcmp(parts, path) == 0;
}

/// Keeps the better of the nearest so far and a candidate.
static void consider(const char *address, const char *candidate, unsigned *least,
                     char nearest[OSC_ADDRESS_MAX])
{
    const unsigned distance = spelling_distance(address, candidate);

    if (distance < *least) {
        *least = distance;
        snprintf(nearest, OSC_ADDRESS_MAX, "%s", candidate);
    }
}

bool osc_space_nearest(const char *address, char nearest[OSC_ADDRESS_MAX])
{
    unsigned least = SPELLING_MAX + 1;
    struct osc_target target;
    char candidate[OSC_MATCHED_MAX];

    osc_space_target(address, &target);
    param_path(param_nearest_path(target.path), candidate, sizeof candidate);
    consider(target.path, candidate, &least, nearest);
    for (int i = 0; i < OSC_COMMANDS; i++)
        consider(target.path, commands[i], &least, nearest);
    for (unsigned part = 1; part <= PARTS; part++)
        for (int i = 0; osc_play_name(i); i++) {
            snprintf(candidate, sizeof candidate, "/ch/%u/%s", part, osc_play_name(i));
            consider(target.path, candidate, &least, nearest);
        }
    return spelling_is_close(nearest, least);
}
