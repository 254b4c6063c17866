#include "dsp/synth/shard.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/synth/font_inside.h"

enum { VOICES_MAX = 2048 };

/// Loudness of one voice in the mix: libfluidsynth's own unit. The limiter guards the sum.
static const double voice_gain = 0.4;

// ---- the font, as libfluidsynth sees it ----

static const char *sfont_name(fluid_sfont_t *sfont)
{
    const struct shard *shard = fluid_sfont_get_data(sfont);
    return font_path(shard->font);
}

RT static fluid_preset_t *sfont_preset(fluid_sfont_t *sfont, int bank, int program)
{
    const struct shard *shard = fluid_sfont_get_data(sfont);
    unsigned preset = font_find_preset(shard->font, (unsigned)bank, (unsigned)program, false);
    bool is_exact = (int)font_preset_bank(shard->font, preset) == bank &&
                    (int)font_preset_program(shard->font, preset) == program;
    return is_exact ? shard->presets[preset] : NULL;
}

static int sfont_free(fluid_sfont_t *sfont) { return delete_fluid_sfont(sfont); }

static unsigned preset_number(fluid_preset_t *preset)
{
    return (unsigned)(uintptr_t)fluid_preset_get_data(preset);
}

static const struct shard *preset_shard(fluid_preset_t *preset)
{
    return fluid_sfont_get_data(fluid_preset_get_sfont(preset));
}

static const char *preset_name(fluid_preset_t *preset)
{
    return font_preset_name(preset_shard(preset)->font, preset_number(preset));
}

static int preset_bank(fluid_preset_t *preset)
{
    return (int)font_preset_bank(preset_shard(preset)->font, preset_number(preset));
}

static int preset_program(fluid_preset_t *preset)
{
    return (int)font_preset_program(preset_shard(preset)->font, preset_number(preset));
}

RT static int preset_note_on(fluid_preset_t *preset, fluid_synth_t *synth, int channel, int key,
                             int velocity)
{
    const struct shard *shard = preset_shard(preset);
    layers_start(&shard->font->layers, preset_number(preset), synth, shard->samples, channel, key,
                 velocity, shard->detune_cents[channel][key]);
    return FLUID_OK;
}

static void preset_free(fluid_preset_t *preset) { delete_fluid_preset(preset); }

static int make_presets(struct shard *shard)
{
    unsigned count = font_preset_count(shard->font);
    shard->presets = calloc(count, sizeof *shard->presets);
    for (unsigned i = 0; i < count && shard->presets; i++) {
        shard->presets[i] = new_fluid_preset(shard->sfont, preset_name, preset_bank, preset_program,
                                             preset_note_on, preset_free);
        if (!shard->presets[i])
            return -ENOMEM;
        fluid_preset_set_data(shard->presets[i], (void *)(uintptr_t)i);
    }
    return shard->presets ? 0 : -ENOMEM;
}

static int add_font(struct shard *shard)
{
    shard->samples = samples_copy(&shard->font->samples);
    shard->sfont = new_fluid_sfont(sfont_name, sfont_preset, NULL, NULL, sfont_free);
    if (!shard->samples || !shard->sfont)
        return -ENOMEM;
    fluid_sfont_set_data(shard->sfont, shard);
    int status = make_presets(shard);
    if (!status && fluid_synth_add_sfont(shard->synth, shard->sfont) == FLUID_FAILED)
        status = -ENOMEM;
    return status;
}

// ---- creation ----

/// Once for the process. The library's messages would be written from the audio thread; what they
/// say is checked before. And its first synth fills tables that all share, while a second one made
/// meanwhile already believes them full: so the first is made here, alone.
static void prepare_library(void)
{
    for (int level = FLUID_PANIC; level < LAST_LOG_LEVEL; level++)
        fluid_set_log_function(level, NULL, NULL);
    fluid_settings_t *settings = new_fluid_settings();
    if (!settings)
        return;
    fluid_settings_setint(settings, "synth.polyphony", 1);
    delete_fluid_synth(new_fluid_synth(settings));
    delete_fluid_settings(settings);
}

