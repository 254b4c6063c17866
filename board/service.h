/// Word to systemd: ready, status, stopping, and the watchdog, which is fed only while sound is
/// being made. Does nothing when not started by systemd.
///
/// Owner: the daemon. Thread: main.
#ifndef CONSORT_BOARD_SERVICE_H
#define CONSORT_BOARD_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct service {
    int64_t feed_ns;     ///< time between two feeds, 0 without a watchdog
    int64_t fed_ns;      ///< when it was last fed
    uint64_t last_frame; ///< engine frame at the last feed
};

/// Reads what systemd asks of us (WATCHDOG_USEC).
void service_init(struct service *service);

void service_ready(const char *status);
void service_status(const char *status);
void service_stopping(void);

/// Feeds the watchdog when it is time and `frame` (engine frames rendered so far) has moved on
/// since the last feed, or `is_waiting`: the box has no server to play on and is looking for one,
/// which a restart would not hasten. Call it several times a second. Returns whether it fed.
bool service_watch(struct service *service, int64_t now_ns, uint64_t frame, bool is_waiting);

#endif
