/// The supervisor of the audio server: joins a JACK server that runs, or starts jackd on the first
/// sound card that works, on the dummy driver when none does, and brings it back when it goes.
///
/// A state machine that the main loop turns; it has no thread and never waits, but for
/// `jackd_destroy`. It opens no audio: the daemon does (`board/audio.h`) while the state is
/// JACKD_RUNNING, and reports when the server is lost. Owner: the daemon. Thread: main.
#ifndef CONSORT_BOARD_JACKD_H
#define CONSORT_BOARD_JACKD_H

#include <stdbool.h>
#include <stdint.h>

#include "board/alsa_cards.h"

struct jackd;

/// As the choices of the parameter AUDIO_SERVER.
enum jackd_mode { JACKD_AUTO, JACKD_START, JACKD_JOIN };

enum jackd_state {
    JACKD_WAITING,  ///< between two attempts
    JACKD_LOOKING,  ///< for a server that runs already
    JACKD_STARTING, ///< jackd has been started and does not answer yet
    JACKD_RUNNING,  ///< a server runs and may be joined
    JACKD_STOPPING, ///< jackd has been asked to end, to be started otherwise
};

/// Texts are copied.
struct jackd_settings {
    enum jackd_mode mode;
    const char *cards; ///< names parted by commas, in order; "" tries all
    const char *name;  ///< of a server that we start beside one that we may not join
    int rate_hz, period_frames, periods;
    int priority;                                    ///< real-time priority, 0 for none
    const char *program;                             ///< "jackd"
    int (*list_cards)(struct card *cards, int most); ///< alsa_cards_list
    bool (*is_running)(const char *server);          ///< audio_probe
    void (*log)(void *data, const char *line);       ///< gets whole sentences, on the main thread
    void *data;
};

struct jackd_status {
    enum jackd_state state;
    bool is_dummy;    ///< no card: time passes, nothing is heard
    bool is_joined;   ///< somebody else's server
    char server[256]; ///< the name to open it by
    char card[256];   ///< "USB: Scarlett 2i2", "dummy", "server default"
    unsigned starts;  ///< of jackd so far
};

/// Nothing is started yet. Returns NULL with errno ENOMEM.
struct jackd *jackd_create(const struct jackd_settings *settings);

/// Ends a jackd that we started (up to 2 s). NULL is welcome.
void jackd_destroy(struct jackd *jackd);

/// Takes the next step. Returns the time (CLOCK_MONOTONIC) at which to call again at the latest.
/// Takes some milliseconds at most.
int64_t jackd_service(struct jackd *jackd, int64_t now_ns);

/// Readable when jackd said something or ended; -1 when none of ours runs. May change with each
/// `jackd_service`.
int jackd_descriptor(const struct jackd *jackd);

/// The server has dropped us or makes no progress: our own is killed and started afresh, another's
/// looked for again.
void jackd_report_lost(struct jackd *jackd, int64_t now_ns);

/// New cards, rate, period, periods or priority; starts our own server afresh when they differ.
/// The rest of the settings stays.
void jackd_configure(struct jackd *jackd, const struct jackd_settings *settings, int64_t now_ns);

void jackd_read_status(const struct jackd *jackd, struct jackd_status *status);

#endif
