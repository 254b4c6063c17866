#include "board/jackd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/card.h"
#include "board/child.h"
#include "board/jackd_command.h"
#include "board/probe.h"

enum { TEXT_BYTES = 256 };

#define MS INT64_C(1000000)
static const int64_t STEP_NS = 20 * MS;    // while something is under way
static const int64_t IDLE_NS = 250 * MS;   // while the server runs
static const int64_t START_NS = 8000 * MS; // jackd must answer within
static const int64_t ASK_NS = 100 * MS;    // between two questions whether it does
static const int64_t LOOK_NS = 3000 * MS;  // between two looks at the cards
static const int64_t RETRY_NS = 6000 * MS; // before a card that failed is tried again, at first
static const int64_t RETRY_MAX_NS = 60000 * MS;
static const int64_t BACK_OFF_NS = 500 * MS; // after a loss, doubling
static const int64_t BACK_OFF_MAX_NS = 15000 * MS;
static const int64_t STEADY_NS = 30000 * MS; // a server that lived this long was no failure
static const int64_t HANG_NS = 5000 * MS;    // a server that does not answer in this hangs

struct jackd {
    struct jackd_settings settings;
    char cards[TEXT_BYTES], name[TEXT_BYTES], program[TEXT_BYTES];
    struct child child;
    struct probe *probe;
    int64_t asked_ns;
    bool has_complained; ///< about a server that hangs
    bool has_warned;     ///< that jackd runs without real-time priority
    struct jackd_status status;
    int64_t since_ns; ///< the state began
    int64_t until_ns; ///< WAITING: the next attempt
    int64_t back_off_ns;
    // The cards to try in this round; after them the dummy driver.
    struct card candidates[CARDS_MAX];
    int candidate_count, candidate;
    // While the dummy driver stands in, or a card plays: when to look at the cards next.
    int64_t look_ns, retry_ns, retry_delay_ns;
};

