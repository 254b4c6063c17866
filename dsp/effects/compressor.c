#include "dsp/effects/compressor.h"

#include <math.h>

static const double hold_seconds = 0.0125;
static const double makeup_seconds = 0.020;
static const double warm_seconds = 0.020; // the crossover settles
static const double silence = 1e-8;       // linear; -160 dB

RT static double clamp(double value, double least, double most)
{
    return value > least ? (value < most ? value : most) : least; // not a number: the least
}

RT void compressor_init(struct compressor *compressor, double rate_hz)
{
    static const struct compressor_shape standard = {-20.0, 1.0, 6.0, 10.0, 150.0, 0.0};
    *compressor = (struct compressor){
        .rate_hz = rate_hz,
        .hold_ticks = glide_ticks(rate_hz, hold_seconds, COMPRESSOR_TICK_FRAMES)};
    bypass_init(&compressor->bypass, rate_hz, warm_seconds);
    crossover_init(&compressor->crossover, rate_hz);
    for (uint32_t i = 0; i < CROSSOVER_BANDS; i++) {
        compressor->band[i].gain = 1.0;
        compressor_set(compressor, i, &standard);
    }
}

// ---- settings ----

/// What has not sounded for a while starts afresh.
RT static void wake(struct compressor *compressor)
{
    crossover_reset(&compressor->crossover);
    compressor->tick = 0;
    compressor->hold = 0;
    for (int i = 0; i < CROSSOVER_BANDS; i++) {
        struct compressor_band *band = &compressor->band[i];
        glide_jump(&band->makeup, band->makeup.target);
        band->peak = band->held = band->held_before = 0.0f;
        band->reduction_db = band->step = 0.0;
        band->gain = pow(10.0, band->makeup.now / 20.0);
    }
}

RT static void choose_bypass(struct compressor *compressor)
{
    bool has_work = false;
    for (int i = 0; i < CROSSOVER_BANDS; i++)
        has_work |=
            compressor->band[i].shape.ratio > 1.0 || compressor->band[i].shape.makeup_db != 0.0;
    if (bypass_is_idle(&compressor->bypass))
        wake(compressor);
    bypass_set(&compressor->bypass, compressor->is_on && has_work);
}

RT void compressor_switch(struct compressor *compressor, bool is_on)
{
    compressor->is_on = is_on;
    choose_bypass(compressor);
}

RT void compressor_set_splits(struct compressor *compressor,
                              const double split_hz[CROSSOVER_SPLITS])
{
    crossover_set(&compressor->crossover, split_hz);
    if (bypass_is_idle(&compressor->bypass))
        crossover_reset(&compressor->crossover);
}

RT static double share_of_tick(double ms, double rate_hz)
{
    return 1.0 - exp(-1000.0 * COMPRESSOR_TICK_FRAMES / (ms * rate_hz));
}

RT void compressor_set(struct compressor *compressor, uint32_t number,
                       const struct compressor_shape *wanted)
{
    if (number >= CROSSOVER_BANDS)
        return;
    struct compressor_band *band = &compressor->band[number];
    band->shape = (struct compressor_shape){.threshold_db = clamp(wanted->threshold_db, -80, 0),
                                            .ratio = clamp(wanted->ratio, 1, 100),
                                            .knee_db = clamp(wanted->knee_db, 0, 24),
                                            .attack_ms = clamp(wanted->attack_ms, 0.5, 500),
                                            .release_ms = clamp(wanted->release_ms, 5, 5000),
                                            .makeup_db = clamp(wanted->makeup_db, -24, 24)};
    band->attack = share_of_tick(band->shape.attack_ms, compressor->rate_hz);
    band->release = share_of_tick(band->shape.release_ms, compressor->rate_hz);
    glide_to(&band->makeup, band->shape.makeup_db,
             glide_ticks(compressor->rate_hz, makeup_seconds, COMPRESSOR_TICK_FRAMES));
    choose_bypass(compressor);
}

// ---- once a tick ----

