/// What a font is made of, for `dsp/synth/` alone.
#ifndef CONSORT_DSP_SYNTH_FONT_INSIDE_H
#define CONSORT_DSP_SYNTH_FONT_INSIDE_H

#include "dsp/synth/font.h"
#include "dsp/synth/layers.h"
#include "dsp/synth/samples.h"
#include "dsp/synth/sf2.h"

struct font {
    char *path;
    void *file; ///< mapped, read only
    size_t file_bytes;
    struct sf2 sf2;
    struct layers layers;
    struct samples samples;
};

#endif
