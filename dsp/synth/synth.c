#include "dsp/synth/synth.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/base/crew.h"
#include "dsp/base/ring.h"
#include "dsp/base/snapshot.h"
#include "dsp/synth/shard_set.h"

enum { SETS_MAX = 4, JOBS_MAX = SETS_MAX * PLACEMENT_MAX };

struct synth {
    struct synth_settings settings;
    struct crew *crew;
    struct part parts[SHARD_PARTS];
    struct tuning tuning;
    uint8_t quality; ///< libfluidsynth's number of the method
    bool has_new_state;
    uint32_t generation;
    struct shard_set *sets[SETS_MAX]; ///< the first takes new notes, the others ring out
    int set_count;

    struct shard *jobs[JOBS_MAX]; ///< of the run under way
    uint64_t start;
    uint32_t frames;

    _Atomic(struct shard_set *) offered; ///< by the loader, not yet taken in
    struct ring silent;                  ///< sets that rang out, on their way to the loader
    struct snapshot state;               ///< struct part[16], for the loader
};

static const uint8_t quality_method[4] = {FLUID_INTERP_NONE, FLUID_INTERP_LINEAR,
                                          FLUID_INTERP_4THORDER, FLUID_INTERP_7THORDER};

struct synth *synth_create(const struct synth_settings *settings)
{
    struct synth *synth = calloc(1, sizeof *synth);
    if (!synth)
        return NULL;
    synth->settings = *settings;
    synth->quality = FLUID_INTERP_4THORDER;
    for (int i = 0; i < SHARD_PARTS; i++) {
        synth->parts[i].is_drums = i == 9;
        part_reset(&synth->parts[i]);
    }
    bool is_complete = !ring_init(&synth->silent, 2 * SETS_MAX, sizeof(struct shard_set *)) &&
                       !snapshot_init(&synth->state, sizeof synth->parts);
    if (is_complete) {
        snapshot_write(&synth->state, synth->parts);
        synth->crew = crew_create(settings->workers, settings->priority, NULL, NULL);
    } else {
        errno = ENOMEM;
    }
    if (!synth->crew) {
        int status = errno;
        synth_destroy(synth);
        errno = status;
        return NULL;
    }
    return synth;
}

void synth_destroy(struct synth *synth)
{
    if (!synth)
        return;
    crew_destroy(synth->crew);
    for (int i = 0; i < synth->set_count; i++)
        shard_set_destroy(synth->sets[i]);
    shard_set_destroy(atomic_load(&synth->offered));
    struct shard_set *set;
    while (synth->silent.elements && ring_pop(&synth->silent, &set))
        shard_set_destroy(set);
    ring_finish(&synth->silent);
    snapshot_finish(&synth->state);
    free(synth);
}

uint32_t synth_latency_frames(const struct synth *synth)
{
    struct placement placement;
    placement_init(&placement, synth->settings.shards);
    return placement.tolerance_frames;
}

// ---- fonts ----

int synth_set_font(struct synth *synth, const struct font *font)
{
    struct part parts[SHARD_PARTS];
    const struct synth_settings *settings = &synth->settings;
    if (atomic_load(&synth->offered))
        return -EBUSY;
    snapshot_read(&synth->state, parts);
    struct shard_set *set =
        shard_set_create(font, settings->shards, settings->sample_rate_hz, settings->polyphony,
                         settings->max_frames, parts, FLUID_INTERP_4THORDER);
    if (!set)
        return -errno;
    atomic_store(&synth->offered, set);
    return 0;
}

const struct font *synth_collect_font(struct synth *synth)
{
    struct shard_set *set;
    if (!ring_pop(&synth->silent, &set))
        return NULL;
    const struct font *font = set->font;
    shard_set_destroy(set);
    return font;
}

/// What changed between the loader's look at the parts and now.
RT static void catch_up(struct synth *synth, struct shard_set *set, uint64_t frame)
{
    for (uint8_t i = 0; i < SHARD_PARTS; i++)
        if (!part_is_same(&set->told[i], &synth->parts[i]))
            shard_set_replay(set, i, &set->told[i], &synth->parts[i], frame);
    shard_set_push(set, &(struct shard_command){
                            .frame = frame, .type = SHARD_QUALITY, .value = synth->quality});
}

