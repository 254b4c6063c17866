/// Sequencer events of ALSA into whole MIDI messages, system exclusive joined from its pieces.
///
/// Owner: the sequencer reader. Thread: one.
#ifndef CONSORT_BOARD_ALSA_DECODE_H
#define CONSORT_BOARD_ALSA_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snd_seq_event;
struct alsa_decoder;

enum { SYSEX_BYTES_MAX = 4096 };

/// What has come so far of the system exclusive message of one source. All zero: nothing.
struct sysex_buffer {
    size_t count;
    bool is_overlong; ///< the rest is skipped, up to its end
    uint8_t bytes[SYSEX_BYTES_MAX];
};

/// Takes one whole message, status byte first.
typedef void alsa_message(void *data, const uint8_t *bytes, size_t count);

/// Returns NULL with errno ENOMEM.
struct alsa_decoder *alsa_decoder_create(void);
void alsa_decoder_destroy(struct alsa_decoder *decoder);

/// Hands on the messages that `event` completes: none for a piece of a longer one and for events
/// that are no MIDI, four for a 14-bit (N)RPN. Returns 0, or -EBADMSG when it broke off a system
/// exclusive message or made one longer than SYSEX_BYTES_MAX, which is dropped.
int alsa_decode(struct alsa_decoder *decoder, struct sysex_buffer *sysex,
                const struct snd_seq_event *event, alsa_message *message, void *data);

#endif
