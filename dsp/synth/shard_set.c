#include "dsp/synth/shard_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct shard_set *shard_set_create(const struct font *font, int count, double sample_rate_hz,
                                   int polyphony, uint32_t bus_frames, const struct part *parts,
                                   uint8_t quality)
{
    struct shard_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    set->font = font;
    placement_init(&set->placement, count);
    for (; set->count < count; set->count++) {
        struct shard *shard = shard_create(font, sample_rate_hz, polyphony, bus_frames);
        if (!shard) {
            shard_set_destroy(set);
            errno = ENOMEM;
            return NULL;
        }
        set->shards[set->count] = shard;
    }
    shard_set_push(set, &(struct shard_command){.type = SHARD_QUALITY, .value = quality});
    struct part fresh = {0};
    part_reset(&fresh);
    for (uint8_t i = 0; i < SHARD_PARTS; i++) {
        shard_set_replay(set, i, &fresh, &parts[i], 0);
        for (int k = 0; k < count; k++) // take it in now, on the loader's time
            shard_render(set->shards[k], 0, 1);
    }
    return set;
}

void shard_set_destroy(struct shard_set *set)
{
    if (!set)
        return;
    for (int i = 0; i < set->count; i++)
        shard_destroy(set->shards[i]);
    free(set);
}

RT void shard_set_push(struct shard_set *set, const struct shard_command *command)
{
    for (int i = 0; i < set->count; i++)
        shard_push(set->shards[i], command);
}

RT void shard_set_program(struct shard_set *set, uint8_t number, const struct part *part,
                          uint64_t frame)
{
    set->preset[number] =
        (uint16_t)font_find_preset(set->font, part->bank, part->program, part->is_drums);
    struct shard_command command = {.frame = frame, .part = number, .type = SHARD_KIND};
    command.value = part->is_drums;
    shard_set_push(set, &command);
    command.type = SHARD_PRESET;
    command.number = set->preset[number];
    shard_set_push(set, &command);
}

/// Whether a controller is a value of its own that a fresh shard must hear.
RT static bool is_replayed(int number)
{
    bool is_data = number == CC_DATA_MSB || number == CC_DATA_LSB ||
                   (number >= CC_DATA_UP && number <= CC_RPN_MSB);
    return number < CC_SOUND_OFF && number != CC_BANK_MSB && number != CC_BANK_LSB &&
           number != CC_GLIDE_FROM && !is_data;
}

RT static void replay_controls(struct shard_set *set, uint8_t number, const struct part *from,
                               const struct part *to, uint64_t frame)
{
    struct shard_command command = {.frame = frame, .part = number, .type = SHARD_CONTROL};
    for (int i = 0; i < 128; i++) {
        if (!is_replayed(i) || from->control[i] == to->control[i])
            continue;
        command.key = (uint8_t)i;
        command.value = to->control[i];
        shard_set_push(set, &command);
    }
    if (from->is_mono != to->is_mono) {
        command.key = to->is_mono ? CC_MONO : CC_POLY;
        command.value = to->is_mono;
        shard_set_push(set, &command);
    }
}

RT static void replay_gens(struct shard_set *set, uint8_t number, const struct part *from,
                           const struct part *to, uint64_t frame)
{
    struct shard_command command = {.frame = frame, .part = number, .type = SHARD_GEN};
    for (uint8_t i = 0; i < SF2_GENS; i++) {
        if (from->gen_offset[i] == to->gen_offset[i])
            continue;
        command.key = i;
        command.cents = to->gen_offset[i];
        shard_set_push(set, &command);
    }
}

RT void shard_set_replay(struct shard_set *set, uint8_t number, const struct part *from,
                         const struct part *to, uint64_t frame)
{
    struct shard_command command = {.frame = frame, .part = number};
    shard_set_program(set, number, to, frame);
    replay_controls(set, number, from, to, frame);
    replay_gens(set, number, from, to, frame);
    command.type = SHARD_BEND_RANGE;
    command.value = to->bend_range_semitones;
    shard_set_push(set, &command);
    command.type = SHARD_PRESSURE;
    command.value = to->pressure;
    shard_set_push(set, &command);
    command.type = SHARD_BEND;
    command.number = (uint32_t)(to->bend + 8192);
    shard_set_push(set, &command);
    set->told[number] = *to;
}

