/// How much of its period the audio callback needs: the worst of the last second.
///
/// A plain struct. Owner: the audio backend. Thread: the audio thread.
#ifndef CONSORT_BOARD_LOAD_METER_H
#define CONSORT_BOARD_LOAD_METER_H

#include <stdint.h>

#include "dsp/base/rt.h"

enum { LOAD_METER_SLOTS = 10 };

struct load_meter {
    float worst[LOAD_METER_SLOTS]; ///< share of the period, the worst of each tenth of a second
    int64_t slot;                  ///< tenth of a second, counted from the clock's zero
};

/// A callback that began at `begin_ns` and took `spent_ns` of `period_ns`. Returns the worst share
/// of the last second, 1 being the whole period. RT safe.
RT float load_meter_add(struct load_meter *meter, int64_t begin_ns, int64_t spent_ns,
                        double period_ns);

#endif
