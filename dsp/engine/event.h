/// The one event: everything that can affect the sound, 32 bytes, stamped with an engine frame
/// and the source that caused it.
///
/// Plain data, copied by value. Producers push events into a ring of their own
/// (`engine_open_ring`); the audio thread merges the rings by frame.
#ifndef CONSORT_DSP_ENGINE_EVENT_H
#define CONSORT_DSP_ENGINE_EVENT_H

#include <assert.h>
#include <stdint.h>

enum {
    PARTS = 16,
    KEYS = 128,
    SOURCES_MAX = 64, ///< sources at one time; id 0 is the box itself
};

/// `frame` of an event that sounds as soon as possible.
#define EVENT_NOW 0

enum event_type {
    // Performance: `channel` is the MIDI channel 0..15; the router maps it to parts.
    EVENT_NOTE_OFF,         ///< .note
    EVENT_NOTE_ON,          ///< .note, velocity 1..127
    EVENT_KEY_PRESSURE,     ///< .note, velocity = pressure 0..127
    EVENT_CONTROL,          ///< .control, any MIDI controller 0..127
    EVENT_PROGRAM,          ///< .program
    EVENT_CHANNEL_PRESSURE, ///< .pressure 0..127
    EVENT_BEND,             ///< .bend -8192..8191
    // The same for one part, past the router's channel map (`channel` is the part 0..15).
    EVENT_PART_NOTE_OFF,
    EVENT_PART_NOTE_ON,
    EVENT_PART_KEY_PRESSURE,
    EVENT_PART_CONTROL,
    EVENT_PART_PROGRAM,
    EVENT_PART_CHANNEL_PRESSURE,
    EVENT_PART_BEND,
    // The whole box.
    EVENT_PARAM,         ///< .param: an engine parameter takes a value
    EVENT_RESET,         ///< .reset: GM, GM2, GS or XG system on
    EVENT_MASTER_VOLUME, ///< .master_volume 0..16383 (universal real-time system exclusive)
    EVENT_MASTER_TUNE,   ///< .cents -100..99.99: master fine tuning, added to the coarse
    EVENT_MASTER_COARSE, ///< .cents -6400..6300, whole semitones: master coarse tuning
    EVENT_DRUM_PART,     ///< .drum: GS "use for rhythm part"
    EVENT_TUNE_KEY,      ///< .tune_key: one key of a tuning program (MIDI Tuning Standard)
    EVENT_TUNE_SCALE,    ///< .tune_scale: six of the twelve notes of the octave, for some parts
    EVENT_SENSING,       ///< active sensing: the source promises a message every 300 ms
    EVENT_RELEASE,       ///< this source is gone: its notes and pedals end, nobody else's
    EVENT_PANIC,         ///< every note of every source ends at once
    EVENT_TYPES
};

enum reset_mode { RESET_GM, RESET_GM2, RESET_GS, RESET_XG, RESET_GM_OFF };

struct event {
    uint64_t frame;  ///< engine frame at which it takes effect; EVENT_NOW, or past: at once
    uint16_t source; ///< who caused it, 0..SOURCES_MAX-1
    uint8_t type;    ///< enum event_type
    uint8_t channel; ///< MIDI channel or part, 0..15
    uint32_t order;  ///< set by the merge: keeps events of one frame in order of arrival
    union {
        struct {
            uint8_t key, velocity;
        } note;
        struct {
            uint8_t number, value;
        } control;
        struct {
            uint8_t program;
        } program;
        uint8_t pressure;
        int16_t bend;
        struct {
            uint16_t index; ///< flat parameter index (config/param.h)
            float value;    ///< native value
        } param;
        struct {
            uint8_t mode; ///< enum reset_mode
        } reset;
        uint16_t master_volume;
        float cents;
        struct {
            uint8_t mode; ///< 0 melodic, 1 or more drums
        } drum;
        struct {
            uint8_t program, key;
            uint8_t is_realtime; ///< sounding notes follow
            uint8_t bank;        ///< of the tuning program, 0..127
            float semitones;     ///< equal-tempered pitch of the key, 0..127.99
        } tune_key;
        struct {
            uint16_t parts; ///< bit per MIDI channel
            uint8_t first;  ///< first of six notes: 0 = C..F, 6 = F sharp..B
            uint8_t is_realtime;
            int16_t cents_64[6]; ///< 1/64 cent, -6400..6399
        } tune_scale;
        uint8_t bytes[16];
    };
};

static_assert(sizeof(struct event) == 32, "an event is 32 bytes");

#endif
