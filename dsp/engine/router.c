#include "dsp/engine/router.h"

#include <math.h>

enum bank_mode { BANKS_GM, BANKS_GS, BANKS_XG, BANKS_MMA };

enum { ALL_PARTS = 255, DRUM_PART = 9 };

/// The standard promises a message every 300 ms; keyboards and USB stacks are not that punctual.
static const double sensing_seconds = 0.45;

void router_init(struct router *router, struct synth *synth, struct strings *strings, float *value,
                 double rate_hz)
{
    router->synth = synth;
    router->strings = strings;
    router->value = value;
    router->sensing_frames = (uint64_t)llrint(rate_hz * sensing_seconds);
    router->master_volume = 1.0f;
    router->last_source = SOURCES_MAX;
}

RT static int setting(const struct router *router, unsigned index, unsigned part)
{
    return (int)router->value[index + part];
}

RT static bool plays_drums(const struct router *router, unsigned part)
{
    int kind = setting(router, PARAM_CH_KIND, part); // auto, melodic, drums
    return kind == 0 ? part == DRUM_PART || router->is_rhythm[part] : kind == 2;
}

RT static bool listens(const struct router *router, unsigned part, unsigned channel)
{
    return setting(router, PARAM_CH_CHANNEL, part) == (int)channel + 1;
}

// ---- notes ----

RT static int transposed(const struct router *router, unsigned part, int key)
{
    if (plays_drums(router, part))
        return key;
    return key + setting(router, PARAM_CH_TRANSPOSE, part) +
           (int)router->value[PARAM_MASTER_TRANSPOSE];
}

/// Exponents 0.5 (a light touch is loud) to 2 (a heavy touch is asked for).
RT static uint8_t curved(const struct router *router, unsigned part, uint8_t velocity)
{
    float curve = router->value[PARAM_CH_CURVE + part];
    if (curve == 0.0f)
        return velocity;
    long curved = lrintf(127.0f * powf((float)velocity / 127.0f, exp2f(curve)));
    return curved < 1 ? 1 : (uint8_t)curved;
}

/// General MIDI's pianos are programs 0 to 7.
RT static bool plays_piano(const struct router *router, unsigned part)
{
    return synth_part(router->synth, (uint8_t)part)->program < 8 && !plays_drums(router, part);
}

/// Tells the strings of a key that goes down or up; of an up only if they know of its down.
RT static void tell_strings(struct router *router, uint64_t frame, uint8_t part, uint8_t key,
                            bool is_down)
{
    bool rings = is_down && plays_piano(router, part);
    if (rings != router->rings[part][key])
        strings_move_key(router->strings, frame, key, rings);
    router->rings[part][key] = rings;
}

/// The pedal as the strings feel it: of all pianos the one pressed most.
RT static void tell_pedal(struct router *router, uint64_t frame)
{
    uint8_t most = 0;
    for (unsigned part = 0; part < PARTS; part++) {
        uint8_t pedal = synth_part(router->synth, (uint8_t)part)->control[CC_SUSTAIN];
        if (plays_piano(router, part) && pedal > most)
            most = pedal;
    }
    strings_move_pedal(router->strings, frame, most);
}

RT static void strike(struct router *router, const struct event *event, uint64_t frame,
                      uint8_t part, uint8_t key, uint16_t origin)
{
    ownership_hold(&router->ownership, event->source, part, key, origin);
    synth_note_on(router->synth, frame, part, key, curved(router, part, event->note.velocity));
    tell_strings(router, frame, part, key, true);
    router->last_source = event->source;
}

RT static void let_go(struct router *router, unsigned source, uint64_t frame, uint8_t part,
                      uint8_t key)
{
    if (!ownership_let_go(&router->ownership, source, part, key))
        return;
    synth_note_off(router->synth, frame, part, key);
    tell_strings(router, frame, part, key, false);
}

/// Forgets what is held of a part, or of all (PARTS).
RT static void forget(struct router *router, uint64_t frame, unsigned part)
{
    ownership_forget(&router->ownership, part);
    for (uint8_t i = 0; i < PARTS; i++)
        for (int key = 0; key < KEYS && (part == PARTS || part == i); key++)
            if (router->rings[i][key])
                tell_strings(router, frame, i, (uint8_t)key, false);
}

