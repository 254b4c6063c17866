/// A graphics processor that computes: EGL without a screen, a GLES 3.1 context, what it can do.
///
/// Looked for in this order: GBM on each render node, each EGL device, EGL without a surface; the
/// first that is hardware wins, a software rasteriser only when there is no hardware.
///
/// Owner: the process `consort-gpu`, or a test. Thread: the one that created it; its context is
/// current there until `gpu_device_destroy`. One device at a time in a process.
#ifndef CONSORT_DSP_GPU_DEVICE_H
#define CONSORT_DSP_GPU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GPU_TEXT_BYTES = 128 };

/// What every shader and buffer here keeps to, and every GLES 3.1 device that we open has.
enum {
    GPU_INVOCATIONS_MAX = 256, ///< in a work group
    GPU_SHARED_BYTES_MAX = 16 << 10,
    GPU_STORAGE_BUFFERS_MAX = 4,
    GPU_STORAGE_BYTES_MAX = 128 << 20,
};

struct gpu_device_about {
    char name[GPU_TEXT_BYTES];     ///< "V3D 4.2", "llvmpipe (LLVM 15.0.6, 256 bits)"
    char vendor[GPU_TEXT_BYTES];   ///< of the driver
    char version[GPU_TEXT_BYTES];  ///< "OpenGL ES 3.2 Mesa 22.3.6"
    char platform[GPU_TEXT_BYTES]; ///< how it was opened: "/dev/dri/renderD128", "surfaceless"
    bool is_software;              ///< the processor pretends to be one
    bool has_buffer_storage;       ///< EXT_buffer_storage: buffers that stay mapped
    bool has_binaries;             ///< linked programs can be kept
};

struct gpu_device;

/// Opens the best device. Returns NULL with errno: ENODEV (no EGL, or nothing that computes),
/// ENOMEM; `why` gets a sentence.
struct gpu_device *gpu_device_create(char *why, size_t why_bytes);

/// NULL is welcome.
void gpu_device_destroy(struct gpu_device *device);

const struct gpu_device_about *gpu_device_about(const struct gpu_device *device);

/// Whether GL has reported an error since the last question. Says which on stderr.
bool gpu_device_has_failed(const char *where);

#endif
