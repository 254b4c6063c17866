#include "dsp/synth/part.h"

#include <string.h>

/// RPN 0..5 at power-on: bend range 2 semitones, tunings centred, modulation depth 50 cents.
static const uint16_t rpn_default[RPNS] = {2 << 7, 8192, 64 << 7, 0, 0, 64};

/// Units of a generator per step of its NRPN: SoundFont 2.04, section 9.6.3. 0: not by NRPN; nor
/// are the offsets of a sample's end (1 and 12), which the font's reader has checked.
static const uint8_t nrpn_scale[SF2_GENS] = {
    1, 0, 1, 1, 1, 2, 2, 2, 2, 1, 2, 2, 0, 1, 0, 1, 1, 1, 0, 0, 0, 2, 4, 2, 4, 2, 2, 2, 2, 1,
    2, 1, 1, 2, 2, 2, 2, 1, 2, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0};

RT static void deselect(struct part *part)
{
    part->control[CC_RPN_LSB] = part->control[CC_RPN_MSB] = 127;
    part->control[CC_NRPN_LSB] = part->control[CC_NRPN_MSB] = 127;
    part->is_nrpn = false;
    part->is_null = true;
    part->nrpn_number = 0;
}

RT void part_reset(struct part *part)
{
    bool is_drums = part->is_drums;
    uint16_t bank = part->bank;
    memset(part, 0, sizeof *part);
    part->is_drums = is_drums;
    part->bank = bank;
    part->control[CC_VOLUME] = 100;
    part->control[CC_PAN] = part->control[CC_BALANCE] = 64;
    part->control[CC_EXPRESSION] = part->control[CC_EXPRESSION + 32] = 127;
    part->control[CC_REVERB] = 40;
    for (int i = CC_SOUND_FIRST; i <= CC_SOUND_LAST; i++)
        part->control[i] = 64;
    memcpy(part->rpn, rpn_default, sizeof part->rpn);
    part->bend_range_semitones = 2;
    deselect(part);
}

/// Controller 121 spares volume, pan, balance, bank, effect depths and sound controllers.
RT static bool survives_reset(int number)
{
    int coarse = number & 31;
    bool is_mix = number < 64 && (coarse == CC_BANK_MSB || coarse == CC_VOLUME ||
                                  coarse == CC_BALANCE || coarse == CC_PAN);
    return is_mix || (number >= CC_SOUND_FIRST && number <= CC_SOUND_LAST) ||
           (number >= 91 && number <= 95);
}

RT static void reset_controllers(struct part *part)
{
    for (int i = 0; i < CC_SOUND_OFF; i++)
        if (!survives_reset(i))
            part->control[i] = 0;
    part->control[CC_EXPRESSION] = part->control[CC_EXPRESSION + 32] = 127;
    part->bend = 0;
    part->pressure = 0;
    part->has_glide = false;
    memset(part->gen_offset, 0, sizeof part->gen_offset);
    deselect(part);
}

/// The modulation wheel's depth beyond the format's own 50 cents, as an offset of the vibrato.
RT static enum part_effect set_vibrato(struct part *part, uint8_t *effect_gen)
{
    float depth_cents = (float)part->rpn[5] * (100.0f / 128.0f);
    float wheel = (float)part->control[CC_MODULATION] / 127.0f;
    part->gen_offset[GEN_VIBRATO_DEPTH] = (depth_cents - 50.0f) * wheel;
    *effect_gen = GEN_VIBRATO_DEPTH;
    return PART_EFFECT_GEN;
}

RT static enum part_effect apply_rpn(struct part *part, int number, uint8_t *effect_gen)
{
    uint16_t value = part->rpn[number];
    switch (number) {
    case 0:
        part->bend_range_semitones = (uint8_t)(value >> 7);
        return PART_EFFECT_BEND_RANGE;
    case 1:
        part->gen_offset[GEN_FINE_TUNE] = ((float)value - 8192.0f) * (100.0f / 8192.0f);
        *effect_gen = GEN_FINE_TUNE;
        return PART_EFFECT_GEN;
    case 2:
        part->gen_offset[GEN_COARSE_TUNE] = (float)(value >> 7) - 64.0f;
        *effect_gen = GEN_COARSE_TUNE;
        return PART_EFFECT_GEN;
    case 3:
        part->tuning_program = (uint8_t)(value >> 7);
        part->has_tuning = true;
        return PART_EFFECT_TUNING;
    case 5:
        return set_vibrato(part, effect_gen);
    default:
        return PART_EFFECT_NONE; // 4, the tuning bank: there is one bank
    }
}

/// A SoundFont generator by NRPN: the coarse byte of the data completes it.
RT static enum part_effect apply_nrpn(struct part *part, uint8_t *effect_gen)
{
    uint16_t gen = part->nrpn_number;
    int data = part->control[CC_DATA_MSB] << 7 | part->control[CC_DATA_LSB];
    part->nrpn_number = 0;
    if (part->control[CC_NRPN_MSB] != 120 || part->control[CC_NRPN_LSB] >= 100 || gen >= SF2_GENS ||
        !nrpn_scale[gen])
        return PART_EFFECT_NONE;
    part->gen_offset[gen] = (float)((data - 8192) * nrpn_scale[gen]);
    *effect_gen = (uint8_t)gen;
    return PART_EFFECT_GEN;
}

