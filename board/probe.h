/// Asks whether a JACK server answers, without waiting for it: a server that hangs blocks the
/// asker for good, so a helper thread asks.
///
/// Owner: the supervisor of jackd. Thread: one.
#ifndef CONSORT_BOARD_PROBE_H
#define CONSORT_BOARD_PROBE_H

#include <stdbool.h>

struct probe;

enum probe_result { PROBE_PENDING, PROBE_YES, PROBE_NO };

/// Starts asking `is_running(server)` on a thread. Returns NULL with errno when there is none.
struct probe *probe_create(const char *server, bool (*is_running)(const char *server));

enum probe_result probe_result(const struct probe *probe);

/// Forgets the question; a thread that still waits for an answer frees itself. NULL is welcome.
void probe_destroy(struct probe *probe);

#endif