RT static void take_offer(struct synth *synth, uint64_t frame)
{
    if (synth->set_count == SETS_MAX ||
        !atomic_load_explicit(&synth->offered, memory_order_relaxed))
        return;
    struct shard_set *set = atomic_exchange(&synth->offered, NULL);
    catch_up(synth, set, frame);
    memmove(synth->sets + 1, synth->sets, (size_t)synth->set_count * sizeof *synth->sets);
    synth->sets[0] = set;
    synth->set_count++;
    synth->generation++;
}

RT static void retire_silent(struct synth *synth)
{
    for (int i = synth->set_count - 1; i > 0; i--) {
        if (!shard_set_is_silent(synth->sets[i]) || !ring_push(&synth->silent, &synth->sets[i]))
            continue;
        synth->set_count--;
        memmove(synth->sets + i, synth->sets + i + 1,
                (size_t)(synth->set_count - i) * sizeof *synth->sets);
    }
}

RT void synth_begin(struct synth *synth, uint64_t frame)
{
    retire_silent(synth);
    take_offer(synth, frame);
    if (synth->has_new_state)
        snapshot_write(&synth->state, synth->parts);
    synth->has_new_state = false;
}

RT void synth_latch(struct synth *synth, uint64_t frame)
{
    for (int i = 0; i < synth->set_count; i++)
        shard_set_latch(synth->sets[i], frame);
}

// ---- events ----

RT static void tell_all(struct synth *synth, const struct shard_command *command)
{
    for (int i = 0; i < synth->set_count; i++)
        shard_set_push(synth->sets[i], command);
}

RT void synth_note_on(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key,
                      uint8_t velocity)
{
    if (!synth->set_count)
        return;
    float cents = tuning_cents(&synth->tuning, part, &synth->parts[part], key);
    for (int i = 1; i < synth->set_count; i++)
        shard_set_note_off(synth->sets[i], part, key, frame);
    shard_set_note_on(synth->sets[0], part, &synth->parts[part], key, velocity, cents, frame);
    synth->parts[part].has_glide = false;
}

RT void synth_note_off(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key)
{
    for (int i = 0; i < synth->set_count; i++)
        shard_set_note_off(synth->sets[i], part, key, frame);
}

RT void synth_key_pressure(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key,
                           uint8_t pressure)
{
    tell_all(synth, &(struct shard_command){.frame = frame,
                                            .type = SHARD_KEY_PRESSURE,
                                            .part = part,
                                            .key = key,
                                            .value = pressure});
}

/// Sounding notes of a key go to where its tuning is now.
RT static void retune_key(struct synth *synth, uint64_t frame, uint8_t part, uint8_t key)
{
    float cents = tuning_cents(&synth->tuning, part, &synth->parts[part], key);
    tell_all(synth,
             &(struct shard_command){
                 .frame = frame, .type = SHARD_RETUNE, .part = part, .key = key, .cents = cents});
}

/// The same for the keys whose tuning is no longer what it was `before`.
RT static void retune_part(struct synth *synth, uint64_t frame, uint8_t part, const float *before)
{
    for (uint8_t key = 0; key < SHARD_KEYS; key++)
        if (tuning_cents(&synth->tuning, part, &synth->parts[part], key) != before[key])
            retune_key(synth, frame, part, key);
}

RT static void list_cents(const struct synth *synth, uint8_t part, float cents[SHARD_KEYS])
{
    for (unsigned key = 0; key < SHARD_KEYS; key++)
        cents[key] = tuning_cents(&synth->tuning, part, &synth->parts[part], key);
}

