#include "firmware/spaces.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "board/thread.h"
#include "firmware/console.h"
#include "firmware/space_load.h"

enum { LOOK_MS = 50, STACK_BYTES = 1 << 20 };

struct spaces {
    struct control *control;
    pthread_t thread;
    pthread_mutex_t lock; ///< held while the engine is touched
    pthread_cond_t ending;
    bool is_ending;
    struct engine *engine;
    uint32_t rate_hz;
    unsigned changes; ///< of the engine
    uint64_t built;   ///< serial of the newest parameter that the space was built for
    bool has_space;   ///< this engine has been given what was asked for
};

/// The newest change of all that the space depends on.
static uint64_t newest_change(const struct spaces *spaces)
{
    uint64_t newest = store_changed(spaces->control->store, PARAM_REVERB_ON);
    for (unsigned i = PARAM_REVERB_SPACE; i <= PARAM_REVERB_WIDTH; i++) {
        uint64_t serial = store_changed(spaces->control->store, i);
        newest = serial > newest ? serial : newest;
    }
    return newest;
}

static void get(void *context, unsigned index, struct param_value *value)
{
    struct spaces *spaces = context;
    store_get(spaces->control->store, index, value);
}

/// With the lock held, but for the time that building takes; another engine may have come then.
static void build(struct spaces *spaces)
{
    struct engine *engine = spaces->engine;
    unsigned changes = spaces->changes;
    struct schedule schedule = engine_space_schedule(engine);
    uint32_t frames_max = engine_space_frames_max(engine), rate_hz = spaces->rate_hz;
    bool is_on = store_number(spaces->control->store, PARAM_REVERB_ON) != 0.0;
    struct space_wish wish;
    char said[300] = "off";
    space_wish_read(&wish, get, spaces);
    spaces->built = newest_change(spaces);
    pthread_mutex_unlock(&spaces->lock);
    struct response *response =
        is_on ? space_load(&wish, rate_hz, &schedule, frames_max, said, sizeof said) : NULL;
    control_report_text(spaces->control, PARAM_REVERB_LOADED, said);
    pthread_mutex_lock(&spaces->lock);
    bool is_same = spaces->changes == changes;
    int status;
    spaces->has_space = is_same;
    if (is_on && !response)
        console_say("reverb: %s; the space stays as it is", said);
    else if (is_same && (status = engine_set_space(engine, response)))
        console_say("reverb: %s: %s", said, strerror(-status));
    response_drop(response); // the engine holds it now
}

static void turn(struct spaces *spaces)
{
    if (!spaces->engine)
        return;
    engine_collect_space(spaces->engine);
    control_report(spaces->control, PARAM_REVERB_LATE, engine_late_blocks(spaces->engine));
    if (!spaces->has_space || newest_change(spaces) != spaces->built)
        build(spaces);
}

static void *follow(void *data)
{
    struct spaces *spaces = data;
    pthread_mutex_lock(&spaces->lock);
    while (!spaces->is_ending) {
        struct timespec until;
        turn(spaces);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&spaces->ending, &spaces->lock, &until);
    }
    pthread_mutex_unlock(&spaces->lock);
    return NULL;
}

struct spaces *spaces_create(struct control *control)
{
    struct spaces *spaces = calloc(1, sizeof *spaces);
    if (!spaces)
        return NULL;
    spaces->control = control;
    pthread_mutex_init(&spaces->lock, NULL);
    pthread_cond_init(&spaces->ending, NULL);
    struct thread_settings settings = {.name = "consort-spaces", .stack_bytes = STACK_BYTES};
    int status = thread_create(&spaces->thread, &settings, follow, spaces, NULL);
    if (status) {
        pthread_cond_destroy(&spaces->ending);
        pthread_mutex_destroy(&spaces->lock);
        free(spaces);
        errno = -status;
        return NULL;
    }
    return spaces;
}

void spaces_destroy(struct spaces *spaces)
{
    if (!spaces)
        return;
    pthread_mutex_lock(&spaces->lock);
    spaces->is_ending = true;
    pthread_cond_signal(&spaces->ending);
    pthread_mutex_unlock(&spaces->lock);
    pthread_join(spaces->thread, NULL);
    pthread_mutex_destroy(&spaces->lock);
    pthread_cond_destroy(&spaces->ending);
    free(spaces);
}

void spaces_use_engine(struct spaces *spaces, struct engine *engine, uint32_t rate_hz)
{
    pthread_mutex_lock(&spaces->lock);
    spaces->engine = engine;
    spaces->rate_hz = rate_hz;
    spaces->changes++;
    spaces->has_space = false;
    pthread_mutex_unlock(&spaces->lock);
}
