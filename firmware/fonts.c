#include "firmware/fonts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/thread.h"
#include "dsp/synth/font.h"
#include "firmware/console.h"

enum { FONTS_MAX = 8, POLL_MS = 50, STACK_BYTES = 1 << 20 };

/// A font that the engine has: `uses` times handed over and not yet given back.
struct use {
    struct font *font;
    int uses;
};

struct fonts {
    struct control *control;
    pthread_t thread;
    pthread_mutex_t lock; ///< all below; `hand_over` is held while the engine is touched
    pthread_cond_t changed;
    pthread_mutex_t hand_over;
    bool is_ending;
    char wanted[PARAM_TEXT_MAX];
    bool has_wish;        ///< `wanted` is not loaded yet
    bool needs_hand_over; ///< `current` is not in the engine yet
    struct engine *engine;
    struct font *current; ///< takes new notes
    struct use in_use[FONTS_MAX];
};

// ---- fonts in use, with the lock held ----

static struct use *find_use(struct fonts *fonts, const struct font *font)
{
    for (int i = 0; i < FONTS_MAX; i++)
        if (fonts->in_use[i].font == font)
            return &fonts->in_use[i];
    return NULL;
}

static void destroy_unused(struct fonts *fonts)
{
    for (int i = 0; i < FONTS_MAX; i++) {
        struct use *use = &fonts->in_use[i];
        if (!use->font || use->uses || use->font == fonts->current)
            continue;
        font_destroy(use->font);
        use->font = NULL;
    }
}

static void collect(struct fonts *fonts)
{
    struct font *font;
    while (fonts->engine && (font = engine_collect_font(fonts->engine)))
        find_use(fonts, font)->uses--;
    destroy_unused(fonts);
}

// ---- loading, on the loader's thread ----

static void report_progress(void *context, double percent)
{
    struct fonts *fonts = context;
    control_report(fonts->control, PARAM_SYNTH_PROGRESS, percent);
}

static void report(struct fonts *fonts, const char *message)
{
    control_report_text(fonts->control, PARAM_SYNTH_MESSAGE, message);
    console_say("%s", message);
}

static struct font *load(struct fonts *fonts, const char *wanted)
{
    char path[512], error[512], message[600];
    if (font_find(wanted, path, sizeof path)) {
        snprintf(message, sizeof message,
                 strcmp(wanted, "auto") ? "SoundFont %s: not found"
                                        : "no SoundFont is installed (wanted: %s)",
                 wanted);
        report(fonts, message);
        return NULL;
    }
    control_report(fonts->control, PARAM_SYNTH_PROGRESS, 0);
    struct font *font = font_load(path, report_progress, fonts, error, sizeof error);
    control_report(fonts->control, PARAM_SYNTH_PROGRESS, 100);
    if (!font) {
        snprintf(message, sizeof message, "SoundFont %s", error);
        report(fonts, message);
    }
    return font;
}

/// Loads what is wanted; for the first font of all, anything rather than silence.
static void grant(struct fonts *fonts, const char *wanted)
{
    struct font *font = load(fonts, wanted);
    if (!font && !fonts->current && strcmp(wanted, "auto"))
        font = load(fonts, "auto");
    if (!font)
        return;
    pthread_mutex_lock(&fonts->lock);
    struct use *place = find_use(fonts, NULL);
    if (place) {
        place->font = font;
        fonts->current = font;
        fonts->needs_hand_over = true;
    } else {
        font_destroy(font);
    }
    pthread_mutex_unlock(&fonts->lock);
    if (!place)
        report(fonts, "SoundFont not taken: too many earlier ones still ring out");
}

/// Gives the current font to the engine. False: try again, older fonts still ring out.
static bool hand_over(struct fonts *fonts)
{
    pthread_mutex_lock(&fonts->hand_over);
    pthread_mutex_lock(&fonts->lock);
    struct engine *engine = fonts->engine;
    struct font *font = fonts->needs_hand_over ? fonts->current : NULL;
    pthread_mutex_unlock(&fonts->lock);
    int status = engine && font ? engine_set_font(engine, font) : -ENODEV;
    pthread_mutex_lock(&fonts->lock);
    if (!status) {
        find_use(fonts, font)->uses++;
        fonts->needs_hand_over = false;
    }
    pthread_mutex_unlock(&fonts->lock);
    pthread_mutex_unlock(&fonts->hand_over);
    if (status)
        return status != -EBUSY && status != -ENOMEM;
    control_report_text(fonts->control, PARAM_SYNTH_LOADED, font_path(font));
    char message[600];
    snprintf(message, sizeof message, "SoundFont %s: %u presets", font_path(font),
             font_preset_count(font));
    report(fonts, message);
    return true;
}

