#include "firmware/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void registry_init(struct registry *registry)
{
    memset(registry, 0, sizeof *registry);
    pthread_mutex_init(&registry->lock, NULL);
    registry->source[0].is_open = true;
    snprintf(registry->source[0].name, SOURCE_NAME_BYTES, "consort");
}

void registry_finish(struct registry *registry) { pthread_mutex_destroy(&registry->lock); }

static int find_free(const struct registry *registry)
{
    for (int i = 0; i < SOURCES_MAX - 1; i++) {
        int source = 1 + (registry->newest + i) % (SOURCES_MAX - 1);
        if (!registry->source[source].is_open)
            return source;
    }
    return -ENOSPC;
}

int registry_open(struct registry *registry, enum source_kind kind, const char *name)
{
    pthread_mutex_lock(&registry->lock);
    int source = find_free(registry);
    if (source > 0) {
        registry->source[source].is_open = true;
        registry->source[source].kind = kind;
        snprintf(registry->source[source].name, SOURCE_NAME_BYTES, "%s", name);
        registry->newest = source;
    }
    pthread_mutex_unlock(&registry->lock);
    return source;
}

enum source_kind registry_close(struct registry *registry, int source)
{
    enum source_kind kind = SOURCE_BOX;
    pthread_mutex_lock(&registry->lock);
    if (source > 0 && source < SOURCES_MAX) {
        registry->source[source].is_open = false;
        kind = registry->source[source].kind;
    }
    pthread_mutex_unlock(&registry->lock);
    return kind;
}

void registry_name(struct registry *registry, unsigned source, char *name, size_t bytes)
{
    pthread_mutex_lock(&registry->lock);
    snprintf(name, bytes, "%s", source < SOURCES_MAX ? registry->source[source].name : "");
    pthread_mutex_unlock(&registry->lock);
}

int registry_count(struct registry *registry, enum source_kind kind)
{
    int count = 0;
    pthread_mutex_lock(&registry->lock);
    for (int i = 1; i < SOURCES_MAX; i++)
        count += registry->source[i].is_open && registry->source[i].kind == kind;
    pthread_mutex_unlock(&registry->lock);
    return count;
}
