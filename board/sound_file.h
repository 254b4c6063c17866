/// Sound files: WAV, FLAC, Ogg Vorbis and MP3, written and read as interleaved floats.
///
/// Owner: whoever opens it. Thread: one at a time, never the audio thread.
#ifndef CONSORT_BOARD_SOUND_FILE_H
#define CONSORT_BOARD_SOUND_FILE_H

#include <stddef.h>
#include <stdint.h>

enum sound_format { SOUND_16_BIT, SOUND_24_BIT, SOUND_FLOAT };

struct sound_file;

/// Creates or overwrites `path`; its ending, in any case, picks the kind: .wav (16 or 24 bit,
/// float), .flac (16 or 24 bit; float becomes 24), .ogg and .mp3 (`format` does not matter).
/// `rate_hz` 8000..192000, `channels` 1..8. Returns NULL with errno and the reason in `error`.
struct sound_file *sound_file_create(const char *path, int rate_hz, int channels,
                                     enum sound_format format, char *error, size_t bytes);

/// Appends `frames` interleaved frames; beyond +-1 they clip unless the format is float. Returns 0,
/// -EFBIG before a WAV would outgrow its 4 GiB, or -EIO with the reason in `sound_file_error`.
int sound_file_write(struct sound_file *file, const float *samples, size_t frames);

/// Makes what was written so far a whole, readable file, and brings it to the disk.
/// A Vorbis or MP3 stream is readable as it stands. Returns 0 or -EIO.
int sound_file_flush(struct sound_file *file);

/// Frames written so far.
uint64_t sound_file_frames(const struct sound_file *file);

/// The reason of the last failure ("No space left on device").
const char *sound_file_error(const struct sound_file *file);

/// Finishes the file. Returns 0, or -EIO when its end could not be written. NULL is welcome.
int sound_file_close(struct sound_file *file);

struct sound {
    float *samples; ///< interleaved; free with `sound_finish`
    uint64_t frames;
    int channels, rate_hz;
};

/// Reads a whole file of any kind that libsndfile knows. Returns 0; -EFBIG beyond `max_frames`;
/// -EINVAL for no sound file or one with more than 8 channels; -ENOMEM; or the errno of opening
/// it, negative; the reason in `error`, the sound then empty.
int sound_file_read_all(const char *path, uint64_t max_frames, struct sound *sound, char *error,
                        size_t bytes);
void sound_finish(struct sound *sound);

#endif
