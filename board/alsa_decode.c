#include "board/alsa_decode.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdlib.h>

#include "dsp/engine/midi.h"

enum { CODER_BYTES = 64, SYSEX_BEGIN = 0xF0, SYSEX_END = 0xF7, REAL_TIME = 0xF8 };

struct alsa_decoder {
    snd_midi_event_t *coder;
};

struct alsa_decoder *alsa_decoder_create(void)
{
    struct alsa_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder)
        return NULL;
    if (snd_midi_event_new(CODER_BYTES, &decoder->coder) != 0) {
        free(decoder);
        errno = ENOMEM;
        return NULL;
    }
    snd_midi_event_no_status(decoder->coder, 1); // every message whole, no running status
    return decoder;
}

void alsa_decoder_destroy(struct alsa_decoder *decoder)
{
    if (!decoder)
        return;
    snd_midi_event_free(decoder->coder);
    free(decoder);
}

static void begin(struct sysex_buffer *sysex)
{
    sysex->count = 0;
    sysex->is_overlong = false;
}

static int add_byte(struct sysex_buffer *sysex, uint8_t byte)
{
    if (sysex->is_overlong)
        return 0;
    if (sysex->count == SYSEX_BYTES_MAX) {
        sysex->is_overlong = true;
        return -EBADMSG;
    }
    sysex->bytes[sysex->count++] = byte;
    return 0;
}

static int end(struct sysex_buffer *sysex, alsa_message *message, void *data)
{
    int code = add_byte(sysex, SYSEX_END);
    if (code == 0 && !sysex->is_overlong)
        message(data, sysex->bytes, sysex->count);
    begin(sysex);
    return code;
}

/// One byte of the stream of a source. Anything but data ends a message that is under way.
static int join_byte(struct sysex_buffer *sysex, uint8_t byte, alsa_message *message, void *data)
{
    bool is_open = sysex->count > 0;
    if (byte >= REAL_TIME)
        return 0;
    if (byte < 0x80)
        return is_open ? add_byte(sysex, byte) : -EBADMSG;
    if (byte == SYSEX_END)
        return is_open ? end(sysex, message, data) : -EBADMSG;
    begin(sysex);
    if (byte == SYSEX_BEGIN)
        add_byte(sysex, byte);
    return is_open || byte != SYSEX_BEGIN ? -EBADMSG : 0;
}

static int join(struct sysex_buffer *sysex, const snd_seq_event_t *event, alsa_message *message,
                void *data)
{
    const uint8_t *bytes = event->data.ext.ptr;
    int worst = 0;
    for (unsigned i = 0; i < event->data.ext.len; i++) {
        int code = join_byte(sysex, bytes[i], message, data);
        worst = code != 0 ? code : worst;
    }
    return worst;
}

/// The library strings the messages of a 14-bit controller together.
static void split(const uint8_t *bytes, size_t count, alsa_message *message, void *data)
{
    while (count > 0) {
        bool is_channel = bytes[0] >= 0x80 && bytes[0] < 0xF0;
        size_t length = is_channel ? midi_channel_message_bytes(bytes[0]) : count;
        length = length < count ? length : count;
        message(data, bytes, length);
        bytes += length;
        count -= length;
    }
}

int alsa_decode(struct alsa_decoder *decoder, struct sysex_buffer *sysex,
                const struct snd_seq_event *event, alsa_message *message, void *data)
{
    uint8_t bytes[CODER_BYTES];
    if (event->type == SND_SEQ_EVENT_SYSEX)
        return join(sysex, event, message, data);
    long count = snd_midi_event_decode(decoder->coder, bytes, sizeof bytes, event);
    if (count > 0)
        split(bytes, (size_t)count, message, data);
    return 0;
}