__attribute__((format(printf, 2, 3))) static void say(const struct jackd *jackd, const char *format,
                                                      ...)
{
    char line[2 * TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    jackd->settings.log(jackd->settings.data, line);
}

/// What jackd says at each start, whatever happens.
static bool is_banner(const char *line)
{
    static const char *const beginnings[] = {"jackdmp ", "Copyright ", "This is free software",
                                             "under certain conditions", "self-connect-mode"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static void repeat_line(void *data, const char *line)
{
    if (!is_banner(line))
        say(data, "jackd: %s", line);
}

static void enter(struct jackd *jackd, enum jackd_state state, int64_t now_ns)
{
    jackd->status.state = state;
    jackd->since_ns = now_ns;
}

static void wait_for(struct jackd *jackd, int64_t delay_ns, int64_t now_ns)
{
    enter(jackd, JACKD_WAITING, now_ns);
    jackd->until_ns = now_ns + delay_ns;
}

static int64_t doubled(int64_t delay_ns, int64_t most_ns)
{
    return 2 * delay_ns < most_ns ? 2 * delay_ns : most_ns;
}

static void back_off(struct jackd *jackd, int64_t now_ns)
{
    wait_for(jackd, jackd->back_off_ns, now_ns);
    jackd->back_off_ns = doubled(jackd->back_off_ns, BACK_OFF_MAX_NS);
}

// ---- Is there a server? ----

static const char *default_server(void)
{
    const char *name = getenv("JACK_DEFAULT_SERVER");
    return name && name[0] ? name : "default";
}

static void forget_probe(struct jackd *jackd)
{
    probe_destroy(jackd->probe);
    jackd->probe = NULL;
}

/// Asks, or looks for the answer to what was asked.
static enum probe_result ask(struct jackd *jackd, const char *server, int64_t now_ns)
{
    if (!jackd->probe) {
        if (now_ns - jackd->asked_ns < ASK_NS)
            return PROBE_PENDING;
        jackd->asked_ns = now_ns;
        jackd->probe = probe_create(server, jackd->settings.is_running);
    }
    enum probe_result result = jackd->probe ? probe_result(jackd->probe) : PROBE_PENDING;
    if (result != PROBE_PENDING)
        forget_probe(jackd);
    return result;
}

// ---- Which cards? ----

static int wanted_cards(const struct jackd *jackd, struct card wanted[CARDS_MAX])
{
    struct card present[CARDS_MAX];
    int count = jackd->settings.list_cards(present, CARDS_MAX);
    return card_choose(jackd->cards, present, count, wanted);
}

static bool are_same_cards(const struct jackd *jackd, const struct card *cards, int count)
{
    if (count != jackd->candidate_count)
        return false;
    for (int i = 0; i < count; i++)
        if (strcmp(cards[i].name, jackd->candidates[i].name) != 0)
            return false;
    return true;
}

// ---- Starting jackd ----

static const struct card *current_card(const struct jackd *jackd)
{
    return jackd->candidate < jackd->candidate_count ? &jackd->candidates[jackd->candidate] : NULL;
}

static void describe_card(struct jackd *jackd, const struct card *card)
{
    jackd->status.is_dummy = !card;
    if (card)
        snprintf(jackd->status.card, sizeof jackd->status.card, "%s: %s", card->name, card->title);
    else
        snprintf(jackd->status.card, sizeof jackd->status.card, "dummy");
}

static void start(struct jackd *jackd, int64_t now_ns)
{
    struct jackd_command command;
    const struct card *card = current_card(jackd);
    jackd_command_init(&command, &jackd->settings, jackd->status.server, card);
    describe_card(jackd, card);
    say(jackd, "starting jackd on %s, %s", card ? "the card" : "no card", jackd->status.card);
    if (jackd->settings.priority > 0 && !command.is_realtime && !jackd->has_warned) {
        jackd->has_warned = true;
        say(jackd, "real-time priority %d is not permitted: sound may crackle under load",
            jackd->settings.priority);
    }
    forget_probe(jackd);
    int code = child_start(&jackd->child, command.arguments, "JACK_NO_AUDIO_RESERVATION=1");
    if (code != 0) {
        say(jackd, "%s cannot be run: %s", jackd->program, strerror(-code));
        back_off(jackd, now_ns);
        return;
    }
    jackd->status.starts++;
    jackd->status.is_joined = false;
    enter(jackd, JACKD_STARTING, now_ns);
}

/// Begins a round: every wanted card in turn, then the dummy driver.
static void start_first(struct jackd *jackd, const char *server, int64_t now_ns)
{
    snprintf(jackd->status.server, sizeof jackd->status.server, "%s", server);
    jackd->candidate_count = wanted_cards(jackd, jackd->candidates);
    jackd->candidate = 0;
    start(jackd, now_ns);
}

static void start_next(struct jackd *jackd, int64_t now_ns)
{
    if (jackd->candidate >= jackd->candidate_count) {
        back_off(jackd, now_ns);
        return;
    }
    jackd->candidate++;
    start(jackd, now_ns);
}

// ---- The states ----

static void run(struct jackd *jackd, int64_t now_ns)
{
    if (jackd->status.is_joined)
        snprintf(jackd->status.card, sizeof jackd->status.card, "server %.200s",
                 jackd->status.server);
    jackd->look_ns = now_ns + LOOK_NS;
    if (!jackd->status.is_dummy)
        jackd->retry_delay_ns = RETRY_NS;
    jackd->retry_ns = now_ns + jackd->retry_delay_ns;
    enter(jackd, JACKD_RUNNING, now_ns);
}

static void join(struct jackd *jackd, int64_t now_ns)
{
    snprintf(jackd->status.server, sizeof jackd->status.server, "%s", default_server());
    jackd->status.is_joined = true;
    jackd->status.is_dummy = false;
    run(jackd, now_ns);
    say(jackd, "joining the JACK server \"%s\"", jackd->status.server);
}

static void complain_once(struct jackd *jackd, const char *server, int64_t now_ns)
{
    if (jackd->has_complained || now_ns - jackd->since_ns < HANG_NS)
        return;
    jackd->has_complained = true;
    say(jackd, "the JACK server \"%s\" hangs: it takes calls and does not answer", server);
}

static void look(struct jackd *jackd, int64_t now_ns)
{
    const char *server = default_server();
    enum probe_result result = ask(jackd, server, now_ns);
    if (result == PROBE_PENDING) {
        complain_once(jackd, server, now_ns);
        return;
    }
    jackd->has_complained = false;
    if (result == PROBE_YES && jackd->settings.mode != JACKD_START)
        join(jackd, now_ns);
    else if (jackd->settings.mode == JACKD_JOIN)
        back_off(jackd, now_ns);
    else
        start_first(jackd, result == PROBE_YES ? jackd->name : server, now_ns);
}

static void say_end(struct jackd *jackd)
{
    char end[64];
    child_describe_end(&jackd->child, end, sizeof end);
    say(jackd, "jackd on %s ended: %s", jackd->status.card, end);
}

static void watch_start(struct jackd *jackd, bool is_alive, int64_t now_ns)
{
    if (!is_alive) {
        say_end(jackd);
        start_next(jackd, now_ns);
    } else if (ask(jackd, jackd->status.server, now_ns) == PROBE_YES) {
        run(jackd, now_ns);
    } else if (now_ns - jackd->since_ns > START_NS) {
        child_kill(&jackd->child);
    }
}

/// A card that came back takes over from the dummy driver; one that failed is tried ever more
/// seldom, since each attempt interrupts.
static void look_for_card(struct jackd *jackd, int64_t now_ns)
{
    struct card cards[CARDS_MAX];
    int count = wanted_cards(jackd, cards);
    bool is_new = !are_same_cards(jackd, cards, count);
    if (is_new)
        jackd->retry_delay_ns = RETRY_NS;
    if (count == 0 || (!is_new && now_ns < jackd->retry_ns))
        return;
    if (!is_new)
        jackd->retry_delay_ns = doubled(jackd->retry_delay_ns, RETRY_MAX_NS);
    say(jackd, "leaving the dummy driver: there is the card %s", cards[0].name);
    child_stop(&jackd->child, now_ns);
    enter(jackd, JACKD_STOPPING, now_ns);
}

/// jackd may outlive its card and say nothing.
static void check_card(struct jackd *jackd, int64_t now_ns)
{
    struct card cards[CARDS_MAX];
    int count = jackd->settings.list_cards(cards, CARDS_MAX);
    const struct card *card = current_card(jackd);
    if (!card || card_find(cards, count, card->name))
        return;
    say(jackd, "the card %s is gone", card->name);
    child_kill(&jackd->child);
    enter(jackd, JACKD_STOPPING, now_ns);
}

static void watch(struct jackd *jackd, bool is_alive, int64_t now_ns)
{
    if (jackd->status.is_joined)
        return;
    if (now_ns - jackd->since_ns > STEADY_NS)
        jackd->back_off_ns = BACK_OFF_NS;
    if (!is_alive) {
        say_end(jackd);
        back_off(jackd, now_ns);
    } else if (now_ns >= jackd->look_ns) {
        jackd->look_ns = now_ns + LOOK_NS;
        if (jackd->status.is_dummy)
            look_for_card(jackd, now_ns);
        else
            check_card(jackd, now_ns);
    }
}

int64_t jackd_service(struct jackd *jackd, int64_t now_ns)
{
    bool is_alive = child_service(&jackd->child, now_ns, repeat_line, jackd);
    switch (jackd->status.state) {
    case JACKD_WAITING:
        if (now_ns >= jackd->until_ns)
            enter(jackd, JACKD_LOOKING, now_ns);
        break;
    case JACKD_LOOKING:
        look(jackd, now_ns);
        break;
    case JACKD_STARTING:
        watch_start(jackd, is_alive, now_ns);
        break;
    case JACKD_RUNNING:
        watch(jackd, is_alive, now_ns);
        break;
    case JACKD_STOPPING:
        if (!is_alive)
            wait_for(jackd, 0, now_ns);
        break;
    }
    if (jackd->status.state == JACKD_WAITING)
        return jackd->until_ns;
    return now_ns + (jackd->status.state == JACKD_RUNNING ? IDLE_NS : STEP_NS);
}

void jackd_report_lost(struct jackd *jackd, int64_t now_ns)
{
    if (jackd->status.state != JACKD_RUNNING)
        return;
    if (now_ns - jackd->since_ns > STEADY_NS)
        jackd->back_off_ns = BACK_OFF_NS;
    if (jackd->status.is_joined) {
        say(jackd, "the JACK server \"%s\" is gone", jackd->status.server);
        back_off(jackd, now_ns);
        return;
    }
    // Dead or hanging: a dead one is found out by `watch`, with its last words.
    child_kill(&jackd->child);
}

// ---- Life ----

static void take_settings(struct jackd *jackd, const struct jackd_settings *settings)
{
    snprintf(jackd->cards, sizeof jackd->cards, "%s", settings->cards);
    jackd->settings.rate_hz = settings->rate_hz;
    jackd->settings.period_frames = settings->period_frames;
    jackd->settings.periods = settings->periods;
    jackd->settings.priority = settings->priority;
}

struct jackd *jackd_create(const struct jackd_settings *settings)
{
    struct jackd *jackd = calloc(1, sizeof *jackd);
    if (!jackd)
        return NULL;
    jackd->settings = *settings;
    snprintf(jackd->name, sizeof jackd->name, "%s", settings->name);
    snprintf(jackd->program, sizeof jackd->program, "%s", settings->program);
    jackd->settings.program = jackd->program;
    take_settings(jackd, settings);
    child_init(&jackd->child);
    jackd->back_off_ns = BACK_OFF_NS;
    jackd->retry_delay_ns = RETRY_NS;
    jackd->status.state = JACKD_WAITING;
    return jackd;
}

void jackd_destroy(struct jackd *jackd)
{
    if (!jackd)
        return;
    child_finish(&jackd->child);
    forget_probe(jackd);
    free(jackd);
}

int jackd_descriptor(const struct jackd *jackd) { return jackd->child.output; }

static bool differs(const struct jackd *jackd, const struct jackd_settings *settings)
{
    return strcmp(jackd->cards, settings->cards) != 0 ||
           jackd->settings.rate_hz != settings->rate_hz ||
           jackd->settings.period_frames != settings->period_frames ||
           jackd->settings.periods != settings->periods ||
           jackd->settings.priority != settings->priority;
}

void jackd_configure(struct jackd *jackd, const struct jackd_settings *settings, int64_t now_ns)
{
    if (!differs(jackd, settings))
        return;
    take_settings(jackd, settings);
    if (jackd->child.pid == 0)
        return;
    say(jackd, "starting jackd afresh with the new settings");
    child_stop(&jackd->child, now_ns);
    enter(jackd, JACKD_STOPPING, now_ns);
}

void jackd_read_status(const struct jackd *jackd, struct jackd_status *status)
{
    *status = jackd->status;
}
