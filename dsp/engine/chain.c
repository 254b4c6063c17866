#include "dsp/engine/chain.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "config/param.h"

/// The longest impulse response, and the fade from one to the next.
static const double space_seconds_max = 20.0, space_fade_seconds = 0.1;

/// Rows of the table that stand in the same order for each band.
enum { EQ_ROWS = PARAM_EQ2_KIND - PARAM_EQ1_KIND, EQ_BANDS = 8 };
enum { PART_EQ_ROWS = PARAM_CH_EQ2_KIND - PARAM_CH_EQ1_KIND, PART_EQ_BANDS = 4 };
enum { BAND_ROWS = PARAM_BAND2_THRESHOLD - PARAM_BAND1_THRESHOLD };

/// What belongs to each send.
static const struct {
    unsigned part_level;   ///< of each part, 0..127
    unsigned is_on, level; ///< of the effect
} send_rows[SENDS] = {
    [SEND_REVERB] = {PARAM_CH_REVERB, PARAM_REVERB_ON, PARAM_REVERB_LEVEL},
    [SEND_CHORUS] = {PARAM_CH_CHORUS, PARAM_CHORUS_ON, PARAM_CHORUS_LEVEL},
    [SEND_DELAY] = {PARAM_CH_DELAY, PARAM_DELAY_ON, PARAM_DELAY_LEVEL},
    // The strings hear a part or do not, and have an amount of their own.
    [SEND_STRINGS] = {PARAM_COUNT, PARAM_COUNT, PARAM_COUNT},
};

const unsigned chain_switches[CHAIN_SWITCHES] = {
    PARAM_RESONANCE_ON, PARAM_REVERB_ON, PARAM_CHORUS_ON, PARAM_DELAY_ON, PARAM_COMPRESSOR_ON,
    PARAM_LIMITER_ON,   PARAM_EQ1_ON,    PARAM_EQ2_ON,    PARAM_EQ3_ON,   PARAM_EQ4_ON,
    PARAM_EQ5_ON,       PARAM_EQ6_ON,    PARAM_EQ7_ON,    PARAM_EQ8_ON};

int chain_init(struct chain *chain, const float *value, double rate_hz, uint32_t modes,
               int tail_workers, int tail_priority)
{
    chain->value = value;
    chain->rate_hz = rate_hz;
    for (int part = 0; part < PARTS; part++) {
        strip_init(&chain->faders[part], rate_hz);
        equaliser_init(&chain->part_equalisers[part], rate_hz, PART_EQ_BANDS);
        for (int send = 0; send < SENDS; send++)
            strip_init(&chain->sends[send][part], rate_hz);
        for (int side = 0; side < 2; side++)
            meter_init(&chain->part_meters[part][side], rate_hz);
    }
    for (int send = 0; send < SENDS; send++)
        strip_init(&chain->returns[send], rate_hz);
    strip_init(&chain->master, rate_hz);
    meter_init(&chain->meters[0], rate_hz);
    meter_init(&chain->meters[1], rate_hz);
    equaliser_init(&chain->equaliser, rate_hz, EQ_BANDS);
    compressor_init(&chain->compressor, rate_hz);
    limiter_init(&chain->limiter, rate_hz);
    int status = chorus_init(&chain->chorus, rate_hz);
    if (!status)
        status = delay_init(&chain->delay, rate_hz);
    if (!status)
        status = strings_init(&chain->strings, rate_hz, CHAIN_FRAMES_MAX, modes);
    if (!status && tail_workers && !(chain->tail = tail_create(tail_workers, tail_priority)))
        status = -errno;
    return status;
}

void chain_finish(struct chain *chain)
{
    convolver_destroy(atomic_load(&chain->convolver));
    tail_destroy(chain->tail);
    strings_finish(&chain->strings);
    chorus_finish(&chain->chorus);
    delay_finish(&chain->delay);
}

// ---- parameters ----

RT static bool is_on(const struct chain *chain, unsigned index)
{
    return chain->value[index] != 0.0f;
}

/// How much of a part goes to an effect. Nothing while that is off or not there: when it begins to
/// listen, the sound must come in by a ramp, or the cut would come back as an echo.
RT static float share_of(const struct chain *chain, int send, unsigned part)
{
    if (send == SEND_STRINGS)
        return (float)(chain->piano_parts >> part & 1);
    bool is_fed = is_on(chain, send_rows[send].is_on) && (send != SEND_REVERB || chain->has_space);
    return is_fed ? chain->value[send_rows[send].part_level + part] / 127.0f : 0.0f;
}

