/// The audio thread of the whole box makes no forbidden call, whatever goes on around it: notes,
/// programs, fonts, a storm of OSC, configs. The interposer (tests/rt/) aborts the box when it
/// does.
// timeout: 180
// variants: release
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/param.h"
#include "dsp/engine/event.h"
#include "dsp/synth/font.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"
#include "tests/box/tone_font.h"
#include "tests/jack/server.h"

enum { STORM_MS = 10000, PHONES = 4, SKIPPED = 77 };

struct stage {
    struct live live;
    struct phone *phones[PHONES]; ///< one sender may send 2000 a second
    struct foreign *keys;
    char interposer[600], tones[128];
    uint32_t random;
};

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    snprintf(stage->interposer, sizeof stage->interposer, "%s/tests/rt/interposer.so",
             live_build());
    stage->live.preload = stage->interposer;
    live_path(&stage->live, "tones.sf2", stage->tones, sizeof stage->tones);
    tone_font_write(stage->tones);
    return 0;
}

static void begin(struct stage *stage)
{
    live_configure(&stage->live, &(struct live_config){.has_effects = true});
    live_start(&stage->live);
    for (int i = 0; i < PHONES; i++)
        stage->phones[i] = phone_create(stage->live.port, 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    foreign_destroy(stage->keys);
    for (int i = 0; i < PHONES; i++)
        phone_destroy(stage->phones[i]);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

static unsigned random_below(struct stage *stage, unsigned bound)
{
    stage->random = stage->random * 1664525u + 1013904223u;
    return (stage->random >> 8) % bound;
}

/// Any parameter that may be set by number, to any value.
static void set_anything(struct stage *stage, struct phone *phone)
{
    char path[64];
    unsigned index = random_below(stage, PARAM_COUNT);
    const struct param *row = param_row(index);
    bool is_of_server = strncmp(row->path, "/audio/", 7) == 0;
    if (row->type == PARAM_TEXT || is_of_server || !(row->flags & PARAM_FLAG_ENGINE))
        return;
    param_path(index, path, sizeof path);
    double place = random_below(stage, 1001) / 1000.0;
    phone_send_number(phone, path, param_denormalize(row, place));
}

static void play_something(struct stage *stage, struct phone *phone)
{
    int part = 1 + (int)random_below(stage, PARTS), key = 30 + (int)random_below(stage, 60);
    static const int controllers[] = {1, 5, 7, 10, 11, 64, 65, 66, 67, 68, 84, 120, 121, 123, 126};
    switch (random_below(stage, 8)) {
    case 0:
        phone_control(phone, part,
                      controllers[random_below(stage, sizeof controllers / sizeof *controllers)],
                      (int)random_below(stage, 128));
        break;
    case 1:
        set_anything(stage, phone);
        break;
    default:
        phone_note(phone, part, key, random_below(stage, 3) ? 100 : 0);
    }
}

static void change_font(struct stage *stage, int turn)
{
    static const char *const installed[] = {LIVE_FONT, "/nowhere/none.sf2"};
    phone_send_text(stage->phones[0], "/synth/font",
                    turn % 3 == 2 ? stage->tones : installed[turn % 3]);
}

static void change_config(struct stage *stage, int turn)
{
    char master[64];
    snprintf(master, sizeof master, turn % 4 == 3 ? "gian = %d.0;" : "gain = -%d.0;", turn % 10);
    live_configure(&stage->live, &(struct live_config){.master = master, .has_effects = true});
    if (turn % 5 == 0)
        kill(stage->live.pid, SIGHUP);
}

static void strike_keys(struct stage *stage)
{
    if (stage->keys == NULL)
        stage->keys = foreign_create(stage->live.server, "keys", false);
    for (uint32_t i = 0; i < 20; i++)
        foreign_strike(stage->keys, 101 * i, i % 5 ? 0x90 : 0xC0, (uint8_t)(40 + 2 * i), 90);
}

/// A keyboard that comes, plays and goes with its keys held.
static void change_keyboard(struct stage *stage)
{
    if (stage->keys)
        foreign_destroy(stage->keys);
    stage->keys = NULL;
    strike_keys(stage);
}

static void test_the_audio_thread_is_left_alone(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    int64_t start_ms = live_now_ms(), done_ms;
    int sent = 0, turn = 0;
    phone_send(stage->phones[1], "/subscribe");
    while ((done_ms = live_now_ms() - start_ms) < STORM_MS) {
        for (int i = 0; i < PHONES; i++, sent++)
            play_something(stage, stage->phones[i]);
        for (int i = 0; i < PHONES; i++, sent++)
            set_anything(stage, stage->phones[i]);
        if (sent % 400 == 0)
            phone_listen(stage->phones[1], 0);
        if (done_ms / 400 > turn) {
            turn = (int)(done_ms / 400);
            change_font(stage, turn);
            change_config(stage, turn);
            change_keyboard(stage);
        }
        if (!live_is_alive(&stage->live))
            fail_msg("the box ended after %d ms with status %#x", (int)done_ms,
                     (unsigned)stage->live.status);
        usleep(1000);
    }
    printf("%d messages, %d fonts and configs\n", sent, turn);
    phone_send(stage->phones[2], "/panic");
    phone_expect(stage->phones[3], "/synth/voices", 0, 0, 5000);
    live_stop(&stage->live, SIGINT);
    assert_false(live_has_said(&stage->live, "a real-time thread called"));
}

/// A watch that sees nothing proves nothing: is the box behind the interposer?
static void test_the_box_is_watched(void **state)
{
    struct stage *stage = *state;
    begin(stage);
    char command[128], said[4096];
    snprintf(command, sizeof command, "grep -c interposer.so /proc/%d/maps", stage->live.pid);
    assert_int_equal(live_run(&stage->live, command, said, sizeof said), 0);
    // The hook by which the audio thread gives itself up to the watch is left to be found there.
    snprintf(command, sizeof command, "nm -D %s/consortd | grep ' w rt_hook'", live_build());
    assert_int_equal(live_run(&stage->live, command, said, sizeof said), 0);
    live_stop(&stage->live, SIGINT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    char interposer[600];
    live_need(argv);
    snprintf(interposer, sizeof interposer, "%s/tests/rt/interposer.so", live_build());
    if (access(interposer, R_OK) != 0) {
        printf("%s is not built\n", interposer);
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        TEST(test_the_box_is_watched),
        TEST(test_the_audio_thread_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
