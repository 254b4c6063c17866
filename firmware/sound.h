/// Sound: the audio server, the engine that plays on it, the keyboards and the recording. Brings
/// all of it up, and up again when a card or the server goes, with everything as it was set.
///
/// Owner: the daemon. Thread: main.
#ifndef CONSORT_FIRMWARE_SOUND_H
#define CONSORT_FIRMWARE_SOUND_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "board/clock.h"
#include "firmware/control.h"
#include "firmware/fonts.h"
#include "firmware/registry.h"
#include "firmware/spaces.h"

struct sound;

/// The places of the choices of PARAM_AUDIO_STATE.
enum sound_state { SOUND_DOWN, SOUND_STARTING, SOUND_DUMMY, SOUND_RUNNING };

enum { SOUND_DESCRIPTORS = 2 };

/// Reads its settings from the store. Nothing is started yet. `clock` is borrowed. Returns NULL
/// with errno.
struct sound *sound_create(struct control *control, struct registry *registry, struct fonts *fonts,
                           struct spaces *spaces, struct clock *clock);

/// Stops everything, the audio server that was started too. NULL is welcome.
void sound_destroy(struct sound *sound);

/// One turn: takes changed settings in, keeps the server, the client and the connections alive,
/// reports to the store. Takes some milliseconds at most. Returns the time by which to call again.
int64_t sound_service(struct sound *sound, int64_t now_ns);

/// What to poll for beside the time. Returns how many of the SOUND_DESCRIPTORS places are used.
int sound_descriptors(const struct sound *sound, struct pollfd *descriptors);

enum sound_state sound_state(const struct sound *sound);

/// The JACK client that plays, and its server: "consort on default"; "" while there is none.
const char *sound_ports(const struct sound *sound);

/// Sample rate in Hz and frames per period while audio runs, else 0.
double sound_rate_hz(const struct sound *sound);
uint32_t sound_period_frames(const struct sound *sound);

/// Records to a file until `sound_stop_recording`, unless PARAM_AUDIO_RECORD asks for another.
void sound_record(struct sound *sound, const char *path);
void sound_stop_recording(struct sound *sound);

#endif
