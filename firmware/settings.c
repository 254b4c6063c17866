#include "firmware/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "config/watch.h"
#include "firmware/console.h"

static const int64_t quiet_ns = 200000000;

struct settings {
    struct control *control;
    const char *path;
    char good_path[512]; ///< of the last good copy, "" for none
    struct config_values values, fresh;
    struct watch *watch;
    int64_t due_ns; ///< when to read a changed file, INT64_MAX for never
};

/// Where a service keeps its state: systemd says, or the user's own place.
static void find_good_path(struct settings *settings)
{
    const char *state = getenv("STATE_DIRECTORY"), *home = getenv("HOME");
    char folder[400];
    if (state)
        snprintf(folder, sizeof folder, "%s", state);
    else if (home && strlen(home) < 300)
        snprintf(folder, sizeof folder, "%s/.local/state/consort", home);
    else
        return;
    for (char *at = folder + 1; *at; at++) // make the way there
        if (*at == '/') {
            *at = '\0';
            mkdir(folder, 0755);
            *at = '/';
        }
    mkdir(folder, 0755);
    snprintf(settings->good_path, sizeof settings->good_path, "%s/consort.cfg.good", folder);
}

static void say_errors(const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_error *error = &report->error[i];
        if (error->line)
            console_say("%s:%u: %s", error->file, error->line, error->message);
        else
            console_say("%s: %s", error->file, error->message);
    }
}

/// At start there is nobody to disturb: the store takes every value, those for a restart too.
static void fill_store(struct settings *settings)
{
    for (unsigned i = 0; i < PARAM_COUNT; i++)
        if (settings->values.is_set[i])
            store_set(settings->control->store, i, &settings->values.value[i]);
}

struct settings *settings_load(const char *path, struct control *control)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings)
        return NULL;
    settings->control = control;
    settings->path = path;
    settings->due_ns = INT64_MAX;
    find_good_path(settings);
    struct config_report report = {0};
    const char *good = *settings->good_path ? settings->good_path : NULL;
    int status = good ? config_load_or_good(path, good, &settings->values, &report)
                      : config_load(path, &settings->values, &report);
    say_errors(&report);
    config_report_finish(&report);
    if (status == 0)
        console_say("config: %s, %u keys set", path, config_count(&settings->values));
    else
        console_say("config: %s is not used; %s", path,
                    status > 0 ? "the last good one is" : "the defaults are");
    if (status == 0 && good)
        config_save_good(path, good);
    fill_store(settings);
    settings->watch = watch_open(path);
    return settings;
}

void settings_destroy(struct settings *settings)
{
    if (!settings)
        return;
    watch_close(settings->watch);
    free(settings);
}

int settings_descriptor(const struct settings *settings)
{
    return settings->watch ? watch_fd(settings->watch) : -1;
}

static void take_value(void *user, unsigned index, const struct param_value *value,
                       bool needs_restart)
{
    struct settings *settings = user;
    char key[64];
    param_key(index, key, sizeof key);
    int status =
        needs_restart ? 0 : control_set(settings->control, RING_MAIN, index, value, EVENT_NOW);
    if (needs_restart)
        console_say("config: %s takes effect at the next start", key);
    else if (status)
        console_say("config: %s: %s", key, strerror(-status));
}

void settings_reload(struct settings *settings)
{
    struct config_report report = {0};
    settings->due_ns = INT64_MAX;
    int status = config_load(settings->path, &settings->fresh, &report);
    say_errors(&report);
    config_report_finish(&report);
    if (status) {
        console_say("config: %s is not used; everything stays as it is", settings->path);
        return;
    }
    unsigned changes = config_apply(&settings->fresh, &settings->values, take_value, settings);
    memcpy(&settings->values, &settings->fresh, sizeof settings->values);
    console_say("config: %s read again, %u changes", settings->path, changes);
    if (*settings->good_path)
        config_save_good(settings->path, settings->good_path);
}

int64_t settings_service(struct settings *settings, int64_t now_ns)
{
    if (settings->watch && watch_drain(settings->watch))
        settings->due_ns = now_ns + quiet_ns;
    if (now_ns >= settings->due_ns)
        settings_reload(settings);
    return settings->due_ns;
}
