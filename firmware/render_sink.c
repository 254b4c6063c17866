#include "firmware/render_sink.h"

#include <math.h>

#define HALF_A_STEP 0x1p-24f // of 24 bits: what is less is written as zero

static int write_block(struct render_sink *sink)
{
    int error = sound_file_write(sink->file, sink->block, sink->block_frames);
    sink->frames += sink->block_frames;
    sink->block_frames = 0;
    return error;
}

static int put(struct render_sink *sink, float left, float right)
{
    sink->block[2 * sink->block_frames] = left;
    sink->block[2 * sink->block_frames + 1] = right;
    sink->block_frames++;
    return sink->block_frames == RENDER_SINK_BLOCK ? write_block(sink) : 0;
}

static int put_silence(struct render_sink *sink)
{
    int error = 0;
    for (; sink->silence && !error; sink->silence--)
        error = put(sink, 0, 0);
    return error;
}

static int put_sound(struct render_sink *sink, float left, float right)
{
    sink->peak = fmaxf(sink->peak, fmaxf(fabsf(left), fabsf(right)));
    sink->clips += (fabsf(left) > 1.0f) + (fabsf(right) > 1.0f);
    int error = put_silence(sink);
    return error ? error : put(sink, left, right);
}

static int take_tail(struct render_sink *sink, float left, float right)
{
    if (sink->tail_frames <= sink->fade_frames) {
        const float gain = (float)sink->tail_frames / (float)(sink->fade_frames + 1);
        left *= gain;
        right *= gain;
    }
    sink->tail_frames--;
    if (fabsf(left) >= HALF_A_STEP || fabsf(right) >= HALF_A_STEP)
        return put_sound(sink, left, right);
    sink->silence++;
    return 0;
}

static int take(struct render_sink *sink, float left, float right)
{
    if (sink->skip_frames) {
        sink->skip_frames--;
    } else if (sink->body_frames) {
        sink->body_frames--;
        return put_sound(sink, left, right);
    } else if (sink->tail_frames) {
        return take_tail(sink, left, right);
    }
    return 0;
}

int render_sink_take(struct render_sink *sink, float *const channels[2], uint32_t frames)
{
    int error = 0;
    for (uint32_t i = 0; i < frames && !error; i++)
        error = take(sink, channels[0][i], channels[1][i]);
    return error;
}

int render_sink_finish(struct render_sink *sink)
{
    return sink->block_frames ? write_block(sink) : 0;
}
