#include "dsp/gpu/mac.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "dsp/gpu/mac_inside.h"
#include "dsp/gpu/shaders.h"

enum {
    QUAD_BYTES = 8 * sizeof(float), ///< four bins
    GROUP = 64,                     ///< quads in a work group, as the shader says
    // A dispatch that reads this much takes some 2 to 4 ms on the memory of a small board, and the
    // screen waits behind it no longer than that.
    DISPATCH_BYTES = 8 << 20,
};

// As in the shader.
enum { BINDING_IMPULSE, BINDING_HISTORY, BINDING_RESULT };
enum { UNIFORM_BANK, UNIFORM_PLACE, UNIFORM_PART };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

struct gpu_mac *gpu_mac_create(const struct gpu_device *device,
                               const struct gpu_mac_settings *settings, char *why, size_t why_bytes)
{
    struct gpu_mac *mac = calloc(1, sizeof *mac);
    if (!mac)
        return NULL;
    const char *source = settings->source ? settings->source : shaders_mac;
    mac->stays_mapped = gpu_device_about(device)->has_buffer_storage && !settings->is_unmapped;
    int code = pipeline_init(&mac->pipeline, device, source, settings->folder, why, why_bytes);
    if (code == 0)
        return mac;
    free(mac);
    errno = -code;
    return NULL;
}

void gpu_mac_destroy(struct gpu_mac *mac)
{
    if (!mac)
        return;
    for (int i = 0; i < GPU_MAC_BATCHES; i++)
        if (mac->batches[i].fence)
            glDeleteSync(mac->batches[i].fence);
    pipeline_finish(&mac->pipeline);
    free(mac);
}

// ---- A batch is filled ----

static struct batch *filling(struct gpu_mac *mac)
{
    return mac->under_way == GPU_MAC_BATCHES
               ? NULL
               : &mac->batches[(mac->oldest + mac->under_way) % GPU_MAC_BATCHES];
}

const struct block *mac_find_block(const struct batch *batch, const struct gpu_bank *bank)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->blocks[i].bank == bank)
            return &batch->blocks[i];
    return NULL;
}

int gpu_mac_add(struct gpu_mac *mac, struct gpu_bank *bank, uint64_t sequence, const float *spectra,
                uint64_t tag)
{
    struct batch *batch = filling(mac);
    if (!batch || batch->count == GPU_MAC_BATCH_BLOCKS || mac_find_block(batch, bank))
        return -EBUSY;
    int code = gpu_bank_feed(bank, sequence, spectra);
    if (code != 0)
        return code;
    if (!mac_bank_is_whole(bank))
        return -ENODATA;
    batch->blocks[batch->count++] = (struct block){bank, sequence, tag};
    return 0;
}

// ---- A batch is started ----

/// Quads that one dispatch may do, a whole number of work groups.
static uint32_t quads_at_once(const struct gpu_mac_shape *shape, uint32_t partitions)
{
    size_t spectra = (gpu_mac_shape_paths(shape) + shape->inputs) * (size_t)partitions;
    size_t quads = DISPATCH_BYTES / (spectra * QUAD_BYTES) / GROUP * GROUP;
    return quads < GROUP ? GROUP : (uint32_t)quads;
}

static void dispatch(const struct block *block, uint32_t batch_index)
{
    const struct gpu_bank *bank = block->bank;
    const struct gpu_mac_shape *shape = &bank->shape;
    uint32_t quads = shape->bins / 4, first_result = batch_index * shape->outputs * 2 * quads;
    uint32_t row = (uint32_t)(block->sequence % bank->history_rows);
    uint32_t partitions =
        block->sequence + 1 < shape->partitions ? (uint32_t)block->sequence + 1 : shape->partitions;
    gpu_buffer_bind(&bank->impulse, BINDING_IMPULSE);
    gpu_buffer_bind(&bank->history, BINDING_HISTORY);
    gpu_buffer_bind(&bank->result, BINDING_RESULT);
    glUniform4ui(UNIFORM_BANK, shape->inputs, shape->outputs, shape->paths, shape->partitions);
    glUniform4ui(UNIFORM_PLACE, quads, bank->history_rows, row, first_result);
    uint32_t step = quads_at_once(shape, partitions);
    for (uint32_t first = 0; first < quads; first += step) {
        uint32_t count = quads - first < step ? quads - first : step;
        glUniform4ui(UNIFORM_PART, partitions, first, count, 0);
        glDispatchCompute((count + GROUP - 1) / GROUP, 1, 1);
    }
}

int gpu_mac_start(struct gpu_mac *mac)
{
    struct batch *batch = filling(mac);
    if (!batch || batch->count == 0)
        return 0;
    glUseProgram(mac->pipeline.program);
    for (uint32_t i = 0; i < batch->count; i++)
        dispatch(&batch->blocks[i], (uint32_t)(batch - mac->batches));
    gpu_buffer_publish(mac->stays_mapped);
    batch->fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    batch->started_ns = now_ns();
    mac->under_way++;
    glFlush();
    return batch->fence && !gpu_device_has_failed("multiply-accumulate") ? 0 : -EIO;
}

uint32_t gpu_mac_pending(const struct gpu_mac *mac)
{
    uint32_t blocks = 0;
    for (int i = 0; i < GPU_MAC_BATCHES; i++)
        blocks += mac->batches[i].count;
    return blocks;
}

bool gpu_mac_is_under_way(const struct gpu_mac *mac, int64_t *since_ns)
{
    *since_ns = mac->batches[mac->oldest].started_ns;
    return mac->under_way > 0;
}

// ---- A batch comes back ----

static void deliver_all(struct batch *batch, uint32_t index, gpu_mac_deliver *deliver,
                        void *context)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct block *block = &batch->blocks[i];
        block->bank->taking = index;
        deliver(context, block->tag, block->bank);
    }
    batch->count = 0;
}

int gpu_mac_collect(struct gpu_mac *mac, int64_t timeout_ns, gpu_mac_deliver *deliver,
                    void *context)
{
    struct batch *batch = &mac->batches[mac->oldest];
    if (mac->under_way == 0)
        return 0;
    GLenum result = glClientWaitSync(batch->fence, GL_SYNC_FLUSH_COMMANDS_BIT,
                                     (GLuint64)(timeout_ns > 0 ? timeout_ns : 0));
    if (result == GL_TIMEOUT_EXPIRED)
        return 0;
    if (result == GL_WAIT_FAILED)
        return -EIO;
    glDeleteSync(batch->fence);
    batch->fence = NULL;
    uint32_t index = mac->oldest;
    mac->oldest = (mac->oldest + 1) % GPU_MAC_BATCHES;
    mac->under_way--;
    deliver_all(batch, index, deliver, context);
    return 1;
}
