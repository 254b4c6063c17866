/// Choosing sound cards by name.
///
/// Pure functions over the list that ALSA gave (`board/alsa_cards.h`). Thread: any.
#ifndef CONSORT_BOARD_CARD_H
#define CONSORT_BOARD_CARD_H

#include "board/alsa_cards.h"

/// The card of that name, or NULL.
const struct card *card_find(const struct card *cards, int count, const char *name);

/// The cards present that `names` wants, in its order: names parted by commas, blanks around them
/// do not count; a list without a name wants all, as they are. Returns their number.
int card_choose(const char *names, const struct card *present, int count,
                struct card wanted[CARDS_MAX]);

#endif
