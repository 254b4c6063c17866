#include "dsp/synth/samples.h"

#include <errno.h>
#include <fluidsynth.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DECODED_MAX_FRAMES = 100 * 1000 * 1000, THREADS_MAX = 16 };

/// One preparation of all samples, shared by the threads that work on it.
struct work {
    struct samples *samples;
    struct sf2 *sf2;
    _Atomic uint32_t next;
    _Atomic int status; ///< the first failure
    _Atomic uint32_t failed_sample;
};

/// A compressed sample as a file in memory for libsndfile.
struct memory_file {
    const uint8_t *bytes;
    sf_count_t count, position;
};

static sf_count_t memory_length(void *context) { return ((struct memory_file *)context)->count; }

static sf_count_t memory_tell(void *context) { return ((struct memory_file *)context)->position; }

static sf_count_t memory_seek(sf_count_t offset, int whence, void *context)
{
    struct memory_file *file = context;
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file->position : file->count;
    sf_count_t position = base + offset;
    if (position < 0 || position > file->count)
        return -1;
    file->position = position;
    return position;
}

static sf_count_t memory_read(void *to, sf_count_t count, void *context)
{
    struct memory_file *file = context;
    if (count > file->count - file->position)
        count = file->count - file->position;
    memcpy(to, file->bytes + file->position, (size_t)count);
    file->position += count;
    return count;
}

/// The frames of a compressed sample, and how many; NULL when it cannot be decoded.
static int16_t *decode(const struct sf2 *sf2, const struct sf2_sample *sample, uint32_t *frames)
{
    static SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, NULL, memory_tell};
    struct memory_file file = {sf2->sample_bytes + sample->start, sample->end - sample->start, 0};
    SF_INFO info = {0};
    int16_t *decoded = NULL;
    SNDFILE *sound = sf_open_virtual(&io, SFM_READ, &info, &file);
    if (!sound)
        return NULL;
    // Fonts in circulation peak above full scale after compression: clip, never wrap.
    sf_command(sound, SFC_SET_CLIPPING, NULL, SF_TRUE);
    if (info.channels == 1 && info.frames >= SF2_FRAMES_MIN && info.frames <= DECODED_MAX_FRAMES)
        decoded = malloc((size_t)info.frames * sizeof *decoded);
    if (decoded && sf_readf_short(sound, decoded, info.frames) == info.frames) {
        *frames = (uint32_t)info.frames;
    } else {
        free(decoded);
        decoded = NULL;
    }
    sf_close(sound);
    return decoded;
}

/// A decoded sample's loop is in frames of its own; keep it inside.
static void bound_loop(struct sf2_sample *sample, uint32_t frames)
{
    if (sample->loop_start > sample->loop_end || sample->loop_end > frames) {
        sample->loop_start = 0;
        sample->loop_end = frames;
    }
}

static int fill(const struct sf2_sample *from, fluid_sample_t *to, const int16_t *data,
                const uint8_t *low, uint32_t frames)
{
    // The library only reads through these pointers; its interface lacks the const.
    int status = fluid_sample_set_sound_data(to, (short *)(uintptr_t)data, (char *)(uintptr_t)low,
                                             frames, from->rate_hz, 0);
    if (status != FLUID_OK)
        return -ENOMEM;
    fluid_sample_set_name(to, from->name);
    fluid_sample_set_loop(to, from->loop_start, from->loop_end);
    fluid_sample_set_pitch(to, from->root_key, from->fine_cents);
    fluid_voice_optimize_sample(to);
    return 0;
}

