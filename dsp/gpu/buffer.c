#include "dsp/gpu/buffer.h"

#include <EGL/egl.h>
#include <GLES3/gl31.h>
#include <errno.h>
#include <string.h>

// It leans on gl31.h, so it comes after it.
#include <GLES2/gl2ext.h>

#include "dsp/gpu/device.h"

static bool is_lasting(enum gpu_buffer_use use) { return use != GPU_BUFFER_CONSTANT; }

static GLbitfield access_of(enum gpu_buffer_use use)
{
    return use == GPU_BUFFER_UP ? GL_MAP_WRITE_BIT : GL_MAP_READ_BIT;
}

static unsigned char *store_mapped(enum gpu_buffer_use use, size_t bytes)
{
    static PFNGLBUFFERSTORAGEEXTPROC storage;
    GLbitfield access = access_of(use) | GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_COHERENT_BIT_EXT;
    if (!storage)
        storage = (PFNGLBUFFERSTORAGEEXTPROC)eglGetProcAddress("glBufferStorageEXT");
    if (!storage)
        return NULL;
    // What is read should lie in cached memory of ours where the driver has a choice.
    GLbitfield place = use == GPU_BUFFER_DOWN ? GL_CLIENT_STORAGE_BIT_EXT : 0;
    storage(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)bytes, NULL, access | place);
    return glMapBufferRange(GL_SHADER_STORAGE_BUFFER, 0, (GLsizeiptr)bytes, access);
}

static void store(enum gpu_buffer_use use, size_t bytes)
{
    static const GLenum hints[] = {[GPU_BUFFER_CONSTANT] = GL_STATIC_DRAW,
                                   [GPU_BUFFER_UP] = GL_DYNAMIC_DRAW,
                                   [GPU_BUFFER_DOWN] = GL_DYNAMIC_READ};
    glBufferData(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)bytes, NULL, hints[use]);
}

int gpu_buffer_init(struct gpu_buffer *buffer, enum gpu_buffer_use use, size_t bytes,
                    bool may_stay_mapped)
{
    bool wants_map = is_lasting(use) && may_stay_mapped;
    *buffer = (struct gpu_buffer){0};
    if (bytes == 0 || bytes > GPU_STORAGE_BYTES_MAX)
        return -EINVAL;
    glGenBuffers(1, &buffer->name);
    buffer->bytes = bytes;
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, buffer->name);
    if (wants_map)
        buffer->map = store_mapped(use, bytes);
    else
        store(use, bytes);
    if (!gpu_device_has_failed("memory of the graphics processor") && (buffer->map || !wants_map))
        return 0;
    gpu_buffer_finish(buffer);
    return -ENOMEM;
}

void gpu_buffer_finish(struct gpu_buffer *buffer)
{
    if (buffer->map) {
        glBindBuffer(GL_SHADER_STORAGE_BUFFER, buffer->name);
        glUnmapBuffer(GL_SHADER_STORAGE_BUFFER);
    }
    if (buffer->name)
        glDeleteBuffers(1, &buffer->name);
    *buffer = (struct gpu_buffer){0};
}

int gpu_buffer_write(struct gpu_buffer *buffer, size_t offset, const void *data, size_t bytes)
{
    if (buffer->map) {
        memcpy(buffer->map + offset, data, bytes);
        return 0;
    }
    // Unsynchronised: the driver shall neither wait for the processor nor keep a copy.
    GLbitfield access = GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_RANGE_BIT | GL_MAP_UNSYNCHRONIZED_BIT;
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, buffer->name);
    void *to =
        glMapBufferRange(GL_SHADER_STORAGE_BUFFER, (GLintptr)offset, (GLsizeiptr)bytes, access);
    if (!to)
        return -EIO;
    memcpy(to, data, bytes);
    return glUnmapBuffer(GL_SHADER_STORAGE_BUFFER) ? 0 : -EIO;
}

int gpu_buffer_read(struct gpu_buffer *buffer, size_t offset, void *data, size_t bytes)
{
    if (buffer->map) {
        memcpy(data, buffer->map + offset, bytes);
        return 0;
    }
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, buffer->name);
    const void *from = glMapBufferRange(GL_SHADER_STORAGE_BUFFER, (GLintptr)offset,
                                        (GLsizeiptr)bytes, GL_MAP_READ_BIT);
    if (!from)
        return -EIO;
    memcpy(data, from, bytes);
    return glUnmapBuffer(GL_SHADER_STORAGE_BUFFER) ? 0 : -EIO;
}

void gpu_buffer_bind(const struct gpu_buffer *buffer, uint32_t binding)
{
    glBindBufferBase(GL_SHADER_STORAGE_BUFFER, binding, buffer->name);
}

void gpu_buffer_publish(bool may_stay_mapped)
{
    glMemoryBarrier(may_stay_mapped
                        ? GL_BUFFER_UPDATE_BARRIER_BIT | GL_CLIENT_MAPPED_BUFFER_BARRIER_BIT_EXT
                        : GL_BUFFER_UPDATE_BARRIER_BIT);
}
