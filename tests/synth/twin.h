/// The sampler beside a bare libfluidsynth that loads the same file itself: both hear the same
/// messages at the same block borders, and must sound the same.
#ifndef CONSORT_TESTS_SYNTH_TWIN_H
#define CONSORT_TESTS_SYNTH_TWIN_H

#include <fluidsynth.h>

#include "dsp/synth/font.h"
#include "dsp/synth/synth.h"

enum { TWIN_BLOCK_FRAMES = 64, TWIN_TOLERANCE_FRAMES = 8 };

struct twin {
    struct font *font;
    struct synth *ours;
    fluid_settings_t *settings;
    fluid_synth_t *bare;
    int font_id;
    uint64_t block;   ///< the next one; messages count from its border
    double worst;     ///< largest difference of two samples so far
    double loudest;   ///< largest sample so far
    uint64_t differs; ///< samples that were not the same to the last bit
};

/// Returns 0, or -1 when the font is not there.
int twin_create(struct twin *twin, const char *name);
void twin_destroy(struct twin *twin);

void twin_preset(struct twin *twin, uint8_t part, unsigned preset);
void twin_note(struct twin *twin, uint8_t part, uint8_t key, uint8_t velocity);
void twin_control(struct twin *twin, uint8_t part, uint8_t number, uint8_t value);
void twin_bend(struct twin *twin, uint8_t part, int bend);
void twin_pressure(struct twin *twin, uint8_t part, uint8_t pressure);
void twin_key_pressure(struct twin *twin, uint8_t part, uint8_t key, uint8_t pressure);
void twin_sound_off(struct twin *twin);

/// Renders both and compares all 16 buses.
void twin_render(struct twin *twin, unsigned blocks);

/// The largest difference so far, in dB of the loudest sample so far.
double twin_residual_db(const struct twin *twin);

#endif
