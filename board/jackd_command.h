/// The command line that starts jackd.
///
/// Owner: the supervisor. Thread: any but the audio thread.
#ifndef CONSORT_BOARD_JACKD_COMMAND_H
#define CONSORT_BOARD_JACKD_COMMAND_H

#include <stdbool.h>

#include "board/alsa_cards.h"
#include "board/jackd.h"

struct jackd_command {
    const char *arguments[24]; ///< ended by NULL; point into `text` and into the settings
    bool is_realtime;          ///< the priority asked for is permitted
    int count, texts;
    char text[8][272];
};

/// For a server named `server` on `card`, or on the dummy driver for NULL, whose period is at least
/// 256 frames: below, it slips its clock. Real time only where it is permitted.
void jackd_command_init(struct jackd_command *command, const struct jackd_settings *settings,
                        const char *server, const struct card *card);

#endif
