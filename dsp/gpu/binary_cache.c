#define _GNU_SOURCE
#include "dsp/gpu/binary_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char MAGIC[8] = "consgpu1";

struct header {
    char magic[8];
    uint64_t key, bytes, checksum;
    uint32_t format, zero;
};

uint64_t binary_cache_hash(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    if (hash == 0)
        hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void name_file(char *path, size_t path_bytes, const char *folder, uint64_t key)
{
    snprintf(path, path_bytes, "%s/gpu-%016" PRIx64, folder, key);
}

static bool is_good(const struct header *header, uint64_t key)
{
    return memcmp(header->magic, MAGIC, sizeof MAGIC) == 0 && header->key == key &&
           header->bytes > 0 && header->bytes <= BINARY_CACHE_BYTES_MAX;
}

static void *read_file(FILE *file, uint64_t key, struct header *header)
{
    if (fread(header, sizeof *header, 1, file) != 1 || !is_good(header, key))
        return NULL;
    void *data = malloc(header->bytes);
    if (data && fread(data, header->bytes, 1, file) == 1 &&
        binary_cache_hash(0, data, header->bytes) == header->checksum)
        return data;
    free(data);
    return NULL;
}

void *binary_cache_read(const char *folder, uint64_t key, uint32_t *format, size_t *bytes)
{
    char path[4096];
    struct header header = {0};
    name_file(path, sizeof path, folder, key);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return NULL;
    void *data = read_file(file, key, &header);
    fclose(file);
    *format = header.format;
    *bytes = header.bytes;
    return data;
}

static int write_file(int file, const struct header *header, const void *data)
{
    if (write(file, header, sizeof *header) != (ssize_t)sizeof *header ||
        write(file, data, header->bytes) != (ssize_t)header->bytes)
        return -EIO;
    // The name must not come to disk before the bytes.
    return fsync(file) == 0 ? 0 : -errno;
}

int binary_cache_write(const char *folder, uint64_t key, uint32_t format, const void *data,
                       size_t bytes)
{
    char path[4096], fresh[4096 + 8];
    struct header header = {.key = key,
                            .bytes = bytes,
                            .checksum = binary_cache_hash(0, data, bytes),
                            .format = format};
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    name_file(path, sizeof path, folder, key);
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    if (bytes == 0 || bytes > BINARY_CACHE_BYTES_MAX)
        return -EINVAL;
    int file = mkostemp(fresh, O_CLOEXEC);
    if (file < 0)
        return -errno;
    int code = write_file(file, &header, data);
    close(file);
    if (code == 0 && rename(fresh, path) != 0)
        code = -errno;
    if (code != 0)
        unlink(fresh);
    return code;
}
