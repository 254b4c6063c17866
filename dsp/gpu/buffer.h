/// Memory that the graphics processor and this process share: a storage buffer of GLES.
///
/// Where EXT_buffer_storage is offered, what goes up and what comes down stays mapped, coherent,
/// for good; elsewhere each access maps its own bytes. In both cases nothing is waited for: who
/// writes or reads knows by a fence that the processor is not at those bytes.
///
/// Owner: who created it. Thread: that of the device.
#ifndef CONSORT_DSP_GPU_BUFFER_H
#define CONSORT_DSP_GPU_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gpu_buffer_use {
    GPU_BUFFER_CONSTANT, ///< written before its first use
    GPU_BUFFER_UP,       ///< written by us all the time
    GPU_BUFFER_DOWN,     ///< read by us
};

struct gpu_buffer {
    uint32_t name; ///< GL's
    size_t bytes;
    unsigned char *map; ///< when it stays mapped, else NULL
};

/// `may_stay_mapped`: the device has EXT_buffer_storage. Returns 0, -EINVAL (0 bytes, or more than
/// GPU_STORAGE_BYTES_MAX) or -ENOMEM.
int gpu_buffer_init(struct gpu_buffer *buffer, enum gpu_buffer_use use, size_t bytes,
                    bool may_stay_mapped);

/// All zero is welcome.
void gpu_buffer_finish(struct gpu_buffer *buffer);

/// Within the buffer. Returns 0 or -EIO.
int gpu_buffer_write(struct gpu_buffer *buffer, size_t offset, const void *data, size_t bytes);
int gpu_buffer_read(struct gpu_buffer *buffer, size_t offset, void *data, size_t bytes);

/// Makes it storage buffer number `binding` of the next dispatch.
void gpu_buffer_bind(const struct gpu_buffer *buffer, uint32_t binding);

/// What the next dispatches write can be read by `gpu_buffer_read` once a fence after this has
/// passed.
void gpu_buffer_publish(bool may_stay_mapped);

#endif