/// The shard of a part's notes that must share one. It moves only when it has no note of the part.
RT static int choose_home(struct shard_set *set, uint8_t number, uint64_t frame, uint64_t *border)
{
    int home = set->home[number];
    bool has_note = !set->placement.is_idle[home] && set->sounding_parts[home] >> number & 1;
    if (has_note)
        *border = placement_join(&set->placement, home, frame);
    else
        home = placement_choose(&set->placement, frame, home, border);
    set->home[number] = (int8_t)home;
    return home;
}

RT void shard_set_note_on(struct shard_set *set, uint8_t number, const struct part *part,
                          uint8_t key, uint8_t velocity, float detune_cents, uint64_t frame)
{
    bool is_together =
        part_needs_one_shard(part) || font_is_exclusive(set->font, set->preset[number], key);
    uint64_t border;
    int chosen = is_together ? choose_home(set, number, frame, &border)
                             : placement_choose(&set->placement, frame, -1, &border);
    // A key struck again ends its earlier note, as it does within one instance.
    uint16_t others = set->holders[number][key] & (uint16_t) ~(1u << chosen);
    for (int i = 0; i < set->count; i++)
        if (others >> i & 1)
            shard_push(set->shards[i],
                       &(struct shard_command){
                           .frame = frame, .type = SHARD_NOTE_OFF, .part = number, .key = key});
    // In mono the library lists every strike: one that is not let go would sound again later.
    if (part_needs_one_shard(part) && set->holders[number][key] >> chosen & 1)
        shard_push(set->shards[chosen],
                   &(struct shard_command){
                       .frame = border, .type = SHARD_NOTE_OFF, .part = number, .key = key});
    set->holders[number][key] = (uint16_t)(1u << chosen);
    set->sounding_parts[chosen] |= (uint16_t)(1u << number);
    set->last_border[chosen] = border;
    if (part->has_glide)
        shard_push(set->shards[chosen],
                   &(struct shard_command){.frame = border,
                                           .type = SHARD_CONTROL,
                                           .part = number,
                                           .key = CC_GLIDE_FROM,
                                           .value = part->control[CC_GLIDE_FROM]});
    shard_push(set->shards[chosen], &(struct shard_command){.frame = border,
                                                            .type = SHARD_NOTE_ON,
                                                            .part = number,
                                                            .key = key,
                                                            .value = velocity,
                                                            .cents = detune_cents});
}

RT void shard_set_note_off(struct shard_set *set, uint8_t number, uint8_t key, uint64_t frame)
{
    uint16_t holders = set->holders[number][key];
    struct shard_command command = {
        .frame = frame, .type = SHARD_NOTE_OFF, .part = number, .key = key};
    for (int i = 0; i < set->count; i++)
        if (holders >> i & 1)
            shard_push(set->shards[i], &command);
    set->holders[number][key] = 0;
}

RT void shard_set_latch(struct shard_set *set, uint64_t frame)
{
    for (int i = 0; i < set->count; i++) {
        const struct shard *shard = set->shards[i];
        bool is_awaited = set->last_border[i] >= frame; // its newest note is still to come
        if (is_awaited)
            continue;
        set->placement.is_idle[i] = shard->is_idle;
        set->placement.voices[i] = (uint16_t)(shard->is_idle ? 0 : shard->voices);
        set->sounding_parts[i] = shard->is_idle ? 0 : shard->sounding_parts;
    }
}

RT bool shard_set_is_silent(const struct shard_set *set)
{
    for (int i = 0; i < set->count; i++)
        if (shard_has_work(set->shards[i]))
            return false;
    return true;
}

RT int shard_set_voices(const struct shard_set *set)
{
    int voices = 0;
    for (int i = 0; i < set->count; i++)
        voices += set->shards[i]->is_idle ? 0 : set->shards[i]->voices;
    return voices;
}