/// A part's fader, and its sends behind it.
RT static void set_part(struct chain *chain, unsigned part)
{
    const float *value = chain->value;
    struct strip *fader = &chain->faders[part];
    strip_set(fader, value[PARAM_CH_GAIN + part], value[PARAM_CH_BALANCE + part],
              is_on(chain, PARAM_CH_MUTE + part));
    for (int send = 0; send < SENDS; send++) {
        float share = share_of(chain, send, part);
        strip_aim(&chain->sends[send][part], fader->target[0] * share, fader->target[1] * share);
    }
}

RT static void set_parts(struct chain *chain)
{
    for (unsigned part = 0; part < PARTS; part++)
        set_part(chain, part);
}

RT static void set_returns(struct chain *chain)
{
    set_parts(chain); // whose sends go where something is on
    for (int send = 0; send < SEND_STRINGS; send++)
        strip_set(&chain->returns[send], chain->value[send_rows[send].level], 0.0f,
                  !is_on(chain, send_rows[send].is_on));
    chorus_switch(&chain->chorus, is_on(chain, PARAM_CHORUS_ON));
    delay_switch(&chain->delay, is_on(chain, PARAM_DELAY_ON));
}

RT static void set_chorus(struct chain *chain)
{
    const float *value = chain->value;
    chorus_set(&chain->chorus,
               &(struct chorus_shape){.rate_hz = value[PARAM_CHORUS_RATE],
                                      .depth_ms = value[PARAM_CHORUS_DEPTH],
                                      .delay_ms = value[PARAM_CHORUS_DELAY],
                                      .feedback = value[PARAM_CHORUS_FEEDBACK],
                                      .voices = (uint32_t)value[PARAM_CHORUS_VOICES]});
}

RT static void set_delay(struct chain *chain)
{
    const float *value = chain->value;
    double frames = (double)value[PARAM_DELAY_TIME] * 0.001 * chain->rate_hz;
    delay_set(&chain->delay, &(struct delay_shape){.frames = (uint32_t)lrint(frames),
                                                   .feedback = value[PARAM_DELAY_FEEDBACK],
                                                   .high_cut_hz = value[PARAM_DELAY_HIGH_CUT],
                                                   .ping_pong = value[PARAM_DELAY_PING_PONG]});
}

/// A band from the rows of its kind, switch, frequency, gain and Q, which lie `stride` apart.
RT static void set_band(struct equaliser *equaliser, unsigned band, const float *row,
                        unsigned stride)
{
    struct biquad_shape shape = {.kind = (enum biquad_kind)row[0],
                                 .frequency_hz = row[2 * stride],
                                 .gain_db = row[3 * stride],
                                 .q = row[4 * stride]};
    equaliser_set(equaliser, band, row[stride] != 0.0f, &shape);
}

static_assert(PARAM_EQ1_ON == PARAM_EQ1_KIND + 1 && PARAM_EQ1_FREQUENCY == PARAM_EQ1_KIND + 2 &&
                  PARAM_EQ1_GAIN == PARAM_EQ1_KIND + 3 && PARAM_EQ1_Q == PARAM_EQ1_KIND + 4 &&
                  PARAM_CH_EQ1_ON == PARAM_CH_EQ1_KIND + PARTS &&
                  PARAM_CH_EQ1_Q == PARAM_CH_EQ1_KIND + 4 * PARTS,
              "set_band counts on the order of the rows");

RT static void set_equaliser(struct chain *chain, unsigned band)
{
    set_band(&chain->equaliser, band, chain->value + PARAM_EQ1_KIND + band * EQ_ROWS, 1);
}

RT static void set_part_equaliser(struct chain *chain, unsigned part)
{
    for (unsigned band = 0; band < PART_EQ_BANDS; band++)
        set_band(&chain->part_equalisers[part], band,
                 chain->value + PARAM_CH_EQ1_KIND + band * PART_EQ_ROWS + part, PARTS);
}

RT static void set_strings(struct chain *chain)
{
    const float *value = chain->value;
    strings_set(&chain->strings, is_on(chain, PARAM_RESONANCE_ON), value[PARAM_RESONANCE_AMOUNT],
                value[PARAM_RESONANCE_DECAY], value[PARAM_RESONANCE_BRIGHTNESS]);
}

