#include "dsp/base/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int snapshot_init(struct snapshot *snapshot, size_t bytes)
{
    snapshot->bytes = bytes;
    snapshot->words = (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    snapshot->word = calloc(snapshot->words, sizeof *snapshot->word);
    atomic_init(&snapshot->sequence, 0);
    return snapshot->word ? 0 : -ENOMEM;
}

void snapshot_finish(struct snapshot *snapshot)
{
    free(snapshot->word);
    snapshot->word = NULL;
}

RT void snapshot_write(struct snapshot *snapshot, const void *value)
{
    uint32_t sequence = atomic_load_explicit(&snapshot->sequence, memory_order_relaxed);
    atomic_store_explicit(&snapshot->sequence, sequence + 1, memory_order_relaxed);
    const unsigned char *from = value;
    for (size_t i = 0; i < snapshot->words; i++) {
        size_t offset = i * sizeof(uint64_t);
        size_t left = snapshot->bytes - offset;
        uint64_t word = 0;
        memcpy(&word, from + offset, left < sizeof word ? left : sizeof word);
        // Release: a reader that sees this word also sees the odd sequence before it.
        atomic_store_explicit(&snapshot->word[i], word, memory_order_release);
    }
    atomic_store_explicit(&snapshot->sequence, sequence + 2, memory_order_release);
}

void snapshot_read(const struct snapshot *snapshot, void *value)
{
    unsigned char *to = value;
    uint32_t before, after;
    do {
        before = atomic_load_explicit(&snapshot->sequence, memory_order_acquire);
        for (size_t i = 0; i < snapshot->words; i++) {
            size_t offset = i * sizeof(uint64_t);
            size_t left = snapshot->bytes - offset;
            uint64_t word = atomic_load_explicit(&snapshot->word[i], memory_order_acquire);
            memcpy(to + offset, &word, left < sizeof word ? left : sizeof word);
        }
        after = atomic_load_explicit(&snapshot->sequence, memory_order_relaxed);
    } while (before != after || before & 1);
}