RT void synth_control(struct synth *synth, uint64_t frame, uint8_t part, uint8_t number,
                      uint8_t value)
{
    struct part *state = &synth->parts[part];
    uint8_t gen = 0;
    float before[SHARD_KEYS];
    bool is_data = number == CC_DATA_MSB || number == CC_DATA_LSB || number == CC_DATA_UP ||
                   number == CC_DATA_DOWN;
    if (is_data) // only data entry can choose another tuning
        list_cents(synth, part, before);
    enum part_effect effect = part_control(state, number, value, &gen);
    struct shard_command command = {.frame = frame, .part = part};
    synth->has_new_state = true;
    switch (effect) {
    case PART_EFFECT_NONE:
        return;
    case PART_EFFECT_CONTROL:
        command.type = SHARD_CONTROL;
        command.key = number;
        // Mode changes tell how many channels they are for; each of our parts is one.
        command.value = number > CC_NOTES_OFF ? 1 : value;
        break;
    case PART_EFFECT_BEND_RANGE:
        command.type = SHARD_BEND_RANGE;
        command.value = state->bend_range_semitones;
        break;
    case PART_EFFECT_GEN:
        command.type = SHARD_GEN;
        command.key = gen;
        command.cents = state->gen_offset[gen];
        break;
    case PART_EFFECT_TUNING:
        retune_part(synth, frame, part, before);
        return;
    }
    tell_all(synth, &command);
    if (number == CC_MODULATION && state->gen_offset[GEN_VIBRATO_DEPTH] != 0.0f) {
        command.type = SHARD_GEN;
        command.key = GEN_VIBRATO_DEPTH;
        command.cents = state->gen_offset[GEN_VIBRATO_DEPTH];
        tell_all(synth, &command);
    }
}

RT void synth_pressure(struct synth *synth, uint64_t frame, uint8_t part, uint8_t pressure)
{
    synth->parts[part].pressure = pressure;
    synth->has_new_state = true;
    tell_all(synth, &(struct shard_command){
                        .frame = frame, .type = SHARD_PRESSURE, .part = part, .value = pressure});
}

RT void synth_bend(struct synth *synth, uint64_t frame, uint8_t part, int16_t bend)
{
    synth->parts[part].bend = bend;
    synth->has_new_state = true;
    tell_all(synth, &(struct shard_command){.frame = frame,
                                            .type = SHARD_BEND,
                                            .part = part,
                                            .number = (uint32_t)(bend + 8192)});
}

RT void synth_program(struct synth *synth, uint64_t frame, uint8_t part, uint16_t bank,
                      uint8_t program, bool is_drums)
{
    struct part *state = &synth->parts[part];
    state->bank = bank;
    state->program = program;
    state->is_drums = is_drums;
    synth->has_new_state = true;
    // Old fonts only ring out: their programs no longer matter.
    if (synth->set_count)
        shard_set_program(synth->sets[0], part, state, frame);
}

RT void synth_reset(struct synth *synth, uint64_t frame)
{
    memset(&synth->tuning.key_cents, 0, sizeof synth->tuning.key_cents);
    memset(&synth->tuning.octave_cents, 0, sizeof synth->tuning.octave_cents);
    synth->tuning.message_cents = 0.0f;
    tell_all(synth, &(struct shard_command){.frame = frame, .type = SHARD_RESET});
    tell_all(synth, &(struct shard_command){// a reset would go back to the library's own
                                            .frame = frame,
                                            .type = SHARD_QUALITY,
                                            .value = synth->quality});
    for (uint8_t i = 0; i < SHARD_PARTS; i++) {
        part_reset(&synth->parts[i]);
        if (synth->set_count)
            memset(synth->sets[0]->holders[i], 0, sizeof synth->sets[0]->holders[i]);
    }
    synth->has_new_state = true;
}

RT void synth_sound_off(struct synth *synth, uint64_t frame, uint8_t part)
{
    tell_all(synth, &(struct shard_command){.frame = frame, .type = SHARD_SOUND_OFF, .part = part});
}

// ---- tuning ----

