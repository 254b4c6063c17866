/// The sound cards of this machine that have an output, by name, as ALSA lists them.
///
/// Thread: any but the audio thread; takes milliseconds.
#ifndef CONSORT_BOARD_ALSA_CARDS_H
#define CONSORT_BOARD_ALSA_CARDS_H

#include <stdbool.h>
#include <stddef.h>

enum { CARDS_MAX = 32, CARD_NAME_BYTES = 32 };

struct card {
    char name[CARD_NAME_BYTES]; ///< ALSA's short id: "hw:NAME" opens it
    char title[80];             ///< for people: "Focusrite Scarlett 2i2"
    int rank;                   ///< smaller is preferred: USB, built in, HDMI, virtual
};

/// Fills in at most `most` cards with an output, the preferred ones first. Returns their number,
/// 0 when there is none or the kernel has no sound.
int alsa_cards_list(struct card *cards, int most);

#endif