RT static void set_compressor(struct chain *chain)
{
    const float *value = chain->value;
    const double splits[CROSSOVER_SPLITS] = {value[PARAM_SPLIT1], value[PARAM_SPLIT2],
                                             value[PARAM_SPLIT3]};
    compressor_set_splits(&chain->compressor, splits);
    for (unsigned band = 0; band < CROSSOVER_BANDS; band++) {
        const float *row = value + band * BAND_ROWS;
        compressor_set(&chain->compressor, band,
                       &(struct compressor_shape){.threshold_db = row[PARAM_BAND1_THRESHOLD],
                                                  .ratio = row[PARAM_BAND1_RATIO],
                                                  .knee_db = row[PARAM_BAND1_KNEE],
                                                  .attack_ms = row[PARAM_BAND1_ATTACK],
                                                  .release_ms = row[PARAM_BAND1_RELEASE],
                                                  .makeup_db = row[PARAM_BAND1_MAKEUP]});
    }
    compressor_switch(&chain->compressor, is_on(chain, PARAM_COMPRESSOR_ON));
}

RT static void set_limiter(struct chain *chain)
{
    limiter_set(&chain->limiter, is_on(chain, PARAM_LIMITER_ON),
                chain->value[PARAM_LIMITER_CEILING], chain->value[PARAM_LIMITER_RELEASE]);
}

RT static void set_master(struct chain *chain, float message_volume)
{
    float gain_db = chain->value[PARAM_MASTER_GAIN];
    if (gain_db > -60.0f)
        gain_db += meter_to_db(message_volume);
    strip_set(&chain->master, gain_db, 0.0f, false);
}

RT static bool is_within(unsigned index, unsigned first, unsigned last)
{
    return index >= first && index <= last;
}

RT void chain_set(struct chain *chain, unsigned index, float message_volume)
{
    if (is_within(index, PARAM_CH_PROGRAM, PARAM_CH_MUTE + PARTS - 1))
        set_part(chain, (index - PARAM_CH_PROGRAM) % PARTS);
    else if (is_within(index, PARAM_CH_EQ1_KIND, PARAM_CH_EQ4_Q + PARTS - 1))
        set_part_equaliser(chain, (index - PARAM_CH_EQ1_KIND) % PARTS);
    else if (is_within(index, PARAM_RESONANCE_ON, PARAM_RESONANCE_BRIGHTNESS))
        set_strings(chain);
    else if (is_within(index, PARAM_CHORUS_RATE, PARAM_CHORUS_VOICES))
        set_chorus(chain);
    else if (is_within(index, PARAM_DELAY_TIME, PARAM_DELAY_PING_PONG))
        set_delay(chain);
    else if (is_within(index, PARAM_REVERB_ON, PARAM_DELAY_LEVEL))
        set_returns(chain);
    else if (is_within(index, PARAM_EQ1_KIND, PARAM_EQ8_Q))
        set_equaliser(chain, (index - PARAM_EQ1_KIND) / EQ_ROWS);
    else if (is_within(index, PARAM_COMPRESSOR_ON, PARAM_BAND4_MAKEUP))
        set_compressor(chain);
    else if (is_within(index, PARAM_LIMITER_ON, PARAM_LIMITER_RELEASE))
        set_limiter(chain);
    else if (index == PARAM_MASTER_GAIN)
        set_master(chain, message_volume);
}

RT void chain_set_all(struct chain *chain, float message_volume)
{
    for (unsigned part = 0; part < PARTS; part++)
        set_part_equaliser(chain, part);
    set_strings(chain);
    for (unsigned band = 0; band < EQ_BANDS; band++)
        set_equaliser(chain, band);
    set_returns(chain);
    set_chorus(chain);
    set_delay(chain);
    set_compressor(chain);
    set_limiter(chain);
    set_master(chain, message_volume);
}

// ---- sound ----

RT static bool is_open(const struct strip *strip)
{
    return strip->left_frames || strip->gain[0] != 0.0f || strip->gain[1] != 0.0f;
}

RT void chain_set_pianos(struct chain *chain, uint16_t parts)
{
    if (parts == chain->piano_parts)
        return;
    chain->piano_parts = parts;
    set_parts(chain);
}

/// Opens the sends to the reverb when its first space has come.
RT static void look_for_space(struct chain *chain)
{
    if (chain->has_space || !atomic_load_explicit(&chain->convolver, memory_order_acquire))
        return;
    chain->has_space = true;
    set_parts(chain);
}

RT static void clear(float *const sound[2], uint32_t frames)
{
    memset(sound[0], 0, frames * sizeof *sound[0]);
    memset(sound[1], 0, frames * sizeof *sound[1]);
}

RT static void mix_part(struct chain *chain, unsigned part, float *const in[2], float *const out[2],
                        uint32_t frames)
{
    bool is_heard = is_open(&chain->faders[part]);
    equaliser_run(&chain->part_equalisers[part], in[0], in[1], frames);
    for (int send = 0; send < SENDS; send++) {
        float *const bus[2] = {chain->bus[send][0], chain->bus[send][1]};
        if (is_open(&chain->sends[send][part]))
            strip_add(&chain->sends[send][part], in, bus, frames);
    }
    strip_add(&chain->faders[part], in, out, frames);
    for (int side = 0; side < 2; side++)
        meter_run(&chain->part_meters[part][side], is_heard ? in[side] : NULL, frames);
}