RT static int selected_rpn(const struct part *part)
{
    bool is_rpn = !part->is_nrpn && !part->is_null && part->control[CC_RPN_MSB] == 0;
    return is_rpn && part->control[CC_RPN_LSB] < RPNS ? part->control[CC_RPN_LSB] : -1;
}

RT static enum part_effect enter_data(struct part *part, uint8_t number, uint8_t value,
                                      uint8_t *effect_gen)
{
    if (part->is_nrpn)
        return number == CC_DATA_MSB ? apply_nrpn(part, effect_gen) : PART_EFFECT_NONE;
    int rpn = selected_rpn(part);
    if (rpn < 0)
        return PART_EFFECT_NONE;
    uint16_t *word = &part->rpn[rpn];
    *word = number == CC_DATA_MSB ? (uint16_t)(value << 7 | (*word & 127))
                                  : (uint16_t)((*word & ~127) | value);
    return apply_rpn(part, rpn, effect_gen);
}

RT static enum part_effect step_data(struct part *part, int step, uint8_t *effect_gen)
{
    int rpn = selected_rpn(part);
    if (rpn < 0)
        return PART_EFFECT_NONE;
    // RP-018: bend range, coarse tuning and tuning program step in their coarse byte.
    int value = part->rpn[rpn] + (rpn == 0 || rpn == 2 || rpn == 3 ? step * 128 : step);
    if (value < 0 || value > 16383)
        return PART_EFFECT_NONE;
    part->rpn[rpn] = (uint16_t)value;
    return apply_rpn(part, rpn, effect_gen);
}

RT static void select_nrpn(struct part *part, uint8_t number, uint8_t value)
{
    static const uint16_t steps[] = {100, 1000, 10000};
    part->is_nrpn = true;
    part->is_null = false;
    if (number == CC_NRPN_MSB) {
        part->control[CC_NRPN_LSB] = 0;
        part->nrpn_number = 0;
    } else if (value < 100) {
        part->nrpn_number = (uint16_t)(part->nrpn_number + value);
    } else if (value <= 102) {
        part->nrpn_number = (uint16_t)(part->nrpn_number + steps[value - 100]);
    }
}

RT enum part_effect part_control(struct part *part, uint8_t number, uint8_t value,
                                 uint8_t *effect_gen)
{
    part->control[number] = value;
    switch (number) {
    case CC_BANK_MSB:
    case CC_BANK_LSB:
        return PART_EFFECT_NONE; // counts at the next program change
    case CC_MODULATION:
        // The wheel's own effect is a modulator of the font; only the rest is an offset.
        if (part->rpn[5] != rpn_default[5])
            set_vibrato(part, effect_gen);
        return PART_EFFECT_CONTROL;
    case CC_DATA_MSB:
    case CC_DATA_LSB:
        return enter_data(part, number, value, effect_gen);
    case CC_DATA_UP:
    case CC_DATA_DOWN:
        return step_data(part, number == CC_DATA_UP ? 1 : -1, effect_gen);
    case CC_NRPN_LSB:
    case CC_NRPN_MSB:
        select_nrpn(part, number, value);
        return PART_EFFECT_NONE;
    case CC_RPN_LSB:
    case CC_RPN_MSB:
        part->is_nrpn = false;
        part->is_null = part->control[CC_RPN_LSB] == 127 && part->control[CC_RPN_MSB] == 127;
        return PART_EFFECT_NONE;
    case CC_RESET:
        reset_controllers(part);
        return PART_EFFECT_CONTROL;
    case CC_MONO:
    case CC_POLY:
        part->is_mono = number == CC_MONO;
        return PART_EFFECT_CONTROL;
    case CC_LOCAL:
        return PART_EFFECT_NONE;
    case CC_GLIDE_FROM: // the shard of the next note alone must hear it
        part->has_glide = true;
        return PART_EFFECT_NONE;
    default:
        return PART_EFFECT_CONTROL;
    }
}

RT bool part_needs_one_shard(const struct part *part)
{
    return part->is_mono || part->control[CC_LEGATO] >= 64 || part->control[CC_PORTAMENTO] >= 64;
}

RT bool part_is_same(const struct part *a, const struct part *b)
{
    for (int i = 0; i < SF2_GENS; i++)
        if (a->gen_offset[i] != b->gen_offset[i])
            return false;
    bool has_same_sound = a->bank == b->bank && a->program == b->program &&
                          a->is_drums == b->is_drums && a->is_mono == b->is_mono;
    bool has_same_play = a->bend == b->bend && a->pressure == b->pressure &&
                         a->bend_range_semitones == b->bend_range_semitones;
    return has_same_sound && has_same_play && !memcmp(a->control, b->control, sizeof a->control);
}
