/// Files that keep what was costly to make, each under a key, and never believed unseen.
///
/// A file carries its key, its size and a checksum: what is torn, foreign or of another driver is
/// as if it were not there. Owner: nobody, there is no state. Thread: any but the audio thread.
#ifndef CONSORT_DSP_GPU_BINARY_CACHE_H
#define CONSORT_DSP_GPU_BINARY_CACHE_H

#include <stddef.h>
#include <stdint.h>

enum { BINARY_CACHE_BYTES_MAX = 16 << 20 };

/// FNV-1a of a text, on top of an earlier hash (0 at first).
uint64_t binary_cache_hash(uint64_t hash, const void *bytes, size_t count);

/// Reads what is kept under `key`: its bytes, to be freed, and its `format`. NULL when there is
/// none.
void *binary_cache_read(const char *folder, uint64_t key, uint32_t *format, size_t *bytes);

/// Keeps `bytes` under `key`, whole or not at all. Returns 0 or negative errno.
int binary_cache_write(const char *folder, uint64_t key, uint32_t format, const void *data,
                       size_t bytes);

#endif
