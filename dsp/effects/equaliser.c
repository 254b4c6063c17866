#include "dsp/effects/equaliser.h"

#include <math.h>

static const double glide_seconds = 0.020;

RT void equaliser_init(struct equaliser *equaliser, double rate_hz, uint32_t bands)
{
    *equaliser =
        (struct equaliser){.rate_hz = rate_hz,
                           .bands = bands < EQUALISER_BANDS_MAX ? bands : EQUALISER_BANDS_MAX,
                           .glide_ticks = glide_ticks(rate_hz, glide_seconds, GLIDE_TICK_FRAMES)};
    for (uint32_t i = 0; i < equaliser->bands; i++) {
        equaliser->band[i].is_idle = true;
        svf_init(&equaliser->band[i].svf);
    }
}

/// A parameter of a band that is not heard has no way to go.
RT static void head(struct glide *glide, double target, bool is_idle, uint32_t ticks)
{
    if (is_idle)
        glide_jump(glide, target);
    else
        glide_to(glide, target, ticks);
}

RT void equaliser_set(struct equaliser *equaliser, uint32_t number, bool is_on,
                      const struct biquad_shape *wanted)
{
    if (number >= equaliser->bands || (unsigned)wanted->kind >= BIQUAD_KINDS)
        return;
    struct equaliser_band *band = &equaliser->band[number];
    struct biquad_shape shape = biquad_bound(wanted, equaliser->rate_hz);
    band->is_on = is_on;
    band->wanted = shape.kind;
    head(&band->octave, log2(shape.frequency_hz), band->is_idle, equaliser->glide_ticks);
    head(&band->gain, shape.gain_db, band->is_idle, equaliser->glide_ticks);
    head(&band->q, log2(shape.q), band->is_idle, equaliser->glide_ticks);
}

// ---- once a tick ----

/// At 0 dB, to stay.
RT static bool is_flat(const struct equaliser_band *band)
{
    return band->kind >= BIQUAD_LOW_SHELF && band->gain.now == 0.0 && band->gain.target == 0.0;
}

RT static bool is_moving(const struct equaliser_band *band)
{
    return glide_is_moving(&band->octave) || glide_is_moving(&band->gain) ||
           glide_is_moving(&band->q) || glide_is_moving(&band->amount);
}

RT static bool is_gone(const struct equaliser_band *band)
{
    return band->amount.now == 0.0 && band->amount.target == 0.0;
}

RT static void choose_amount(struct equaliser_band *band, uint32_t ticks)
{
    if (is_gone(band))
        band->kind = band->wanted;
    if (is_flat(band))
        glide_jump(&band->amount, 0.0);
    else
        glide_to(&band->amount, band->is_on && band->kind == band->wanted, ticks);
}

RT static void rest(struct equaliser_band *band)
{
    band->is_idle = true;
    svf_init(&band->svf);
    glide_jump(&band->octave, band->octave.target);
    glide_jump(&band->gain, band->gain.target);
    glide_jump(&band->q, band->q.target);
}

/// Aims at where the band shall be when the tick ends.
RT static void begin_tick(struct equaliser_band *band, const struct equaliser *equaliser)
{
    if (!stereo_is_finite(band->svf.s1 + band->svf.s2))
        svf_init(&band->svf); // a sample that was no number must not sound for ever
    svf_land(&band->svf);
    choose_amount(band, equaliser->glide_ticks);
    if (is_gone(band)) {
        if (!band->is_idle)
            rest(band);
        return;
    }
    if (!is_moving(band) && !band->is_idle)
        return;
    band->is_idle = false;
    struct biquad_shape shape = {.kind = band->kind,
                                 .frequency_hz = exp2(glide_next(&band->octave)),
                                 .gain_db = glide_next(&band->gain),
                                 .q = exp2(glide_next(&band->q))};
    struct biquad biquad = biquad_design(&shape, equaliser->rate_hz);
    struct svf_coefficients target = svf_from_biquad(&biquad, glide_next(&band->amount));
    svf_aim(&band->svf, &target, GLIDE_TICK_FRAMES);
}

// ---- run ----

RT bool equaliser_is_idle(const struct equaliser *equaliser)
{
    for (uint32_t i = 0; i < equaliser->bands; i++) {
        const struct equaliser_band *band = &equaliser->band[i];
        if (!band->is_idle ||
            (band->is_on && !(band->wanted >= BIQUAD_LOW_SHELF && band->gain.target == 0.0)))
            return false;
    }
    return true;
}

/// At most the rest of a tick.
RT static void run_bands(struct equaliser *equaliser, float *left, float *right, uint32_t frames)
{
    stereo block[GLIDE_TICK_FRAMES];
    bool is_packed = false;
    for (uint32_t i = 0; i < equaliser->bands; i++) {
        if (equaliser->band[i].is_idle)
            continue;
        if (!is_packed)
            stereo_pack(block, left, right, frames);
        is_packed = true;
        svf_run(&equaliser->band[i].svf, block, frames);
    }
    if (is_packed)
        stereo_unpack(block, left, right, frames);
}

RT void equaliser_run(struct equaliser *equaliser, float *left, float *right, uint32_t frames)
{
    while (frames) {
        for (uint32_t i = 0; i < equaliser->bands && equaliser->tick == 0; i++)
            begin_tick(&equaliser->band[i], equaliser);
        uint32_t rest_frames = GLIDE_TICK_FRAMES - equaliser->tick;
        uint32_t now = frames < rest_frames ? frames : rest_frames;
        run_bands(equaliser, left, right, now);
        equaliser->tick = (equaliser->tick + now) % GLIDE_TICK_FRAMES;
        left += now, right += now, frames -= now;
    }
}

RT void equaliser_skip(struct equaliser *equaliser, uint32_t frames)
{
    equaliser->tick = (equaliser->tick + frames) % GLIDE_TICK_FRAMES;
}
