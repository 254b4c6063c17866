#include "dsp/gpu/pipeline.h"

#include <GLES3/gl31.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/gpu/binary_cache.h"

/// What a binary is good for: this text under this driver.
static uint64_t key_of(const struct gpu_device *device, const char *source)
{
    const struct gpu_device_about *about = gpu_device_about(device);
    uint64_t key = binary_cache_hash(0, source, strlen(source));
    key = binary_cache_hash(key, about->vendor, sizeof about->vendor);
    key = binary_cache_hash(key, about->name, sizeof about->name);
    return binary_cache_hash(key, about->version, sizeof about->version);
}

static bool is_linked(GLuint program)
{
    GLint status = 0;
    glGetProgramiv(program, GL_LINK_STATUS, &status);
    return status;
}

static GLuint load(const char *folder, uint64_t key)
{
    uint32_t format = 0;
    size_t bytes = 0;
    void *binary = binary_cache_read(folder, key, &format, &bytes);
    if (!binary)
        return 0;
    GLuint program = glCreateProgram();
    glProgramBinary(program, format, binary, (GLsizei)bytes);
    free(binary);
    if (is_linked(program))
        return program;
    glDeleteProgram(program);
    while (glGetError() != GL_NO_ERROR)
        continue; // a refused binary is no failure: it will be compiled
    return 0;
}

static void keep(GLuint program, const char *folder, uint64_t key)
{
    GLint bytes = 0;
    GLenum format = 0;
    glGetProgramiv(program, GL_PROGRAM_BINARY_LENGTH, &bytes);
    void *binary = bytes > 0 ? malloc((size_t)bytes) : NULL;
    if (!binary)
        return;
    glGetProgramBinary(program, bytes, &bytes, &format, binary);
    if (bytes > 0)
        binary_cache_write(folder, key, format, binary, (size_t)bytes);
    free(binary);
}

static GLuint compile(const char *source, char *why, size_t why_bytes)
{
    GLint status = 0;
    GLuint shader = glCreateShader(GL_COMPUTE_SHADER);
    glShaderSource(shader, 1, &source, NULL);
    glCompileShader(shader);
    glGetShaderiv(shader, GL_COMPILE_STATUS, &status);
    if (status)
        return shader;
    snprintf(why, why_bytes, "the compiler says nothing");
    glGetShaderInfoLog(shader, (GLsizei)why_bytes, NULL, why);
    glDeleteShader(shader);
    return 0;
}

static GLuint link_program(GLuint shader, char *why, size_t why_bytes)
{
    GLuint program = glCreateProgram();
    glProgramParameteri(program, GL_PROGRAM_BINARY_RETRIEVABLE_HINT, GL_TRUE);
    glAttachShader(program, shader);
    glLinkProgram(program);
    glDetachShader(program, shader);
    if (is_linked(program))
        return program;
    snprintf(why, why_bytes, "the linker says nothing");
    glGetProgramInfoLog(program, (GLsizei)why_bytes, NULL, why);
    glDeleteProgram(program);
    return 0;
}

int pipeline_init(struct pipeline *pipeline, const struct gpu_device *device, const char *source,
                  const char *folder, char *why, size_t why_bytes)
{
    bool may_keep = folder && gpu_device_about(device)->has_binaries;
    uint64_t key = key_of(device, source);
    *pipeline = (struct pipeline){.program = may_keep ? load(folder, key) : 0};
    pipeline->is_kept = pipeline->program != 0;
    if (pipeline->is_kept)
        return 0;
    GLuint shader = compile(source, why, why_bytes);
    if (!shader)
        return -EINVAL;
    pipeline->program = link_program(shader, why, why_bytes);
    glDeleteShader(shader);
    if (!pipeline->program)
        return -EINVAL;
    if (may_keep)
        keep(pipeline->program, folder, key);
    return 0;
}

void pipeline_finish(struct pipeline *pipeline)
{
    if (pipeline->program)
        glDeleteProgram(pipeline->program);
    *pipeline = (struct pipeline){0};
}
