/// A box for the OSC core to control: a real table, an array of values, a list of what was played.
#ifndef CONSORT_TESTS_NET_FAKE_HOST_H
#define CONSORT_TESTS_NET_FAKE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "config/param.h"
#include "net/osc.h"

enum { FAKE_PLAYED_MAX = 2048 };

struct fake_setting {
    unsigned index;
    uint64_t frame;
};

struct fake_host {
    struct param_value values[PARAM_COUNT];
    uint64_t serials[PARAM_COUNT];
    uint64_t serial;
    struct event played[FAKE_PLAYED_MAX];
    unsigned played_count;
    struct fake_setting last_setting;
    bool is_full;      ///< `play` and `set` answer -EAGAIN
    bool has_no_clock; ///< `frame_at` answers EVENT_NOW
    bool is_open[SOURCES_MAX];
    bool is_dirty[SOURCES_MAX]; ///< played since its last release
    int sources_max;            ///< that may be open at one time
    char last_name[64];
};

void fake_put(struct fake_host *fake, unsigned index, double number);

struct osc_host fake_init(struct fake_host *fake);

#endif
