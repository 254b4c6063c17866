/// A stretch of the recent past of one channel, for effects that repeat it.
///
/// Its memory is taken and touched at init, off the audio thread. Forgetting costs nothing: what
/// was written before is read as silence. Owner: the effect. Thread: audio; init and finish any
/// other.
#ifndef CONSORT_DSP_EFFECTS_DELAY_LINE_H
#define CONSORT_DSP_EFFECTS_DELAY_LINE_H

#include <stdint.h>

#include "dsp/base/rt.h"

struct delay_line {
    float *samples;
    uint32_t mask;    ///< room - 1
    uint32_t at;      ///< where the next sample goes
    uint32_t written; ///< since it was forgotten, at most the room
};

/// Room to look back `frames` and 3 more. Returns 0 or -ENOMEM.
int delay_line_init(struct delay_line *line, uint32_t frames);
void delay_line_finish(struct delay_line *line);

RT static inline void delay_line_forget(struct delay_line *line) { line->written = 0; }

/// A sample that is no number, or beyond all measure, is silence: it would never leave a feedback.
RT static inline void delay_line_write(struct delay_line *line, float sample)
{
    float size = sample < 0.0f ? -sample : sample;
    line->samples[line->at] = size < 1e6f ? sample : 0.0f;
    line->at = (line->at + 1) & line->mask;
    line->written += line->written <= line->mask;
}

/// The sample written `frames` ago, 1 being the last.
RT static inline float delay_line_read(const struct delay_line *line, uint32_t frames)
{
    return frames <= line->written ? line->samples[(line->at - frames) & line->mask] : 0.0f;
}

/// Between samples, `frames` 2 and more: a cubic through the four around (Lagrange), whose gain
/// is nowhere above 1.
RT static inline float delay_line_between(const struct delay_line *line, float frames)
{
    uint32_t whole = (uint32_t)frames;
    float t = frames - (float)whole;
    float before = delay_line_read(line, whole - 1), here = delay_line_read(line, whole);
    float next = delay_line_read(line, whole + 1), after = delay_line_read(line, whole + 2);
    float a = t + 1.0f, b = t - 1.0f, c = t - 2.0f;
    return before * (t * b * c * (-1.0f / 6.0f)) + here * (a * b * c * 0.5f) -
           next * (a * t * c * 0.5f) + after * (a * t * b * (1.0f / 6.0f));
}

#endif