RT void synth_tune_key(struct synth *synth, uint64_t frame, uint8_t program, uint8_t key,
                       float semitones, bool is_realtime)
{
    tuning_set_key(&synth->tuning, program, key, semitones);
    for (uint8_t i = 0; i < SHARD_PARTS && is_realtime; i++) {
        const struct part *part = &synth->parts[i];
        if (part->has_tuning && part->tuning_program == program && !part->is_drums)
            retune_key(synth, frame, i, key);
    }
}

RT void synth_tune_octave(struct synth *synth, uint64_t frame, uint16_t parts, uint8_t first,
                          const int16_t cents_64[6], bool is_realtime)
{
    for (uint8_t i = 0; i < SHARD_PARTS; i++) {
        float before[SHARD_KEYS];
        if (!(parts >> i & 1))
            continue;
        list_cents(synth, i, before);
        for (unsigned k = 0; k < 6 && first + k < 12; k++)
            synth->tuning.octave_cents[i][first + k] = (float)cents_64[k] / 64.0f;
        if (is_realtime)
            retune_part(synth, frame, i, before);
    }
}

RT void synth_tune_master(struct synth *synth, uint64_t frame, float cents, bool is_message)
{
    float *value = is_message ? &synth->tuning.message_cents : &synth->tuning.master_cents;
    float change = cents - *value;
    *value = cents;
    for (uint8_t i = 0; i < SHARD_PARTS; i++)
        if (!synth->parts[i].is_drums)
            tell_all(synth, &(struct shard_command){
                                .frame = frame, .type = SHARD_SHIFT, .part = i, .cents = change});
}

RT void synth_quality(struct synth *synth, uint64_t frame, int quality)
{
    synth->quality = quality_method[quality & 3];
    tell_all(synth, &(struct shard_command){
                        .frame = frame, .type = SHARD_QUALITY, .value = synth->quality});
}

// ---- sound ----

RT static void render_job(void *context, uint32_t index)
{
    struct synth *synth = context;
    shard_render(synth->jobs[index], synth->start, synth->frames);
}

/// Adds a shard's parts to the mix; the first to have a part lends its own buffer for the sum.
RT static uint16_t add_shard(const struct shard *shard, uint32_t frames, uint16_t filled,
                             float *bus[16][2])
{
    for (unsigned part = 0; part < SHARD_PARTS; part++) {
        if (!(shard->bus_parts >> part & 1))
            continue;
        for (unsigned side = 0; side < 2; side++) {
            float *from = shard_bus(shard, part, side);
            if (!(filled >> part & 1)) {
                bus[part][side] = from;
                continue;
            }
            float *restrict to = bus[part][side];
            for (uint32_t i = 0; i < frames; i++)
                to[i] += from[i];
        }
    }
    return filled | shard->bus_parts;
}

RT uint16_t synth_render(struct synth *synth, uint64_t start, uint32_t frames, float *bus[16][2])
{
    uint32_t count = 0;
    uint16_t filled = 0;
    for (int i = 0; i < synth->set_count; i++)
        for (int k = 0; k < synth->sets[i]->count; k++)
            if (shard_has_work(synth->sets[i]->shards[k]))
                synth->jobs[count++] = synth->sets[i]->shards[k];
    synth->start = start;
    synth->frames = frames;
    crew_run(synth->crew, render_job, synth, count);
    // Always in the same order, whoever rendered what: the sum is the same to the last bit.
    for (uint32_t i = 0; i < count; i++)
        filled = add_shard(synth->jobs[i], frames, filled, bus);
    return filled;
}

RT const struct part *synth_part(const struct synth *synth, uint8_t part)
{
    return &synth->parts[part];
}

RT int synth_voices(const struct synth *synth)
{
    int voices = 0;
    for (int i = 0; i < synth->set_count; i++)
        voices += shard_set_voices(synth->sets[i]);
    return voices;
}

RT uint32_t synth_font_generation(const struct synth *synth) { return synth->generation; }

void synth_copy_state(struct synth *to, const struct synth *from)
{
    memcpy(to->parts, from->parts, sizeof to->parts);
    to->tuning = from->tuning;
    to->quality = from->quality;
    to->has_new_state = true;
    snapshot_write(&to->state, to->parts);
}
