/// One libfluidsynth instance with a block phase of its own.
///
/// libfluidsynth renders blocks of 64 frames and takes events in at their borders only. While a
/// shard is idle (no voice sounds) its next border is wherever its next note wants it, so that note
/// starts exactly on its frame. Commands carry the frame from which they count; the shard takes
/// each in at its first border there or later, in order.
///
/// Owner: the synth. Thread: `shard_push` the audio thread between runs; `shard_render` whichever
/// thread of the crew has claimed the shard; create and destroy the loader.
#ifndef CONSORT_DSP_SYNTH_SHARD_H
#define CONSORT_DSP_SYNTH_SHARD_H

#include <fluidsynth.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"
#include "dsp/synth/font.h"

enum {
    SHARD_BLOCK_FRAMES = 64, ///< libfluidsynth's FLUID_BUFSIZE
    SHARD_PARTS = 16,
    SHARD_COMMANDS = 2048,
    SHARD_ALL = 255, ///< `part` or `key` of a command that is meant for every one
};

enum shard_command_type {
    SHARD_NOTE_ON,      ///< key, value = velocity, cents = detune
    SHARD_NOTE_OFF,     ///< key
    SHARD_KEY_PRESSURE, ///< key, value
    SHARD_CONTROL,      ///< key = number, value
    SHARD_PRESET,       ///< number = preset of the font
    SHARD_KIND,         ///< value = drums or not
    SHARD_PRESSURE,     ///< value
    SHARD_BEND,         ///< number = 0..16383, 8192 in the middle
    SHARD_BEND_RANGE,   ///< value, semitones
    SHARD_GEN,          ///< key = generator, cents = offset in its unit
    SHARD_RETUNE,       ///< key, cents = detune that its sounding voices shall have
    SHARD_SHIFT,        ///< cents = change of the detune of all sounding voices of the part
    SHARD_SOUND_OFF,    ///< part (or SHARD_ALL): all voices end at once
    SHARD_RESET,        ///< power-on state
    SHARD_QUALITY,      ///< value = libfluidsynth's interpolation method
};

struct shard_command {
    uint64_t frame;
    uint8_t type; ///< enum shard_command_type
    uint8_t part; ///< 0..15, or SHARD_ALL where said
    uint8_t key, value;
    union {
        float cents;
        uint32_t number;
    };
};

struct shard {
    fluid_synth_t *synth;
    fluid_settings_t *settings;
    fluid_sfont_t *sfont;
    fluid_preset_t **presets;
    unsigned char *samples; ///< its own sample objects, over the font's shared sound
    const struct font *font;
    float detune_cents[SHARD_PARTS][128]; ///< of each key's last note

    struct shard_command *commands; ///< a ring of SHARD_COMMANDS
    uint32_t commands_written, commands_read;

    bool is_idle;            ///< no voice sounds; the next border is anywhere
    uint32_t left_frames;    ///< of the current block, not delivered yet
    uint16_t block_parts;    ///< parts that the current block has sound for
    uint16_t sounding_parts; ///< parts that may have voices
    int voices;
    float block[2 * SHARD_PARTS][SHARD_BLOCK_FRAMES];

    float *bus; ///< [2 * SHARD_PARTS][bus_frames]: what the last render delivered
    uint32_t bus_frames;
    uint16_t bus_parts; ///< parts of `bus` that are filled
};

/// Silent, idle, on the font's first preset. Renders up to `bus_frames` at once. Returns NULL with
/// errno.
struct shard *shard_create(const struct font *font, double sample_rate_hz, int polyphony,
                           uint32_t bus_frames);
void shard_destroy(struct shard *shard);

/// Appends a command. A full ring takes its oldest in at once: early, never lost. RT safe.
RT void shard_push(struct shard *shard, const struct shard_command *command);

/// Whether a render would have anything to do.
RT bool shard_has_work(const struct shard *shard);

/// Renders [start, start + frames) to `bus`. RT safe.
RT void shard_render(struct shard *shard, uint64_t start, uint32_t frames);

/// Left (side 0) or right (1) channel of a part in `bus`.
RT static inline float *shard_bus(const struct shard *shard, unsigned part, unsigned side)
{
    return shard->bus + (size_t)(2 * part + side) * shard->bus_frames;
}

#endif