/// A part without sound. Its equaliser may ring on.
RT static void skip_part(struct chain *chain, unsigned part, float *const out[2], uint32_t frames)
{
    float *const silence[2] = {chain->silence[0], chain->silence[1]};
    if (!equaliser_is_idle(&chain->part_equalisers[part])) {
        clear(silence, frames);
        mix_part(chain, part, silence, out, frames);
        return;
    }
    equaliser_skip(&chain->part_equalisers[part], frames);
    strip_skip(&chain->faders[part], frames);
    for (int send = 0; send < SENDS; send++)
        strip_skip(&chain->sends[send][part], frames);
    for (int side = 0; side < 2; side++)
        meter_run(&chain->part_meters[part][side], NULL, frames);
}

/// Turns what a send has brought, from `frame` on, into what its effect gives.
RT static void run_effect(struct chain *chain, enum chain_send send, uint64_t frame,
                          float *const wet[2], uint32_t frames)
{
    const float *const dry[2] = {wet[0], wet[1]};
    struct convolver *convolver = atomic_load_explicit(&chain->convolver, memory_order_acquire);
    if (send == SEND_CHORUS)
        chorus_run(&chain->chorus, dry, wet, frames);
    else if (send == SEND_DELAY)
        delay_run(&chain->delay, dry, wet, frames);
    else if (send == SEND_STRINGS)
        strings_run(&chain->strings, frame, wet, frames);
    else if (convolver)
        convolver_run(convolver, dry, wet, frames);
    else
        clear(wet, frames);
}

RT void chain_run(struct chain *chain, uint64_t frame, uint16_t parts, float *bus[PARTS][2],
                  float *const out[2], uint32_t frames)
{
    clear(out, frames);
    look_for_space(chain);
    for (int send = 0; send < SENDS; send++)
        clear((float *const[2]){chain->bus[send][0], chain->bus[send][1]}, frames);
    for (unsigned part = 0; part < PARTS; part++) {
        if (parts >> part & 1)
            mix_part(chain, part, bus[part], out, frames);
        else
            skip_part(chain, part, out, frames);
    }
    for (int send = 0; send < SENDS; send++) {
        float *const wet[2] = {chain->bus[send][0], chain->bus[send][1]};
        run_effect(chain, (enum chain_send)send, frame, wet, frames);
        strip_add(&chain->returns[send], wet, out, frames);
    }
    strip_scale(&chain->master, out, frames);
    equaliser_run(&chain->equaliser, out[0], out[1], frames);
    compressor_run(&chain->compressor, out[0], out[1], frames);
    limiter_run(&chain->limiter, out[0], out[1], frames);
    meter_run(&chain->meters[0], out[0], frames);
    meter_run(&chain->meters[1], out[1], frames);
}

RT uint32_t chain_delay_frames(const struct chain *chain)
{
    return limiter_delay_frames(&chain->limiter);
}

// ---- the space ----

uint32_t chain_response_frames_max(const struct chain *chain)
{
    return (uint32_t)(space_seconds_max * chain->rate_hz);
}

struct schedule chain_schedule(const struct chain *chain)
{
    return schedule_standard(chain_response_frames_max(chain));
}

int chain_set_space(struct chain *chain, struct response *response)
{
    struct convolver *convolver = atomic_load(&chain->convolver);
    if (convolver)
        return convolver_set(convolver, response);
    if (!response)
        return 0;
    convolver = convolver_create(&(struct convolver_settings){
        .schedule = chain_schedule(chain),
        .frames_max = chain_response_frames_max(chain),
        .fade_frames = (uint32_t)(space_fade_seconds * chain->rate_hz),
        .tail = chain->tail,
        .rate_hz = (uint32_t)chain->rate_hz,
    });
    if (!convolver)
        return -errno;
    int status = convolver_set(convolver, response);
    if (status)
        convolver_destroy(convolver);
    else
        atomic_store_explicit(&chain->convolver, convolver, memory_order_release);
    return status;
}

bool chain_collect_space(struct chain *chain)
{
    struct convolver *convolver = atomic_load(&chain->convolver);
    return convolver && convolver_collect(convolver);
}

uint32_t chain_late_blocks(const struct chain *chain)
{
    struct convolver *convolver = atomic_load(&chain->convolver);
    return convolver ? convolver_late_blocks(convolver) : 0;
}