RT static void note_on(struct router *router, const struct event *event, uint64_t frame)
{
    for (uint8_t part = 0; part < PARTS; part++) {
        bool is_in_split = event->note.key >= setting(router, PARAM_CH_KEY_LOW, part) &&
                           event->note.key <= setting(router, PARAM_CH_KEY_HIGH, part);
        if (!listens(router, part, event->channel) || !is_in_split)
            continue;
        int key = transposed(router, part, event->note.key);
        if (key >= 0 && key < KEYS)
            strike(router, event, frame, part, (uint8_t)key,
                   (uint16_t)(event->channel * KEYS + event->note.key));
    }
}

/// A note ends where it began, though splits and transposition may have changed since.
RT static void note_off(struct router *router, const struct event *event, uint64_t frame)
{
    uint16_t origin = (uint16_t)(event->channel * KEYS + event->note.key);
    for (uint8_t part = 0; part < PARTS; part++) {
        int key = -1;
        while ((key = ownership_next(&router->ownership, event->source, part, (unsigned)key + 1)) >=
               0) {
            if (router->ownership.origin[event->source][part][key] == origin)
                let_go(router, event->source, frame, part, (uint8_t)key);
        }
    }
}

RT static void release_keys(struct router *router, unsigned source, uint64_t frame, uint8_t part)
{
    int key;
    while ((key = ownership_next(&router->ownership, source, part, 0)) >= 0)
        let_go(router, source, frame, part, (uint8_t)key);
}

/// Key by key, though the library could end them at once: in mono it would later go back to keys
/// that it believes held.
RT static void release_all_keys(struct router *router, uint64_t frame, uint8_t part)
{
    for (unsigned source = 0; source < SOURCES_MAX; source++)
        release_keys(router, source, frame, part);
}

// ---- controllers ----

/// Parameters that are the value of a controller.
static const struct {
    unsigned index;
    uint8_t number;
} mirrored[] = {{PARAM_CH_VOLUME, CC_VOLUME},         {PARAM_CH_PAN, CC_PAN},
                {PARAM_CH_EXPRESSION, CC_EXPRESSION}, {PARAM_CH_REVERB, CC_REVERB},
                {PARAM_CH_CHORUS, CC_CHORUS},         {PARAM_CH_DELAY, CC_DELAY}};

enum { MIRRORED = sizeof mirrored / sizeof *mirrored };

/// Keeps the parameters that MIDI can change up to date.
RT static void mirror(struct router *router, uint8_t part)
{
    const struct part *state = synth_part(router->synth, part);
    for (unsigned i = 0; i < MIRRORED; i++)
        router->value[mirrored[i].index + part] = state->control[mirrored[i].number];
    router->value[PARAM_CH_PROGRAM + part] = state->program;
    router->value[PARAM_CH_BANK + part] = state->bank;
}

static const uint8_t pedal_number[PEDALS] = {
    [PEDAL_SUSTAIN] = CC_SUSTAIN, [PEDAL_SOSTENUTO] = CC_SOSTENUTO, [PEDAL_SOFT] = CC_SOFT};

RT static int pedal_of(uint8_t number)
{
    for (int i = 0; i < PEDALS; i++)
        if (pedal_number[i] == number)
            return i;
    return -1;
}

/// After a source's controller 121, which lifts the part's pedals: those of other sources stay.
RT static void lift_pedals(struct router *router, unsigned source, uint64_t frame, uint8_t part)
{
    for (int i = 0; i < PEDALS; i++) {
        uint8_t most =
            ownership_press(&router->ownership, source, part, (enum ownership_pedal)i, 0);
        if (most)
            synth_control(router->synth, frame, part, pedal_number[i], most);
    }
}

