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

/// The least loaded idle shard, or -1.
RT static int find_idle(const struct placement *placement)
{
    int found = -1;
    for (int i = 0; i < placement->count; i++)
        if (placement->is_idle[i] && (found < 0 || placement->voices[i] < placement->voices[found]))
            found = i;
    return found;
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

/// Whether the idle shards left after one more busy phase could still cover every gap.
RT static bool can_afford(const struct placement *placement, uint8_t phase)
{
    bool is_taken[PLACEMENT_BLOCK] = {false};
    int idle = -1;
    is_taken[phase] = true;
    for (int i = 0; i < placement->count; i++) {
        if (placement->is_idle[i])
            idle++;
        else
            is_taken[placement->phase[i]] = true;
    }
    int needed = 0;
    uint32_t gap = 1;
    for (uint32_t i = 1; i <= PLACEMENT_BLOCK; i++, gap++) {
        if (!is_taken[(phase + i) % PLACEMENT_BLOCK])
            continue;
        needed += needed_between(gap, placement->tolerance_frames);
        gap = 0;
    }
    return idle >= needed;
}

RT static uint64_t start_at(struct placement *placement, int shard, uint64_t border)
{
    placement->is_idle[shard] = false;
    placement->phase[shard] = (uint8_t)(border % PLACEMENT_BLOCK);
    placement->voices[shard]++;
    return border;
}

RT int placement_choose(struct placement *placement, uint64_t frame, uint64_t *border)
{
    uint64_t ideal = frame + placement->tolerance_frames;
    int idle = find_idle(placement), nearest = find_nearest(placement, frame);
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
