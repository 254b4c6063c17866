/// Who plays: the numbers and names of all sources.
///
/// Owner: the daemon. Thread: any but the audio thread; one mutex inside.
#ifndef CONSORT_FIRMWARE_REGISTRY_H
#define CONSORT_FIRMWARE_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "dsp/engine/event.h"

enum { SOURCE_NAME_BYTES = 96 };

enum source_kind {
    SOURCE_BOX,   ///< the box itself
    SOURCE_MIDI,  ///< a keyboard that was plugged in
    SOURCE_INPUT, ///< an input that others may play on
    SOURCE_OSC,   ///< a client on the network
};

struct registry {
    pthread_mutex_t lock;
    struct {
        bool is_open;
        enum source_kind kind;
        char name[SOURCE_NAME_BYTES];
    } source[SOURCES_MAX];
    int newest; ///< the next search begins behind it, so that numbers rest before they return
};

/// Source 0 is the box itself.
void registry_init(struct registry *registry);
void registry_finish(struct registry *registry);

/// Returns a number 1..SOURCES_MAX-1, or -ENOSPC.
int registry_open(struct registry *registry, enum source_kind kind, const char *name);

/// Returns what kind of source it was.
enum source_kind registry_close(struct registry *registry, int source);

/// The name of a source, of one just closed too; "" for one never opened.
void registry_name(struct registry *registry, unsigned source, char *name, size_t bytes);

/// How many sources of a kind are open.
int registry_count(struct registry *registry, enum source_kind kind);

#endif
