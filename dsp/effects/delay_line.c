#include "dsp/effects/delay_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64, BEYOND_FRAMES = 3 };

int delay_line_init(struct delay_line *line, uint32_t frames)
{
    uint32_t room = LINE_BYTES / sizeof(float);
    while (room < frames + BEYOND_FRAMES)
        room *= 2;
    *line = (struct delay_line){.mask = room - 1};
    line->samples = aligned_alloc(LINE_BYTES, room * sizeof(float));
    if (!line->samples)
        return -ENOMEM;
    memset(line->samples, 0, room * sizeof(float)); // the audio thread shall not meet new pages
    return 0;
}

void delay_line_finish(struct delay_line *line)
{
    free(line->samples);
    *line = (struct delay_line){0};
}