static int prepare(struct work *work, uint32_t index)
{
    struct sf2_sample *sample = &work->sf2->samples[index];
    fluid_sample_t *to =
        (fluid_sample_t *)(work->samples->prototypes + (size_t)index * fluid_sample_sizeof());
    if (!sample->is_usable)
        return 0;
    uint32_t frames = sample->end - sample->start;
    const int16_t *data = (const int16_t *)work->sf2->sample_bytes + sample->start;
    const uint8_t *low = work->sf2->low_bytes;
    if (sample->is_compressed) {
        work->samples->decoded[index] = decode(work->sf2, sample, &frames);
        data = work->samples->decoded[index];
        low = NULL;
        if (!data)
            return -EBADMSG;
        bound_loop(sample, frames);
        sample->frames = frames;
    }
    return fill(sample, to, data, low ? low + sample->start : NULL, frames);
}

static void *prepare_some(void *context)
{
    struct work *work = context;
    while (!atomic_load(&work->status)) {
        uint32_t index = atomic_fetch_add(&work->next, 1);
        if (index >= work->samples->count)
            break;
        int expected = 0, status = prepare(work, index);
        if (status && atomic_compare_exchange_strong(&work->status, &expected, status))
            atomic_store(&work->failed_sample, index);
    }
    return NULL;
}

static void prepare_all(struct work *work, void (*progress)(void *, double), void *context)
{
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int count = 0;
    for (; count < THREADS_MAX && count < cores - 1; count++)
        if (pthread_create(&threads[count], NULL, prepare_some, work))
            break;
    uint32_t total = work->samples->count, told = 0;
    if (progress)
        progress(context, 0);
    while (!atomic_load(&work->status)) {
        uint32_t index = atomic_fetch_add(&work->next, 1);
        if (index >= total)
            break;
        int expected = 0, status = prepare(work, index);
        if (status && atomic_compare_exchange_strong(&work->status, &expected, status))
            atomic_store(&work->failed_sample, index);
        uint32_t percent = 100 * (index + 1) / total;
        if (progress && percent > told)
            progress(context, told = percent);
    }
    while (count--)
        pthread_join(threads[count], NULL);
    if (progress && told < 100)
        progress(context, 100);
}

/// Prototypes start as the library's own empty sample, whose layout only the library knows.
static int allocate(struct samples *samples, const struct sf2 *sf2)
{
    size_t bytes = fluid_sample_sizeof();
    samples->count = sf2->sample_count;
    samples->prototypes = calloc(sf2->sample_count + 1, bytes);
    samples->decoded = calloc(sf2->sample_count + 1, sizeof *samples->decoded);
    fluid_sample_t *empty = new_fluid_sample();
    bool is_complete = samples->prototypes && samples->decoded && empty;
    for (uint32_t i = 0; i < samples->count && is_complete; i++)
        memcpy(samples->prototypes + i * bytes, empty, bytes);
    delete_fluid_sample(empty);
    return is_complete ? 0 : -ENOMEM;
}

int samples_make(struct samples *samples, struct sf2 *sf2,
                 void (*progress)(void *context, double percent), void *context, char *error,
                 size_t error_bytes)
{
    memset(samples, 0, sizeof *samples);
    int status = allocate(samples, sf2);
    if (!status) {
        struct work work = {.samples = samples, .sf2 = sf2};
        prepare_all(&work, progress, context);
        status = atomic_load(&work.status);
        if (status == -EBADMSG)
            snprintf(error, error_bytes, "sample \"%s\": its compressed sound cannot be decoded",
                     sf2->samples[atomic_load(&work.failed_sample)].name);
    }
    if (status)
        samples_finish(samples);
    return status;
}

void samples_finish(struct samples *samples)
{
    for (uint32_t i = 0; i < samples->count && samples->decoded; i++)
        free(samples->decoded[i]);
    free(samples->decoded);
    free(samples->prototypes);
    memset(samples, 0, sizeof *samples);
}

unsigned char *samples_copy(const struct samples *samples)
{
    size_t bytes = (samples->count + 1) * fluid_sample_sizeof();
    unsigned char *copy = malloc(bytes);
    if (copy)
        memcpy(copy, samples->prototypes, bytes);
    return copy;
}