static fluid_settings_t *make_settings(double sample_rate_hz, int polyphony)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare_library);
    fluid_settings_t *settings = new_fluid_settings();
    if (!settings)
        return NULL;
    fluid_settings_setint(settings, "synth.threadsafe-api", 0); // one thread at a time uses it
    fluid_settings_setint(settings, "synth.reverb.active", 0);
    fluid_settings_setint(settings, "synth.chorus.active", 0);
    fluid_settings_setint(settings, "synth.midi-channels", SHARD_PARTS);
    fluid_settings_setint(settings, "synth.audio-channels", SHARD_PARTS);
    fluid_settings_setint(settings, "synth.audio-groups", SHARD_PARTS);
    fluid_settings_setint(settings, "synth.polyphony", polyphony);
    fluid_settings_setnum(settings, "synth.sample-rate", sample_rate_hz);
    fluid_settings_setnum(settings, "synth.gain", voice_gain);
    return settings;
}

/// Each channel stands alone, so that controllers 124 to 127 act on their own part. Controllers
/// 91 and 93 drive sends of ours; within the library they have no ear.
RT static void set_channels(struct shard *shard)
{
    fluid_synth_reset_basic_channel(shard->synth, -1);
    for (int i = 0; i < SHARD_PARTS; i++)
        fluid_synth_set_basic_channel(shard->synth, i, FLUID_CHANNEL_MODE_OMNIOFF_POLY, 1);
}

struct shard *shard_create(const struct font *font, double sample_rate_hz, int polyphony,
                           uint32_t bus_frames)
{
    struct shard *shard = calloc(1, sizeof *shard);
    if (!shard)
        return NULL;
    shard->font = font;
    shard->is_idle = true;
    shard->bus_frames = bus_frames;
    shard->commands = calloc(SHARD_COMMANDS, sizeof *shard->commands);
    shard->bus = calloc((size_t)2 * SHARD_PARTS * bus_frames, sizeof *shard->bus);
    shard->settings = make_settings(sample_rate_hz, polyphony);
    if (shard->commands && shard->bus && shard->settings)
        shard->synth = new_fluid_synth(shard->settings);
    if (!shard->synth || add_font(shard)) {
        shard_destroy(shard);
        errno = ENOMEM;
        return NULL;
    }
    set_channels(shard);
    return shard;
}

void shard_destroy(struct shard *shard)
{
    if (!shard)
        return;
    if (shard->synth) {
        if (shard->sfont)
            fluid_synth_remove_sfont(shard->synth, shard->sfont);
        delete_fluid_synth(shard->synth);
    }
    unsigned count = shard->presets ? font_preset_count(shard->font) : 0;
    for (unsigned i = 0; i < count; i++)
        delete_fluid_preset(shard->presets[i]);
    if (shard->sfont)
        delete_fluid_sfont(shard->sfont);
    if (shard->settings)
        delete_fluid_settings(shard->settings);
    free(shard->presets);
    free(shard->samples);
    free(shard->commands);
    free(shard->bus);
    free(shard);
}

// ---- commands ----

/// Changes the pitch of the voices of a part that sound, of one key or of all.
RT static void shift(struct shard *shard, int part, int key, float cents)
{
    fluid_voice_t *voices[VOICES_MAX];
    if (!(shard->sounding_parts >> part & 1)) // one message may retune every key of every part
        return;
    fluid_synth_get_voicelist(shard->synth, voices, VOICES_MAX, -1);
    for (int i = 0; i < VOICES_MAX && voices[i]; i++) {
        bool is_key = key == SHARD_ALL || key == fluid_voice_get_key(voices[i]);
        if (part != fluid_voice_get_channel(voices[i]) || !is_key)
            continue;
        fluid_voice_gen_incr(voices[i], GEN_FINETUNE, cents);
        fluid_voice_update_param(voices[i], GEN_FINETUNE);
    }
}

