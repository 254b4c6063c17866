/// A compressor of four bands for two channels, on the crossover beside it.
///
/// Each band: the greater of both channels' peaks, held for 12.5 to 25 ms (so a tone of 40 Hz reads
/// as steady), through a static curve with a quadratic knee (D. Giannoulis et al., "Digital Dynamic
/// Range Compressor Design", 2012) to a reduction in dB; that is smoothed by one pole:
///
///     attack, release: the time in which the reduction goes 63 % (1 - 1/e) of its way, in dB
///
/// The gain is found every 16 frames and drawn in a line between, 16 to 32 frames after the sound.
/// With every ratio 1 and no make-up the sound passes by untouched, bit for bit, and costs nothing;
/// switching cross-fades. Plain struct. Owner: the engine. Thread: audio.
#ifndef CONSORT_DSP_EFFECTS_COMPRESSOR_H
#define CONSORT_DSP_EFFECTS_COMPRESSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/effects/bypass.h"
#include "dsp/effects/crossover.h"

enum { COMPRESSOR_TICK_FRAMES = 16 };

struct compressor_shape {
    double threshold_db; ///< -80..0
    double ratio;        ///< 1..100
    double knee_db;      ///< 0..24, width
    double attack_ms;    ///< 0.5..500
    double release_ms;   ///< 5..5000
    double makeup_db;    ///< -24..24
};

struct compressor_band {
    struct compressor_shape shape;
    struct glide makeup;     ///< dB
    double attack, release;  ///< share of the way in one tick
    float peak;              ///< of the tick
    float held, held_before; ///< greatest of this block of the hold and of the one before
    double reduction_db;
    double gain, step; ///< linear, now and a frame's part of the way
};

struct compressor {
    double rate_hz;
    bool is_on;
    uint32_t tick;       ///< frames into the tick
    uint32_t hold_ticks; ///< in a block of the hold
    uint32_t hold;       ///< ticks into the block
    struct bypass bypass;
    struct crossover crossover;
    struct compressor_band band[CROSSOVER_BANDS];
};

/// Off; ratios 1, threshold -20 dB, knee 6 dB, attack 10 ms, release 150 ms.
RT void compressor_init(struct compressor *compressor, double rate_hz);

RT void compressor_switch(struct compressor *compressor, bool is_on);
RT void compressor_set_splits(struct compressor *compressor,
                              const double split_hz[CROSSOVER_SPLITS]);

/// Values are brought within their ranges; a band number out of range changes nothing.
RT void compressor_set(struct compressor *compressor, uint32_t band,
                       const struct compressor_shape *shape);

/// Compresses in place. RT safe.
RT void compressor_run(struct compressor *compressor, float *left, float *right, uint32_t frames);

/// By how much a band is held down now, in dB, 0 or more.
RT float compressor_reduction_db(const struct compressor *compressor, uint32_t band);

/// What the static curve takes from a level that stays, in dB, 0 or more.
RT double compressor_curve_db(const struct compressor_shape *shape, double level_db);

#endif