RT static void set_control(struct router *router, unsigned source, uint64_t frame, uint8_t part,
                           uint8_t number, uint8_t value)
{
    int pedal = pedal_of(number);
    if (pedal >= 0)
        value =
            ownership_press(&router->ownership, source, part, (enum ownership_pedal)pedal, value);
    if (number == CC_SOUND_OFF) {
        release_all_keys(router, frame, part);
        synth_sound_off(router->synth, frame, part);
        return;
    }
    if (number == CC_NOTES_OFF)
        release_keys(router, source, frame, part);
    if (number > CC_NOTES_OFF) // a change of mode ends the notes of all
        release_all_keys(router, frame, part);
    if (number != CC_NOTES_OFF)
        synth_control(router->synth, frame, part, number, value);
    if (number == CC_RESET)
        lift_pedals(router, source, frame, part);
    if (number == CC_SUSTAIN || number == CC_RESET)
        tell_pedal(router, frame);
    mirror(router, part);
}

/// The SoundFont bank that the part's bank select means, and whether it asks for drums.
RT static uint16_t selected_bank(const struct router *router, uint8_t part, bool *is_rhythm)
{
    const struct part *state = synth_part(router->synth, part);
    uint8_t msb = state->control[CC_BANK_MSB], lsb = state->control[CC_BANK_LSB];
    *is_rhythm = router->is_rhythm[part];
    switch ((enum bank_mode)router->value[PARAM_SYNTH_BANKS]) {
    case BANKS_GM:
        return 0;
    case BANKS_GS:
        return msb;
    case BANKS_XG:
        *is_rhythm = msb >= 126;
        return lsb;
    case BANKS_MMA: // General MIDI 2: 120 is rhythm, 121 the variations of melodic sounds
        *is_rhythm = msb == 120 || (msb != 121 && router->is_rhythm[part]);
        return (uint16_t)(msb == 121 ? lsb : msb * 128 + lsb);
    }
    return 0;
}

RT static void select_program(struct router *router, uint64_t frame, uint8_t part, uint8_t program)
{
    uint16_t bank = selected_bank(router, part, &router->is_rhythm[part]);
    synth_program(router->synth, frame, part, bank, program, plays_drums(router, part));
    tell_pedal(router, frame); // the part may have become a piano, or ceased to be one
    mirror(router, part);
}

// ---- the whole box ----

RT static void refresh_program(struct router *router, uint64_t frame, uint8_t part)
{
    synth_program(router->synth, frame, part, (uint16_t)setting(router, PARAM_CH_BANK, part),
                  (uint8_t)setting(router, PARAM_CH_PROGRAM, part), plays_drums(router, part));
    tell_pedal(router, frame);
}

RT static void reset(struct router *router, uint64_t frame, uint8_t mode)
{
    static const float banks[] = {[RESET_GM] = BANKS_GM,
                                  [RESET_GM2] = BANKS_MMA,
                                  [RESET_GS] = BANKS_GS,
                                  [RESET_XG] = BANKS_XG,
                                  [RESET_GM_OFF] = BANKS_GS};
    router->value[PARAM_SYNTH_BANKS] = banks[mode];
    router->master_volume = 1.0f;
    router->fine_cents = router->coarse_cents = 0.0f;
    forget(router, frame, PARTS);
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        for (unsigned part = 0; part < PARTS; part++)
            for (int pedal = 0; pedal < PEDALS; pedal++)
                router->ownership.pedal[i][part][pedal] = 0;
    synth_reset(router->synth, frame);
    for (uint8_t part = 0; part < PARTS; part++) {
        router->is_rhythm[part] = false;
        synth_program(router->synth, frame, part, 0, 0, plays_drums(router, part));
        mirror(router, part);
    }
    tell_pedal(router, frame);
}

RT static void set_rhythm(struct router *router, uint64_t frame, uint8_t part, bool is_rhythm)
{
    router->is_rhythm[part] = is_rhythm;
    synth_program(router->synth, frame, part, 0, 0, plays_drums(router, part));
    tell_pedal(router, frame);
    mirror(router, part);
}

/// All that a source holds ends, and nothing of any other source.
RT static void release(struct router *router, unsigned source, uint64_t frame)
{
    router->is_sensing &= ~(UINT64_C(1) << source);
    for (uint8_t part = 0; part < PARTS; part++) {
        release_keys(router, source, frame, part);
        for (int pedal = 0; pedal < PEDALS; pedal++)
            if (router->ownership.pedal[source][part][pedal])
                set_control(router, source, frame, part, pedal_number[pedal], 0);
    }
}