/// Waits for something to do, or for the time to look again after what rings out.
static void wait_for_work(struct fonts *fonts)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += POLL_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&fonts->changed, &fonts->lock, &until);
}

static void *loader(void *data)
{
    struct fonts *fonts = data;
    char wanted[PARAM_TEXT_MAX];
    pthread_mutex_lock(&fonts->lock);
    while (!fonts->is_ending) {
        bool has_wish = fonts->has_wish, needs_hand_over = fonts->needs_hand_over;
        memcpy(wanted, fonts->wanted, sizeof wanted);
        fonts->has_wish = false;
        collect(fonts);
        if (!has_wish && !(needs_hand_over && fonts->engine)) {
            wait_for_work(fonts);
            continue;
        }
        pthread_mutex_unlock(&fonts->lock);
        if (has_wish)
            grant(fonts, wanted);
        bool is_done = hand_over(fonts);
        pthread_mutex_lock(&fonts->lock);
        if (!is_done)
            wait_for_work(fonts);
    }
    pthread_mutex_unlock(&fonts->lock);
    return NULL;
}

// ---- the daemon's side ----

struct fonts *fonts_create(struct control *control)
{
    struct fonts *fonts = calloc(1, sizeof *fonts);
    if (!fonts)
        return NULL;
    fonts->control = control;
    pthread_mutex_init(&fonts->lock, NULL);
    pthread_mutex_init(&fonts->hand_over, NULL);
    pthread_cond_init(&fonts->changed, NULL);
    struct thread_settings settings = {.name = "consort-loader", .stack_bytes = STACK_BYTES};
    int status = thread_create(&fonts->thread, &settings, loader, fonts, NULL);
    if (status) {
        free(fonts);
        errno = -status;
        return NULL;
    }
    return fonts;
}

void fonts_destroy(struct fonts *fonts)
{
    if (!fonts)
        return;
    pthread_mutex_lock(&fonts->lock);
    fonts->is_ending = true;
    pthread_cond_signal(&fonts->changed);
    pthread_mutex_unlock(&fonts->lock);
    pthread_join(fonts->thread, NULL);
    for (int i = 0; i < FONTS_MAX; i++)
        font_destroy(fonts->in_use[i].font);
    pthread_mutex_destroy(&fonts->lock);
    pthread_mutex_destroy(&fonts->hand_over);
    pthread_cond_destroy(&fonts->changed);
    free(fonts);
}

void fonts_want(struct fonts *fonts, const char *wanted)
{
    pthread_mutex_lock(&fonts->lock);
    snprintf(fonts->wanted, sizeof fonts->wanted, "%s", *wanted ? wanted : "auto");
    fonts->has_wish = true;
    pthread_cond_signal(&fonts->changed);
    pthread_mutex_unlock(&fonts->lock);
}

void fonts_use_engine(struct fonts *fonts, struct engine *engine)
{
    pthread_mutex_lock(&fonts->hand_over);
    pthread_mutex_lock(&fonts->lock);
    for (int i = 0; i < FONTS_MAX && engine; i++) // the engine before took its uses along
        fonts->in_use[i].uses = 0;
    fonts->engine = engine;
    fonts->needs_hand_over = fonts->current != NULL;
    pthread_cond_signal(&fonts->changed);
    pthread_mutex_unlock(&fonts->lock);
    pthread_mutex_unlock(&fonts->hand_over);
}

bool fonts_is_settled(struct fonts *fonts)
{
    pthread_mutex_lock(&fonts->lock);
    bool is_settled = fonts->current && !fonts->has_wish && !fonts->needs_hand_over;
    pthread_mutex_unlock(&fonts->lock);
    return is_settled;
}

void fonts_preset_name(struct fonts *fonts, unsigned bank, unsigned program, bool is_drums,
                       char *name, size_t bytes)
{
    *name = '\0';
    pthread_mutex_lock(&fonts->lock);
    if (fonts->current)
        snprintf(name, bytes, "%s",
                 font_preset_name(fonts->current,
                                  font_find_preset(fonts->current, bank, program, is_drums)));
    pthread_mutex_unlock(&fonts->lock);
}
