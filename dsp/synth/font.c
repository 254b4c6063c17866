#include "dsp/synth/font.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsp/synth/font_inside.h"

enum { FONT_MAX_BYTES_32 = 0x7fffffff };

// ---- the file ----

static size_t available_bytes(void)
{
    unsigned long kib = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %lu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib ? (size_t)kib * 1024 : SIZE_MAX;
}

/// Maps the file and makes it resident, so that no key press ever waits for a disk.
static int map_file(struct font *font, int fd, char *error, size_t error_bytes)
{
    struct stat status;
    if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
        snprintf(error, error_bytes, "%s: is no regular file", font->path);
        return -EBADMSG;
    }
    if (status.st_size < 12 || status.st_size > FONT_MAX_BYTES_32) {
        snprintf(error, error_bytes, "%s: has %lld bytes, a font has 12 to %d", font->path,
                 (long long)status.st_size, FONT_MAX_BYTES_32);
        return -EBADMSG;
    }
    font->file_bytes = (size_t)status.st_size;
    size_t available = available_bytes();
    if (font->file_bytes > available) {
        snprintf(error, error_bytes, "%s: needs %zu MB of memory, %zu MB are free", font->path,
                 font->file_bytes >> 20, available >> 20);
        return -ENOMEM;
    }
    void *bytes = mmap(NULL, font->file_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED) {
        snprintf(error, error_bytes, "%s: cannot be mapped: %s", font->path, strerror(errno));
        return -errno;
    }
    font->file = bytes;
    // Without the right to lock memory the font still plays; pages might then be dropped under
    // memory pressure, which the service's unit file prevents.
    mlock(bytes, font->file_bytes);
    return 0;
}

static int open_file(struct font *font, char *error, size_t error_bytes)
{
    // O_NONBLOCK: a FIFO of that name must not hang the loader.
    int fd = open(font->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(error, error_bytes, "%s: %s", font->path, strerror(errno));
        return -errno;
    }
    int status = map_file(font, fd, error, error_bytes);
    close(fd);
    return status;
}

// ---- loading ----

static int read_font(struct font *font, void (*progress)(void *, double), void *context,
                     char *error, size_t error_bytes)
{
    char reason[256] = "out of memory";
    int status = sf2_parse(font->file, font->file_bytes, &font->sf2, reason, sizeof reason);
    if (!status)
        status = samples_make(&font->samples, &font->sf2, progress, context, reason, sizeof reason);
    if (!status) // needs the lengths of compressed samples
        status = layers_build(&font->layers, &font->sf2);
    if (status == -E2BIG)
        snprintf(reason, sizeof reason, "more than a million pairs of zones");
    if (status)
        snprintf(error, error_bytes, "%s: %s", font->path, reason);
    return status;
}

struct font *font_load(const char *path, void (*progress)(void *context, double percent),
                       void *context, char *error, size_t error_bytes)
{
    struct font *font = calloc(1, sizeof *font);
    if (!font || !(font->path = strdup(path))) {
        snprintf(error, error_bytes, "%s: out of memory", path);
        free(font);
        return NULL;
    }
    int status = open_file(font, error, error_bytes);
    if (!status)
        status = read_font(font, progress, context, error, error_bytes);
    if (status) {
        font_destroy(font);
        errno = -status;
        return NULL;
    }
    return font;
}

void font_destroy(struct font *font)
{
    if (!font)
        return;
    samples_finish(&font->samples);
    layers_finish(&font->layers);
    sf2_finish(&font->sf2);
    if (font->file)
        munmap(font->file, font->file_bytes);
    free(font->path);
    free(font);
}

// ---- questions ----

const char *font_path(const struct font *font) { return font->path; }

unsigned font_preset_count(const struct font *font) { return font->sf2.preset_count; }

/// The preset, or -1. Presets are in the order of (bank, program).
RT static int find_exactly(const struct font *font, unsigned bank, unsigned program)
{
    uint32_t low = 0, high = font->sf2.preset_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct sf2_preset *preset = &font->sf2.presets[middle];
        if (preset->bank == bank && preset->program == program)
            return (int)middle;
        if (preset->bank < bank || (preset->bank == bank && preset->program < program))
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

RT unsigned font_find_preset(const struct font *font, unsigned bank, unsigned program,
                             bool is_drums)
{
    int found = find_exactly(font, is_drums ? FONT_BANK_DRUMS : bank, program);
    if (found < 0 && is_drums)
        found = find_exactly(font, FONT_BANK_DRUMS, 0);
    if (found < 0)
        found = find_exactly(font, 0, program);
    return found < 0 ? 0 : (unsigned)found;
}

RT unsigned font_preset_bank(const struct font *font, unsigned preset)
{
    return font->sf2.presets[preset].bank;
}

RT unsigned font_preset_program(const struct font *font, unsigned preset)
{
    return font->sf2.presets[preset].program;
}

RT const char *font_preset_name(const struct font *font, unsigned preset)
{
    return font->sf2.presets[preset].name;
}

RT bool font_is_exclusive(const struct font *font, unsigned preset, unsigned key)
{
    struct sf2_span span = font->layers.presets[preset];
    for (uint32_t i = 0; i < span.count; i++) {
        const struct layer *layer = &font->layers.layers[span.first + i];
        if (layer->is_exclusive && key >= layer->key_low && key <= layer->key_high)
            return true;
    }
    return false;
}