RT static void panic(struct router *router, uint64_t frame)
{
    for (unsigned i = 0; i < SOURCES_MAX; i++)
        release(router, i, frame);
    forget(router, frame, PARTS);
    for (uint8_t part = 0; part < PARTS; part++)
        if (synth_part(router->synth, part)->bend)
            synth_bend(router->synth, frame, part, 0);
    synth_sound_off(router->synth, frame, ALL_PARTS);
}

// ---- dispatch ----

/// An event for one part, whether it came by a channel or by name.
RT static void run_part(struct router *router, const struct event *event, uint64_t frame,
                        enum event_type type, uint8_t part)
{
    struct synth *synth = router->synth;
    switch (type) {
    case EVENT_KEY_PRESSURE: {
        int key = event->type == EVENT_KEY_PRESSURE ? transposed(router, part, event->note.key)
                                                    : event->note.key;
        if (key >= 0 && key < KEYS)
            synth_key_pressure(synth, frame, part, (uint8_t)key, event->note.velocity);
        break;
    }
    case EVENT_CONTROL:
        set_control(router, event->source, frame, part, event->control.number,
                    event->control.value);
        break;
    case EVENT_PROGRAM:
        select_program(router, frame, part, event->program.program);
        break;
    case EVENT_CHANNEL_PRESSURE:
        synth_pressure(synth, frame, part, event->pressure);
        break;
    case EVENT_BEND:
        synth_bend(synth, frame, part, event->bend);
        break;
    default:
        break;
    }
}

RT static void run_channel(struct router *router, const struct event *event, uint64_t frame)
{
    if (event->type == EVENT_NOTE_ON) {
        note_on(router, event, frame);
    } else if (event->type == EVENT_NOTE_OFF) {
        note_off(router, event, frame);
    } else {
        for (uint8_t part = 0; part < PARTS; part++)
            if (listens(router, part, event->channel))
                run_part(router, event, frame, event->type, part);
    }
}

RT static void run_by_part(struct router *router, const struct event *event, uint64_t frame)
{
    uint8_t part = event->channel;
    if (event->type == EVENT_PART_NOTE_ON)
        strike(router, event, frame, part, event->note.key, ORIGIN_PART);
    else if (event->type == EVENT_PART_NOTE_OFF)
        let_go(router, event->source, frame, part, event->note.key);
    else
        run_part(router, event, frame,
                 (enum event_type)(event->type - EVENT_PART_NOTE_OFF + EVENT_NOTE_OFF), part);
}

RT static void run_box(struct router *router, const struct event *event, uint64_t frame)
{
    struct synth *synth = router->synth;
    switch (event->type) {
    case EVENT_RESET:
        reset(router, frame, event->reset.mode);
        break;
    case EVENT_MASTER_VOLUME: // the loudness law of controller 7
        router->master_volume = (float)event->master_volume / 16383.0f;
        router->master_volume *= router->master_volume;
        break;
    case EVENT_MASTER_TUNE:
        router->fine_cents = event->cents;
        synth_tune_master(synth, frame, router->fine_cents + router->coarse_cents, true);
        break;
    case EVENT_MASTER_COARSE:
        router->coarse_cents = event->cents;
        synth_tune_master(synth, frame, router->fine_cents + router->coarse_cents, true);
        break;
    case EVENT_DRUM_PART:
        set_rhythm(router, frame, event->channel, event->drum.mode > 0);
        break;
    case EVENT_TUNE_KEY:
        if (event->tune_key.bank == 0) // there is one bank
            synth_tune_key(synth, frame, event->tune_key.program, event->tune_key.key,
                           event->tune_key.semitones, event->tune_key.is_realtime);
        break;
    case EVENT_TUNE_SCALE:
        synth_tune_octave(synth, frame, event->tune_scale.parts, event->tune_scale.first,
                          event->tune_scale.cents_64, event->tune_scale.is_realtime);
        break;
    case EVENT_SENSING:
        router->is_sensing |= UINT64_C(1) << event->source;
        break;
    case EVENT_RELEASE:
        release(router, event->source, frame);
        break;
    case EVENT_PANIC:
        panic(router, frame);
        break;
    default:
        break;
    }
}

