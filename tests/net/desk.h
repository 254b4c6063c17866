/// A session on a desk: a fake box, a clock turned by hand, and all that the session sends, read
/// into a list of messages.
#ifndef CONSORT_TESTS_NET_DESK_H
#define CONSORT_TESTS_NET_DESK_H

#include "net/osc_session.h"
#include "tests/net/fake_host.h"

enum { DESK_HEARD_MAX = 1024, DESK_TEXT_MAX = 384 };

#define MS UINT64_C(1000000)
#define DESK_START_NS (1000000 * MS)
#define DESK_REALTIME_NS UINT64_C(1700000000000000000)

struct heard {
    char text[DESK_TEXT_MAX]; ///< "/ch/1/volume i:100"
    struct osc_sender to;
    uint64_t at_ns;
    unsigned datagram;
};

struct desk {
    struct fake_host box;
    struct osc_session *session;
    uint64_t now_ns, next_ns;
    bool is_choked; ///< nothing can be sent
    unsigned datagrams;
    size_t largest; ///< datagram
    unsigned count;
    struct heard heard[DESK_HEARD_MAX];
};

/// An app at 10.0.0.7, port 4711, over UDP.
extern const struct osc_sender desk_app;

struct desk *desk_create(void);

void desk_destroy(struct desk *desk);

struct osc_time desk_time(const struct desk *desk);

void desk_turn(struct desk *desk);

/// Lets time pass, turning whenever the session asks for it.
void desk_pass(struct desk *desk, uint64_t duration_ns);

void desk_receive(struct desk *desk, const struct osc_sender *from, const void *packet,
                  size_t bytes);

void desk_tell_from(struct desk *desk, const struct osc_sender *from, const char *address,
                    const char *types, double a, double b, double c);

void desk_tell(struct desk *desk, const char *address, const char *types, double a, double b,
               double c);

void desk_tell_text(struct desk *desk, const char *address, const char *text);

/// The last message heard, "" before any; forgotten with `desk_forget`.
const char *desk_last(const struct desk *desk);

void desk_forget(struct desk *desk);

/// Wraps packets into a bundle whose time lies `ahead_ns` from now; 0 means at once.
size_t desk_bundle(const struct desk *desk, int64_t ahead_ns, uint8_t *to, const uint8_t *packet,
                   size_t bytes);

void desk_tell_at(struct desk *desk, int64_t ahead_ns, const char *address, const char *types,
                  double a, double b, double c);

#endif
