#include "board/card.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/// Takes the next name of a list parted by commas and moves `list` on. Returns false at its end.
static bool next_name(const char **list, char *name, size_t bytes)
{
    *list += strspn(*list, ", \t");
    size_t length = strcspn(*list, ",");
    if (length == 0)
        return false;
    size_t trimmed = length;
    while (trimmed > 0 && strchr(" \t", (*list)[trimmed - 1]))
        trimmed--;
    snprintf(name, bytes, "%.*s", (int)trimmed, *list);
    *list += length;
    return true;
}

const struct card *card_find(const struct card *cards, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(cards[i].name, name) == 0)
            return &cards[i];
    return NULL;
}

int card_choose(const char *names, const struct card *present, int count,
                struct card wanted[CARDS_MAX])
{
    char name[256];
    int chosen = 0;
    if (names[strspn(names, ", \t")] == '\0') {
        memcpy(wanted, present, (size_t)count * sizeof *present);
        return count;
    }
    while (chosen < CARDS_MAX && next_name(&names, name, sizeof name)) {
        const struct card *card = card_find(present, count, name);
        if (card && !card_find(wanted, chosen, name))
            wanted[chosen++] = *card;
    }
    return chosen;
}