RT double compressor_curve_db(const struct compressor_shape *shape, double level_db)
{
    double over = level_db - shape->threshold_db, slope = 1.0 - 1.0 / shape->ratio;
    if (2.0 * over <= -shape->knee_db)
        return 0.0;
    if (2.0 * over >= shape->knee_db)
        return slope * over;
    double into = over + 0.5 * shape->knee_db;
    return slope * into * into / (2.0 * shape->knee_db);
}

/// The greatest peak of this block of the hold and of the one before.
RT static double hold(struct compressor_band *band, bool is_new_block)
{
    if (is_new_block) {
        band->held_before = band->held;
        band->held = 0.0f;
    }
    band->held = fmaxf(band->held, band->peak);
    band->peak = 0.0f;
    return fmaxf(band->held, band->held_before);
}

RT static void find_gain(struct compressor_band *band, bool is_new_block)
{
    double level = hold(band, is_new_block);
    double wanted_db = compressor_curve_db(&band->shape, 20.0 * log10(fmax(level, silence)));
    double share = wanted_db > band->reduction_db ? band->attack : band->release;
    band->reduction_db += share * (wanted_db - band->reduction_db);
    double gain = pow(10.0, (glide_next(&band->makeup) - band->reduction_db) / 20.0);
    band->step = (gain - band->gain) / COMPRESSOR_TICK_FRAMES;
}

RT static void begin_tick(struct compressor *compressor)
{
    bool is_new_block = compressor->hold == 0;
    compressor->hold = (compressor->hold + 1) % compressor->hold_ticks;
    for (int i = 0; i < CROSSOVER_BANDS; i++)
        find_gain(&compressor->band[i], is_new_block);
}

// ---- each frame ----

/// Applies the band's gain, adds to `sum` and notes the peak.
RT static void run_band(struct compressor_band *band, const stereo *in, stereo *sum,
                        uint32_t frames)
{
    double gain = band->gain;
    double most = band->peak;
    for (uint32_t i = 0; i < frames; i++) {
        gain += band->step;
        sum[i] += gain * in[i];
        double left = fabs(in[i][0]), right = fabs(in[i][1]);
        double size = left > right ? left : right;
        most = size > most ? size : most;
    }
    band->gain = gain;
    band->peak = (float)most;
}

/// At most the rest of a tick.
RT static void run_tick(struct compressor *compressor, float *left, float *right, uint32_t frames)
{
    float wet_left[COMPRESSOR_TICK_FRAMES], wet_right[COMPRESSOR_TICK_FRAMES];
    stereo in[COMPRESSOR_TICK_FRAMES], bands[CROSSOVER_BANDS][COMPRESSOR_TICK_FRAMES];
    stereo sum[COMPRESSOR_TICK_FRAMES] = {{0.0, 0.0}};
    stereo *const out[CROSSOVER_BANDS] = {bands[0], bands[1], bands[2], bands[3]};
    stereo_pack(in, left, right, frames);
    crossover_run(&compressor->crossover, in, out, frames);
    for (int i = 0; i < CROSSOVER_BANDS; i++)
        run_band(&compressor->band[i], bands[i], sum, frames);
    stereo_unpack(sum, wet_left, wet_right, frames);
    bypass_blend(&compressor->bypass, (const float *const[2]){left, right},
                 (float *const[2]){wet_left, wet_right}, frames);
    for (uint32_t i = 0; i < frames; i++) {
        left[i] = wet_left[i];
        right[i] = wet_right[i];
    }
}

RT void compressor_run(struct compressor *compressor, float *left, float *right, uint32_t frames)
{
    while (frames && !bypass_is_idle(&compressor->bypass)) {
        if (compressor->tick == 0)
            begin_tick(compressor);
        uint32_t rest = COMPRESSOR_TICK_FRAMES - compressor->tick;
        uint32_t now = frames < rest ? frames : rest;
        run_tick(compressor, left, right, now);
        compressor->tick = (compressor->tick + now) % COMPRESSOR_TICK_FRAMES;
        left += now, right += now, frames -= now;
    }
}

RT float compressor_reduction_db(const struct compressor *compressor, uint32_t band)
{
    bool is_idle = band >= CROSSOVER_BANDS || bypass_is_idle(&compressor->bypass);
    return is_idle ? 0.0f : (float)compressor->band[band].reduction_db;
}