/// Whether what the event says is within the ranges of event.h. Those who make events check what
/// comes from outside; a slip of theirs must cost an event, not the box.
RT static bool is_sane(const struct event *event)
{
    switch (event->type) {
    case EVENT_NOTE_ON:
    case EVENT_PART_NOTE_ON:
        return event->note.key < KEYS && event->note.velocity > 0 && event->note.velocity < 128;
    case EVENT_NOTE_OFF:
    case EVENT_PART_NOTE_OFF:
    case EVENT_KEY_PRESSURE:
    case EVENT_PART_KEY_PRESSURE:
        return event->note.key < KEYS && event->note.velocity < 128;
    case EVENT_CONTROL:
    case EVENT_PART_CONTROL:
        return event->control.number < 128 && event->control.value < 128;
    case EVENT_PROGRAM:
    case EVENT_PART_PROGRAM:
        return event->program.program < 128;
    case EVENT_CHANNEL_PRESSURE:
    case EVENT_PART_CHANNEL_PRESSURE:
        return event->pressure < 128;
    case EVENT_BEND:
    case EVENT_PART_BEND:
        return event->bend >= -8192 && event->bend <= 8191;
    case EVENT_RESET:
        return event->reset.mode <= RESET_GM_OFF;
    case EVENT_MASTER_VOLUME:
        return event->master_volume < 16384;
    case EVENT_MASTER_TUNE:
    case EVENT_MASTER_COARSE:
        return fabsf(event->cents) <= 6400.0f;
    case EVENT_TUNE_KEY:
        return event->tune_key.program < 128 && event->tune_key.key < KEYS &&
               event->tune_key.semitones >= 0.0f && event->tune_key.semitones <= 128.0f;
    default:
        return true; // bits and modes: every value means something
    }
}

RT void router_run(struct router *router, const struct event *event, uint64_t frame)
{
    if (!is_sane(event))
        return;
    router->heard[event->source] = frame;
    if (event->type < EVENT_PART_NOTE_OFF)
        run_channel(router, event, frame);
    else if (event->type < EVENT_PARAM)
        run_by_part(router, event, frame);
    else
        run_box(router, event, frame);
}

RT void router_set(struct router *router, unsigned index, uint64_t frame)
{
    for (unsigned i = 0; i < MIRRORED; i++) {
        unsigned part = index - mirrored[i].index;
        if (part < PARTS)
            synth_control(router->synth, frame, (uint8_t)part, mirrored[i].number,
                          (uint8_t)router->value[index]);
    }
    if (index - PARAM_CH_PROGRAM < PARTS || index - PARAM_CH_BANK < PARTS ||
        index - PARAM_CH_KIND < PARTS)
        refresh_program(router, frame, (uint8_t)(index - param_row(index)->index));
    if (index == PARAM_SYNTH_QUALITY)
        synth_quality(router->synth, frame, (int)router->value[index]);
    if (index == PARAM_MASTER_TUNE)
        synth_tune_master(router->synth, frame, router->value[index], false);
}

RT uint64_t router_deadline(const struct router *router)
{
    uint64_t deadline = UINT64_MAX, sensing = router->is_sensing;
    for (; sensing; sensing &= sensing - 1) {
        uint64_t heard = router->heard[__builtin_ctzll(sensing)];
        if (heard + router->sensing_frames < deadline)
            deadline = heard + router->sensing_frames;
    }
    return deadline;
}

RT void router_watch(struct router *router, uint64_t frame)
{
    uint64_t sensing = router->is_sensing;
    for (; sensing; sensing &= sensing - 1) {
        unsigned source = (unsigned)__builtin_ctzll(sensing);
        if (frame >= router->heard[source] + router->sensing_frames)
            release(router, source, frame);
    }
}

RT bool router_starts_notes(const struct event *event)
{
    return event->type == EVENT_NOTE_ON || event->type == EVENT_PART_NOTE_ON;
}

RT uint16_t router_piano_parts(const struct router *router)
{
    uint16_t parts = 0;
    for (unsigned part = 0; part < PARTS; part++)
        parts |= (uint16_t)(plays_piano(router, part) << part);
    return parts;
}
