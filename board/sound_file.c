#include "board/sound_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHANNELS_MAX = 8, READ_FRAMES = 65536 };

/// A WAV counts its bytes in 32 bits; the rest is room for its header.
static const uint64_t WAV_BYTES_MAX = UINT32_MAX - 4096;

struct sound_file {
    SNDFILE *file;
    uint64_t frames, frames_max;
    int channels;
    bool is_updatable; ///< its header can be brought up to date while it grows
    char error[160];
};

/// How each ending is written, by bit depth.
static const struct kind {
    const char *ending;
    int format[3]; ///< by enum sound_format
} kinds[] = {
    {".wav",
     {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_PCM_24,
      SF_FORMAT_WAV | SF_FORMAT_FLOAT}},
    {".flac",
     {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_24,
      SF_FORMAT_FLAC | SF_FORMAT_PCM_24}},
    {".ogg",
     {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
      SF_FORMAT_OGG | SF_FORMAT_VORBIS}},
    {".mp3",
     {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
      SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}},
};

__attribute__((format(printf, 4, 5))) static int refuse(int code, char *error, size_t bytes,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, bytes, format, arguments);
    va_end(arguments);
    errno = code;
    return -code;
}

static const struct kind *find_kind(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending && i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(ending, kinds[i].ending) == 0)
            return &kinds[i];
    return NULL;
}

/// WAV alone has a size limit and a header that lies while the file grows.
static void set_limits(struct sound_file *file, int format)
{
    file->frames_max = UINT64_MAX;
    if ((format & SF_FORMAT_TYPEMASK) != SF_FORMAT_WAV)
        return;
    int subtype = format & SF_FORMAT_SUBMASK;
    uint64_t sample_bytes = subtype == SF_FORMAT_PCM_16 ? 2 : subtype == SF_FORMAT_PCM_24 ? 3 : 4;
    file->frames_max = WAV_BYTES_MAX / (sample_bytes * (uint64_t)file->channels);
    file->is_updatable = true;
}

/// Opens the library's writer on a descriptor, which it owns from then on.
static int open_writer(struct sound_file *file, const char *path, SF_INFO *info)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return refuse(errno, file->error, sizeof file->error, "%s", strerror(errno));
    file->file = sf_open_fd(descriptor, SFM_WRITE, info, SF_TRUE);
    if (!file->file)
        return refuse(EINVAL, file->error, sizeof file->error, "%s", sf_strerror(NULL));
    sf_command(file->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    return 0;
}

struct sound_file *sound_file_create(const char *path, int rate_hz, int channels,
                                     enum sound_format format, char *error, size_t bytes)
{
    const struct kind *kind = find_kind(path);
    if (!kind) {
        refuse(EINVAL, error, bytes, "%s: the name must end in .wav, .flac, .ogg or .mp3", path);
        return NULL;
    }
    if (rate_hz < 8000 || rate_hz > 192000 || channels < 1 || channels > CHANNELS_MAX) {
        refuse(EINVAL, error, bytes,
               "%s: %d Hz and %d channels, where 8000 to 192000 and 1 to %d "
               "are possible",
               path, rate_hz, channels, CHANNELS_MAX);
        return NULL;
    }
    struct sound_file *file = calloc(1, sizeof *file);
    if (!file) {
        refuse(ENOMEM, error, bytes, "%s: no memory", path);
        return NULL;
    }
    file->channels = channels;
    SF_INFO info = {.samplerate = rate_hz, .channels = channels, .format = kind->format[format]};
    if (open_writer(file, path, &info) != 0) {
        refuse(errno, error, bytes, "%s: %s", path, file->error);
        free(file);
        return NULL;
    }
    set_limits(file, info.format);
    return file;
}

static int fail(struct sound_file *file)
{
    const char *reason = sf_error(file->file) ? sf_strerror(file->file) : "cannot be written";
    static const char prefix[] = "System error : ";
    if (strncmp(reason, prefix, sizeof prefix - 1) == 0)
        reason += sizeof prefix - 1;
    return refuse(EIO, file->error, sizeof file->error, "%s", reason);
}

int sound_file_write(struct sound_file *file, const float *samples, size_t frames)
{
    if (frames > file->frames_max - file->frames)
        return refuse(EFBIG, file->error, sizeof file->error, "a WAV file ends at 4 GiB");
    sf_count_t written = sf_writef_float(file->file, samples, (sf_count_t)frames);
    if (written > 0)
        file->frames += (uint64_t)written;
    return written == (sf_count_t)frames ? 0 : fail(file);
}

int sound_file_flush(struct sound_file *file)
{
    if (file->is_updatable && sf_command(file->file, SFC_UPDATE_HEADER_NOW, NULL, 0) != 0)
        return fail(file);
    sf_write_sync(file->file);
    return 0;
}

uint64_t sound_file_frames(const struct sound_file *file) { return file->frames; }

const char *sound_file_error(const struct sound_file *file) { return file->error; }

int sound_file_close(struct sound_file *file)
{
    if (!file)
        return 0;
    int code = sf_close(file->file);
    free(file);
    return code == 0 ? 0 : -EIO;
}

/// Reads until the end of the file: what its header promises is not believed.
static int read_frames(SNDFILE *file, uint64_t max_frames, struct sound *sound)
{
    uint64_t room = 0;
    for (;;) {
        if (sound->frames == room) {
            room += room / 2 + READ_FRAMES;
            float *more = realloc(sound->samples, room * (size_t)sound->channels * sizeof *more);
            if (!more)
                return -ENOMEM;
            sound->samples = more;
        }
        float *end = sound->samples + sound->frames * (uint64_t)sound->channels;
        sf_count_t got = sf_readf_float(file, end, (sf_count_t)(room - sound->frames));
        if (got <= 0)
            return 0;
        sound->frames += (uint64_t)got;
        if (sound->frames > max_frames)
            return -EFBIG;
    }
}

static int read_open(SNDFILE *file, const SF_INFO *info, uint64_t max_frames, struct sound *sound)
{
    if (info->channels < 1 || info->channels > CHANNELS_MAX || info->samplerate < 1)
        return -EINVAL;
    sound->channels = info->channels;
    sound->rate_hz = info->samplerate;
    return read_frames(file, max_frames, sound);
}

static int explain(int code, const char *path, uint64_t max_frames, char *error, size_t bytes)
{
    if (code == -EFBIG)
        return refuse(EFBIG, error, bytes, "%s: longer than %llu frames", path,
                      (unsigned long long)max_frames);
    if (code == -ENOMEM)
        return refuse(ENOMEM, error, bytes, "%s: no memory", path);
    return refuse(EINVAL, error, bytes, "%s: has more than %d channels", path, CHANNELS_MAX);
}

int sound_file_read_all(const char *path, uint64_t max_frames, struct sound *sound, char *error,
                        size_t bytes)
{
    *sound = (struct sound){.samples = NULL};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return refuse(errno, error, bytes, "%s: %s", path, strerror(errno));
    SF_INFO info = {.format = 0};
    SNDFILE *file = sf_open_fd(descriptor, SFM_READ, &info, SF_TRUE);
    if (!file)
        return refuse(EINVAL, error, bytes, "%s: no sound file: %s", path, sf_strerror(NULL));
    int code = read_open(file, &info, max_frames, sound);
    sf_close(file);
    if (code == 0)
        return 0;
    sound_finish(sound);
    return explain(code, path, max_frames, error, bytes);
}

void sound_finish(struct sound *sound)
{
    free(sound->samples);
    *sound = (struct sound){.samples = NULL};
}
