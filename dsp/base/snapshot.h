/// The latest value of a plain struct, written by one thread and read by any number.
///
/// A sequence lock over atomic words: the writer never waits; a reader repeats its copy when the
/// writer came between. Owner: the writer's owner. Thread: `snapshot_write` one thread,
/// `snapshot_read` any.
#ifndef CONSORT_DSP_BASE_SNAPSHOT_H
#define CONSORT_DSP_BASE_SNAPSHOT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/base/rt.h"

struct snapshot {
    _Atomic uint32_t sequence; ///< odd while a write is under way
    size_t bytes;
    size_t words;
    _Atomic uint64_t *word;
};

/// Makes room for a value of `bytes`, all zero at first. Returns 0 or -ENOMEM.
int snapshot_init(struct snapshot *snapshot, size_t bytes);
void snapshot_finish(struct snapshot *snapshot);

/// Publishes `value`. RT safe, wait-free.
RT void snapshot_write(struct snapshot *snapshot, const void *value);

/// Copies the latest whole value to `value`. Never torn.
void snapshot_read(const struct snapshot *snapshot, void *value);

#endif
