#include "board/load_meter.h"

#include <math.h>

static const int64_t SLOT_NS = 100000000;

/// Empties the slots that began since the last call.
static void turn(struct load_meter *meter, int64_t slot)
{
    int64_t first = meter->slot + 1;
    if (first <= slot - LOAD_METER_SLOTS)
        first = slot - LOAD_METER_SLOTS + 1;
    for (int64_t i = first; i <= slot; i++)
        meter->worst[i % LOAD_METER_SLOTS] = 0.0f;
    meter->slot = slot;
}

RT float load_meter_add(struct load_meter *meter, int64_t begin_ns, int64_t spent_ns,
                        double period_ns)
{
    turn(meter, begin_ns / SLOT_NS);
    float *now = &meter->worst[meter->slot % LOAD_METER_SLOTS];
    *now = fmaxf(*now, (float)((double)spent_ns / period_ns));
    float worst = 0.0f;
    for (int i = 0; i < LOAD_METER_SLOTS; i++)
        worst = fmaxf(worst, meter->worst[i]);
    return worst;
}
