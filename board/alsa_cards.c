#include "board/alsa_cards.h"

#include <alsa/asoundlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANK_USB, RANK_BUILT_IN, RANK_HDMI, RANK_VIRTUAL };

static bool contains(const char *text, const char *word) { return strstr(text, word) != NULL; }

/// A player who plugs in a USB interface wants to hear it; HDMI often leads to a screen without
/// loudspeakers; loopback and dummy cards lead nowhere.
static int rank_of(const char *driver, const char *name)
{
    if (contains(driver, "USB"))
        return RANK_USB;
    if (contains(driver, "Loopback") || contains(driver, "Dummy"))
        return RANK_VIRTUAL;
    if (contains(driver, "hdmi") || contains(name, "hdmi") || contains(name, "HDMI"))
        return RANK_HDMI;
    return RANK_BUILT_IN;
}

static bool has_output(snd_ctl_t *control)
{
    snd_pcm_info_t *info;
    snd_pcm_info_alloca(&info);
    int device = -1;
    while (snd_ctl_pcm_next_device(control, &device) == 0 && device >= 0) {
        snd_pcm_info_set_device(info, (unsigned)device);
        snd_pcm_info_set_subdevice(info, 0);
        snd_pcm_info_set_stream(info, SND_PCM_STREAM_PLAYBACK);
        if (snd_ctl_pcm_info(control, info) == 0)
            return true;
    }
    return false;
}

/// Fills in the card of a number. Returns false for one without an output, or just unplugged.
static bool describe(int number, struct card *card)
{
    char name[16];
    snd_ctl_t *control;
    snd_ctl_card_info_t *info;
    snd_ctl_card_info_alloca(&info);
    snprintf(name, sizeof name, "hw:%d", number);
    if (snd_ctl_open(&control, name, SND_CTL_NONBLOCK) != 0)
        return false;
    bool is_found = snd_ctl_card_info(control, info) == 0 && has_output(control);
    if (is_found) {
        snprintf(card->name, sizeof card->name, "%s", snd_ctl_card_info_get_id(info));
        snprintf(card->title, sizeof card->title, "%s", snd_ctl_card_info_get_name(info));
        card->rank = rank_of(snd_ctl_card_info_get_driver(info), card->name);
    }
    snd_ctl_close(control);
    return is_found;
}

/// Stable for small numbers: cards of one rank stay in the kernel's order.
static void sort_by_rank(struct card *cards, int count)
{
    for (int i = 1; i < count; i++)
        for (int k = i; k > 0 && cards[k].rank < cards[k - 1].rank; k--) {
            struct card card = cards[k];
            cards[k] = cards[k - 1];
            cards[k - 1] = card;
        }
}

int alsa_cards_list(struct card *cards, int most)
{
    int count = 0, number = -1;
    while (count < most && snd_card_next(&number) == 0 && number >= 0)
        if (describe(number, &cards[count]))
            count++;
    sort_by_rank(cards, count);
    return count;
}
