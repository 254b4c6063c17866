#include "dsp/synth/placement.h"

#include <stdlib.h>

/// A chord shares a shard up to this load; beyond, other cores may have an ear for it.
enum { CROWD = 24 };

RT void placement_init(struct placement *placement, int count)
{
    *placement = (struct placement){.count = count};
    // 64 / (t + 1) <= count holds for t = ceil(64 / count) - 1; more delay than 8 helps nobody.
    uint32_t tolerance = (PLACEMENT_BLOCK + (uint32_t)count - 1) / (uint32_t)count - 1;
    placement->tolerance_frames = tolerance > 8 ? 8 : tolerance;
    for (int i = 0; i < count; i++)
        placement->is_idle[i] = true;
}

/// The first border of a phase at `frame` or later.
RT static uint64_t next_border(uint8_t phase, uint64_t frame)
{
    return frame + ((phase - frame) & (PLACEMENT_BLOCK - 1));
}

RT static uint32_t distance(uint64_t a, uint64_t b) { return (uint32_t)(a > b ? a - b : b - a); }

/// An idle shard, the favourite if it is one, or -1.
RT static int find_idle(const struct placement *placement, int favourite)
{
    if (favourite >= 0 && placement->is_idle[favourite])
        return favourite;
    for (int i = 0; i < placement->count; i++)
        if (placement->is_idle[i])
            return i;
    return -1;
}

/// The busy shard whose next border is nearest to the ideal start, the least loaded of equals;
/// or -1.
RT static int find_nearest(const struct placement *placement, uint64_t frame)
{
    uint64_t ideal = frame + placement->tolerance_frames;
    uint32_t best = 0;
    int found = -1;
    for (int i = 0; i < placement->count; i++) {
        if (placement->is_idle[i])
            continue;
        uint32_t error = distance(next_border(placement->phase[i], frame), ideal);
        if (found < 0 || error < best ||
            (error == best && placement->voices[i] < placement->voices[found])) {
            found = i;
            best = error;
        }
    }
    return found;
}

/// Shards that may yet be needed to cover the frames between two neighbouring phases `gap` apart,
/// if every note came where it hurts most.
RT static int needed_between(uint32_t gap, uint32_t tolerance)
{
    uint32_t covered = 2 * tolerance + 1;
    return gap <= covered ? 0 : (int)((gap - covered + tolerance) / (tolerance + 1));
}

/// The busy phases and one more, in their order around the block. Returns how many.
RT static int list_phases(const struct placement *placement, uint8_t more,
                          uint8_t phases[PLACEMENT_MAX + 1])
{
    int count = 0;
    for (int i = -1; i < placement->count; i++) {
        if (i >= 0 && placement->is_idle[i])
            continue;
        uint8_t phase = i < 0 ? more : placement->phase[i];
        int at = count++;
        for (; at > 0 && phases[at - 1] > phase; at--)
            phases[at] = phases[at - 1];
        phases[at] = phase;
    }
    return count;
}

/// Whether there are shards enough to cover every gap after one more has taken `phase`, now and
/// when any of the busy ones have fallen idle: the worst choice of shards that stay busy, with
/// those then needed between them, must be no more than there are.
RT static bool can_afford(const struct placement *placement, uint8_t phase)
{
    uint8_t phases[PLACEMENT_MAX + 1];
    int demand[PLACEMENT_MAX + 1], count = list_phases(placement, phase, phases);
    uint32_t tolerance = placement->tolerance_frames;
    int worst = 1 + needed_between(PLACEMENT_BLOCK, tolerance);
    for (int first = 0; first < count; first++) {
        demand[first] = 1; // by those that stay, from the first on
        for (int last = first + 1; last < count; last++) {
            demand[last] = 0;
            for (int i = first; i < last; i++) {
                int with = demand[i] + 1 + needed_between(phases[last] - phases[i], tolerance);
                demand[last] = with > demand[last] ? with : demand[last];
            }
            uint32_t rest = PLACEMENT_BLOCK - (phases[last] - phases[first]);
            int closed = demand[last] + needed_between(rest, tolerance);
            worst = closed > worst ? closed : worst;
        }
    }
    return worst <= placement->count;
}

RT static uint64_t start_at(struct placement *placement, int shard, uint64_t border)
{
    placement->is_idle[shard] = false;
    placement->phase[shard] = (uint8_t)(border % PLACEMENT_BLOCK);
    placement->voices[shard]++;
    return border;
}

RT int placement_choose(struct placement *placement, uint64_t frame, int favourite,
                        uint64_t *border)
{
    uint64_t ideal = frame + placement->tolerance_frames;
    int idle = find_idle(placement, favourite), nearest = find_nearest(placement, frame);
    uint32_t error = PLACEMENT_BLOCK;
    if (nearest >= 0)
        error = distance(next_border(placement->phase[nearest], frame), ideal);
    bool is_crowded = nearest >= 0 && placement->voices[nearest] >= CROWD;
    bool prefers_idle =
        error > placement->tolerance_frames ||
        ((error > 0 || is_crowded) && can_afford(placement, (uint8_t)(ideal % PLACEMENT_BLOCK)));
    if (idle >= 0 && prefers_idle) {
        *border = start_at(placement, idle, ideal);
        return idle;
    }
    *border = start_at(placement, nearest, next_border(placement->phase[nearest], frame));
    return nearest;
}

RT uint64_t placement_join(struct placement *placement, int shard, uint64_t frame)
{
    uint64_t border = placement->is_idle[shard] ? frame + placement->tolerance_frames
                                                : next_border(placement->phase[shard], frame);
    return start_at(placement, shard, border);
}