RT static void retune(struct shard *shard, const struct shard_command *command)
{
    float *detune_cents = &shard->detune_cents[command->part][command->key];
    shift(shard, command->part, command->key, command->cents - *detune_cents);
    *detune_cents = command->cents;
}

RT static void shift_part(struct shard *shard, const struct shard_command *command)
{
    for (int key = 0; key < 128; key++)
        shard->detune_cents[command->part][key] += command->cents;
    shift(shard, command->part, SHARD_ALL, command->cents);
}

RT static void note_on(struct shard *shard, const struct shard_command *command)
{
    shard->detune_cents[command->part][command->key] = command->cents;
    fluid_synth_noteon(shard->synth, command->part, command->key, command->value);
    shard->sounding_parts |= (uint16_t)(1u << command->part);
}

RT static void apply(struct shard *shard, const struct shard_command *command)
{
    fluid_synth_t *synth = shard->synth;
    int part = command->part;
    switch (command->type) {
    case SHARD_NOTE_ON:
        note_on(shard, command);
        break;
    case SHARD_NOTE_OFF:
        fluid_synth_noteoff(synth, part, command->key);
        break;
    case SHARD_KEY_PRESSURE:
        fluid_synth_key_pressure(synth, part, command->key, command->value);
        break;
    case SHARD_CONTROL:
        fluid_synth_cc(synth, part, command->key, command->value);
        break;
    case SHARD_PRESET:
        fluid_synth_program_select(synth, part, fluid_sfont_get_id(shard->sfont),
                                   (int)font_preset_bank(shard->font, command->number),
                                   (int)font_preset_program(shard->font, command->number));
        break;
    case SHARD_KIND:
        fluid_synth_set_channel_type(synth, part,
                                     command->value ? CHANNEL_TYPE_DRUM : CHANNEL_TYPE_MELODIC);
        break;
    case SHARD_PRESSURE:
        fluid_synth_channel_pressure(synth, part, command->value);
        break;
    case SHARD_BEND:
        fluid_synth_pitch_bend(synth, part, (int)command->number);
        break;
    case SHARD_BEND_RANGE:
        fluid_synth_pitch_wheel_sens(synth, part, command->value);
        break;
    case SHARD_GEN:
        fluid_synth_set_gen(synth, part, command->key, command->cents);
        break;
    case SHARD_RETUNE:
        retune(shard, command);
        break;
    case SHARD_SHIFT:
        shift_part(shard, command);
        break;
    case SHARD_SOUND_OFF:
        fluid_synth_all_sounds_off(synth, part == SHARD_ALL ? -1 : part);
        break;
    case SHARD_RESET:
        fluid_synth_system_reset(synth);
        set_channels(shard);
        break;
    case SHARD_QUALITY:
        fluid_synth_set_interp_method(synth, -1, command->value);
        break;
    }
}

RT static const struct shard_command *oldest(const struct shard *shard)
{
    return shard->commands_read == shard->commands_written
               ? NULL
               : &shard->commands[shard->commands_read % SHARD_COMMANDS];
}

RT void shard_push(struct shard *shard, const struct shard_command *command)
{
    if (shard->commands_written - shard->commands_read == SHARD_COMMANDS) {
        apply(shard, oldest(shard));
        shard->commands_read++;
        shard->is_idle = false; // it may have been a note
    }
    shard->commands[shard->commands_written++ % SHARD_COMMANDS] = *command;
}

RT bool shard_has_work(const struct shard *shard) { return !shard->is_idle || oldest(shard); }

RT static void apply_until(struct shard *shard, uint64_t border)
{
    const struct shard_command *command;
    while ((command = oldest(shard)) && command->frame <= border) {
        apply(shard, command);
        shard->commands_read++;
    }
}

// ---- rendering ----

/// Which parts have voices, looked up only when some have ended since.
RT static void find_sounding_parts(struct shard *shard)
{
    fluid_voice_t *voices[VOICES_MAX];
    fluid_synth_get_voicelist(shard->synth, voices, VOICES_MAX, -1);
    shard->sounding_parts = 0;
    for (int i = 0; i < VOICES_MAX && voices[i]; i++)
        shard->sounding_parts |= (uint16_t)(1u << fluid_voice_get_channel(voices[i]));
}

