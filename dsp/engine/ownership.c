#include "dsp/engine/ownership.h"

#include <string.h>

RT static bool is_held(const struct ownership *ownership, unsigned source, unsigned part,
                       unsigned key)
{
    return ownership->held[source][part][key / 64] >> key % 64 & 1;
}

RT void ownership_hold(struct ownership *ownership, unsigned source, unsigned part, unsigned key,
                       uint16_t origin)
{
    ownership->origin[source][part][key] = origin;
    if (is_held(ownership, source, part, key))
        return;
    ownership->held[source][part][key / 64] |= UINT64_C(1) << key % 64;
    ownership->holders[part][key]++;
}

RT bool ownership_let_go(struct ownership *ownership, unsigned source, unsigned part, unsigned key)
{
    if (!is_held(ownership, source, part, key))
        return false;
    ownership->held[source][part][key / 64] &= ~(UINT64_C(1) << key % 64);
    return --ownership->holders[part][key] == 0;
}

RT int ownership_next(const struct ownership *ownership, unsigned source, unsigned part,
                      unsigned key)
{
    for (unsigned word = key / 64; word < KEYS / 64; word++) {
        uint64_t bits = ownership->held[source][part][word];
        if (word == key / 64)
            bits &= ~UINT64_C(0) << key % 64;
        if (bits)
            return (int)(word * 64 + (unsigned)__builtin_ctzll(bits));
    }
    return -1;
}

RT uint8_t ownership_press(struct ownership *ownership, unsigned source, unsigned part,
                           enum ownership_pedal pedal, uint8_t value)
{
    uint8_t most = 0;
    ownership->pedal[source][part][pedal] = value;
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        if (ownership->pedal[i][part][pedal] > most)
            most = ownership->pedal[i][part][pedal];
    return most;
}

RT void ownership_forget(struct ownership *ownership, unsigned part)
{
    for (unsigned p = 0; p < PARTS; p++) {
        if (part != PARTS && part != p)
            continue;
        for (unsigned i = 0; i < SOURCES_MAX; i++)
            memset(ownership->held[i][p], 0, sizeof ownership->held[i][p]);
        memset(ownership->holders[p], 0, sizeof ownership->holders[p]);
    }
}
