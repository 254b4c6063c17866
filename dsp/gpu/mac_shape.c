#include "dsp/gpu/mac_shape.h"

static bool is_within(uint32_t value, uint32_t least, uint32_t most)
{
    return value >= least && value <= most;
}

bool gpu_mac_shape_is_valid(const struct gpu_mac_shape *shape)
{
    if (!is_within(shape->inputs, 1, GPU_MAC_CHANNELS_MAX) ||
        !is_within(shape->outputs, 1, GPU_MAC_CHANNELS_MAX) ||
        !is_within(shape->partitions, 1, GPU_MAC_PARTITIONS_MAX) ||
        !is_within(shape->bins, GPU_MAC_BINS_MIN, GPU_MAC_BINS_MAX))
        return false;
    uint32_t all_paths = (1u << shape->inputs * shape->outputs) - 1;
    return (shape->bins & (shape->bins - 1)) == 0 && is_within(shape->paths, 1, all_paths) &&
           gpu_mac_shape_impulse_bytes(shape) <= GPU_MAC_BYTES_MAX;
}

uint32_t gpu_mac_shape_paths(const struct gpu_mac_shape *shape)
{
    return (uint32_t)__builtin_popcount(shape->paths);
}

int gpu_mac_shape_path(const struct gpu_mac_shape *shape, uint32_t input, uint32_t output)
{
    uint32_t bit = 1u << (input * shape->outputs + output);
    return shape->paths & bit ? __builtin_popcount(shape->paths & (bit - 1)) : -1;
}

size_t gpu_mac_shape_impulse_bytes(const struct gpu_mac_shape *shape)
{
    return gpu_mac_shape_paths(shape) * (size_t)shape->partitions * gpu_mac_shape_floats(shape) *
           sizeof(float);
}