RT static void render_block(struct shard *shard)
{
    float *out[2 * SHARD_PARTS] = {NULL}; // the library skips what is NULL
    for (unsigned part = 0; part < SHARD_PARTS; part++) {
        if (!(shard->sounding_parts >> part & 1))
            continue;
        out[2 * part] = shard->block[2 * part];
        out[2 * part + 1] = shard->block[2 * part + 1];
        memset(out[2 * part], 0, sizeof shard->block[0]);
        memset(out[2 * part + 1], 0, sizeof shard->block[0]);
    }
    fluid_synth_process(shard->synth, SHARD_BLOCK_FRAMES, 0, NULL, 2 * SHARD_PARTS, out);
    shard->block_parts = shard->sounding_parts;
    shard->left_frames = SHARD_BLOCK_FRAMES;
}

/// Brings the shard over a border at `frame`. Returns false when it is idle and has no command
/// there.
RT static bool cross_border(struct shard *shard, uint64_t frame)
{
    apply_until(shard, frame);
    int voices = fluid_synth_get_active_voice_count(shard->synth);
    if (voices < shard->voices)
        find_sounding_parts(shard);
    shard->voices = voices;
    shard->is_idle = voices == 0;
    if (!shard->is_idle)
        render_block(shard);
    return !shard->is_idle;
}

/// Copies `frames` of the current block to `offset` of the bus. A part that enters the bus late
/// was silent before; one that left the block is silent from there.
RT static void deliver(struct shard *shard, uint32_t offset, uint32_t frames)
{
    uint32_t from = SHARD_BLOCK_FRAMES - shard->left_frames;
    for (unsigned part = 0; part < SHARD_PARTS; part++) {
        bool is_in_block = shard->block_parts >> part & 1;
        bool is_in_bus = shard->bus_parts >> part & 1;
        if (!is_in_block && !is_in_bus)
            continue;
        for (unsigned side = 0; side < 2; side++) {
            float *to = shard_bus(shard, part, side);
            if (!is_in_bus)
                memset(to, 0, offset * sizeof *to);
            if (is_in_block)
                memcpy(to + offset, shard->block[2 * part + side] + from, frames * sizeof *to);
            else
                memset(to + offset, 0, frames * sizeof *to);
        }
        shard->bus_parts |= (uint16_t)(1u << part);
    }
    shard->left_frames -= frames;
}

/// Silence on the bus from `offset`, for parts that sounded before it.
RT static void deliver_silence(struct shard *shard, uint32_t offset, uint32_t frames)
{
    for (unsigned channel = 0; channel < 2 * SHARD_PARTS; channel++)
        if (shard->bus_parts >> channel / 2 & 1)
            memset(shard_bus(shard, channel / 2, channel % 2) + offset, 0, frames * sizeof(float));
}

/// Frames from `offset` to the next command or the end: how long an idle shard stays silent.
RT static uint32_t idle_frames(const struct shard *shard, uint64_t start, uint32_t offset,
                               uint32_t frames)
{
    const struct shard_command *next = oldest(shard);
    uint64_t now = start + offset, end = start + frames;
    uint64_t until = next && next->frame < end ? next->frame : end;
    return until > now ? (uint32_t)(until - now) : 0;
}

RT void shard_render(struct shard *shard, uint64_t start, uint32_t frames)
{
    uint32_t offset = 0;
    shard->bus_parts = 0;
    while (offset < frames) {
        if (!shard->left_frames && !cross_border(shard, start + offset)) {
            uint32_t silent = idle_frames(shard, start, offset, frames);
            deliver_silence(shard, offset, silent);
            offset += silent;
            continue;
        }
        uint32_t count = frames - offset;
        if (count > shard->left_frames)
            count = shard->left_frames;
        deliver(shard, offset, count);
        offset += count;
    }
}
