/// A JACK client that records what the box plays, and the MIDI of one port, by one count of frames.
///
/// Both are heard in the same callback, so that a note and its sound can be told apart to the
/// frame. Owner: the test. Thread: any one; the callback is JACK's.
#ifndef CONSORT_TESTS_BOX_EAR_H
#define CONSORT_TESTS_BOX_EAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EAR_SECONDS = 40, EAR_RATE_HZ = 48000, EAR_MESSAGES = 1024 };

struct ear;

struct ear_message {
    uint32_t frame;
    uint8_t bytes[3];
};

/// Opens a client on the default server, connected to `consort:out_left` and `consort:out_right`
/// once they are there. Fails the test when that is not within 5 s.
struct ear *ear_create(void);
void ear_destroy(struct ear *ear);

/// Hears the MIDI of a port from now on. Fails the test when it is not there within 5 s.
void ear_connect_midi(struct ear *ear, const char *port);

/// Frames heard so far, and the sound of a channel, 0 left, 1 right.
uint32_t ear_frames(const struct ear *ear);
const float *ear_sound(const struct ear *ear, int channel);

/// Waits until `frames` more have been heard; fails the test when they do not come.
void ear_listen(struct ear *ear, uint32_t frames);

/// Messages heard so far.
uint32_t ear_message_count(const struct ear *ear);
const struct ear_message *ear_message(const struct ear *ear, uint32_t index);

/// Whether the server kept its time from `from` to `to`: where it was late, what is heard is not
/// what the box played.
bool ear_is_whole(const struct ear *ear, uint32_t from, uint32_t to);

// What was heard, in frames from `from` to before `to`.

/// The first frame above `level`, or `to`.
uint32_t sound_onset(const float *sound, uint32_t from, uint32_t to, float level);

/// The largest magnitude, the largest step between neighbours, the root of the mean square.
float sound_peak(const float *sound, uint32_t from, uint32_t to);
float sound_step(const float *sound, uint32_t from, uint32_t to);
double sound_rms(const float *sound, uint32_t from, uint32_t to);

/// The pitch by autocorrelation, 50 to 2000 Hz, in MIDI keys (69 is 440 Hz); 0 for silence.
double sound_key(const float *sound, uint32_t from, uint32_t to);

/// How far a sine of `hz` is from going on as it began: the largest |x[n+1] - 2 cos(w) x[n] +
/// x[n-1]|, which is 0 for a pure one and about the height of the step at a click.
float sound_break(const float *sound, uint32_t from, uint32_t to, double hz);

#endif
