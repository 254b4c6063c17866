/// For the tests under a real JACK server: jackd on its dummy driver under a name of our own, and
/// a client that is foreign to Consort, a keyboard and an ear.
#ifndef CONSORT_TESTS_JACK_SERVER_H
#define CONSORT_TESTS_JACK_SERVER_H

#include <jack/jack.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "board/child.h"

/// Starts jackd at 48 kHz and waits until it answers. Fails the test when it does not.
void server_start(struct child *child, const char *name, int period_frames);

/// Ends it, and removes what JACK leaves in /dev/shm of clients that outlived their server.
void server_finish(struct child *child, const char *name);

enum { EAR_FRAMES = 6 * 48000, KEYBOARD_NOTES = 64 };

/// A MIDI message to send.
struct strike {
    uint64_t frame; ///< of the client, counted from its activation
    uint8_t bytes[3];
};

/// A client with a MIDI output `keys` and an audio input `ear`. JACK runs a keyboard before
/// Consort and an ear after it, so one client is never both.
struct foreign {
    jack_client_t *client;
    jack_port_t *port;
    bool is_ear;
    struct strike strikes[KEYBOARD_NOTES];
    uint32_t jack_frames[KEYBOARD_NOTES]; ///< JACK's frame time of each that was sent
    _Atomic int strike_count;             ///< all from 0 on may be sent
    _Atomic int sent;
    _Atomic uint64_t frame;
    uint32_t first_jack_frame; ///< of `heard`
    _Atomic uint32_t heard_frames;
    float heard[EAR_FRAMES];
};

/// Opens and activates. Fails the test when it cannot.
struct foreign *foreign_create(const char *server, const char *name, bool is_ear);
void foreign_destroy(struct foreign *foreign);

/// Sends a message `frames` from now.
void foreign_strike(struct foreign *foreign, uint32_t frames, uint8_t status, uint8_t a, uint8_t b);

/// Connects two ports. Fails the test when it cannot.
void foreign_connect(struct foreign *foreign, const char *from, const char *to);

/// Whether two ports are connected.
bool foreign_is_connected(struct foreign *foreign, const char *from, const char *to);

#endif
