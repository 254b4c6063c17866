/// The audio server: runs the engine in the callback of a JACK client, brings JACK's MIDI in, and
/// keeps the connections.
///
/// Outputs `out_left` and `out_right`; one MIDI input `midi_in` that anyone may connect to, and one
/// more for each MIDI source that matches the patterns, so that each keyboard owns its notes. The
/// connections follow the patterns whenever a port appears. Owner: the daemon. Thread: main, but
/// for the callback; no call blocks unless the server hangs (see `audio_probe`).
#ifndef CONSORT_BOARD_AUDIO_H
#define CONSORT_BOARD_AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/clock.h"
#include "board/recorder.h"
#include "board/sources.h"
#include "dsp/engine/engine.h"

struct audio;

/// What to connect to what: patterns as in `board/pattern.h`, copied. An empty pattern stands for
/// the first two physical outputs, every MIDI source, no source to ignore.
struct audio_wiring {
    const char *outputs;
    const char *midi_connect;
    const char *midi_ignore;
    bool skips_sequencer; ///< leave to the sequencer reader what JACK brings from there (a2j,
                          ///< system)
};

struct audio_settings {
    const char *client; ///< name of the JACK client
    const char *server; ///< name of the JACK server, NULL for the default
    struct audio_wiring wiring;
    struct sources sources;
    struct clock *clock;       ///< borrowed; kept up to date while audio runs
    struct recorder *recorder; ///< borrowed; NULL for none
};

struct audio_state {
    bool is_running;         ///< the callback is active and the server alive
    bool is_lost;            ///< the server went away: close, and open again when it is back
    uint64_t callbacks;      ///< periods since `audio_open`
    uint32_t period_frames;  ///< as the server has it now
    uint32_t latency_frames; ///< from an event to the loudspeaker: at most a period, the engine's
                             ///< look-ahead and what JACK reports of the card
    uint32_t xruns;          ///< since `audio_open`
    uint32_t lost_events;    ///< MIDI that was malformed or found no room, since `audio_open`
    float load;              ///< share of the period needed, the worst of the last second
};

/// Whether a JACK server of this name (NULL: the default) is running and answers. Never starts
/// one. Takes 20 ms; blocks for as long as a server that hangs does.
bool audio_probe(const char *server);

/// Where libjack's own messages go, for the whole process; NULL drops them. `log` may be called
/// on any thread but the audio thread. Call it once, before anything else here.
void audio_set_log(void (*log)(void *data, const char *line), void *data);

/// Opens the client; nothing sounds yet, but rate and period are known. Returns NULL with errno
/// (EINVAL: a pattern, ECONNREFUSED: no server, ENOMEM) and the reason in `error`.
struct audio *audio_open(const struct audio_settings *settings, char *error, size_t bytes);

double audio_rate_hz(const struct audio *audio);
uint32_t audio_period_frames(const struct audio *audio);

/// The client's name and the server's view of it ("consort-01" when the name was taken).
const char *audio_client_name(const struct audio *audio);

/// Runs `engine` from now on, in pieces of at most `max_frames`; MIDI goes into `ring`, one that
/// nobody else writes while this runs. Returns 0 or -EIO.
int audio_start(struct audio *audio, struct engine *engine, int ring, uint32_t max_frames);

/// When this returns the engine is not running any more; every source here has been released and
/// closed, the clock stopped. Safe after the server went away.
void audio_stop(struct audio *audio);

/// Stops and closes. NULL is welcome.
void audio_close(struct audio *audio);

/// A descriptor that becomes readable when `audio_service` has work to do.
int audio_descriptor(const struct audio *audio);

/// Makes and drops connections. Call it when the descriptor is readable and every 100 ms at least.
void audio_service(struct audio *audio);

/// New patterns. Returns 0, or -EINVAL with the reason in `error`: then the old ones stay.
int audio_set_wiring(struct audio *audio, const struct audio_wiring *wiring, char *error,
                     size_t bytes);

void audio_read_state(const struct audio *audio, struct audio_state *state);

#endif
