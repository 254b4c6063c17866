/// SoundFonts change under held notes: no gap, no click; one that cannot be loaded changes nothing.
// timeout: 240
// alone: it listens to a live server
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/synth/font.h"
#include "tests/box/ear.h"
#include "tests/box/live.h"
#include "tests/box/phone.h"
#include "tests/box/tone_font.h"

enum { ATTEMPTS = 6, LOAD_MS = 20000 };

struct stage {
    struct live live;
    struct ear *ear;
    struct phone *phone;
    char tones[128], broken[128], other[512];
};

static void write_broken_font(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("RIFF\xff\xff\xff\x7fsfbkLIST", file);
    for (int i = 0; i < 5000; i++)
        fputc(i * 31 & 255, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct stage *stage = *state = calloc(1, sizeof *stage);
    live_create(&stage->live);
    live_path(&stage->live, "tones.sf2", stage->tones, sizeof stage->tones);
    live_path(&stage->live, "broken.sf2", stage->broken, sizeof stage->broken);
    tone_font_write(stage->tones);
    write_broken_font(stage->broken);
    // The largest there is: it keeps the loader and the memory busy for longest.
    if (font_find("FluidR3_GM", stage->other, sizeof stage->other))
        assert_int_equal(font_find(LIVE_FONT, stage->other, sizeof stage->other), 0);
    return 0;
}

static void begin(struct stage *stage, const char *font)
{
    live_configure(&stage->live, &(struct live_config){.font = font});
    live_start(&stage->live);
    stage->phone = phone_create(stage->live.port, 0);
    stage->ear = ear_create();
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    phone_destroy(stage->phone);
    ear_destroy(stage->ear);
    live_destroy(&stage->live);
    free(stage);
    return 0;
}

static void change_font(struct stage *stage, const char *font)
{
    phone_send_text(stage->phone, "/synth/font", font);
    for (int64_t end_ms = live_now_ms() + LOAD_MS; live_now_ms() < end_ms;) {
        if (strcmp(phone_text(stage->phone, "/synth/loaded"), font) == 0)
            return;
        phone_listen(stage->phone, 20);
    }
    fail_msg("the font %s does not come", font);
}

/// The sine of 440 Hz that has been heard from `from` on went on in its shape and its level.
/// Returns whether the server let us hear it.
static bool check_goes_on(struct stage *stage, uint32_t calm, uint32_t from, uint32_t to)
{
    const float *left = ear_sound(stage->ear, 0);
    enum { WINDOW = 4800 }; // 44 cycles
    if (!ear_is_whole(stage->ear, calm, to))
        return false;
    float natural = sound_step(left, calm, from), step = sound_step(left, from, to);
    float pure = sound_break(left, calm, from, 440.0), worst = sound_break(left, from, to, 440.0);
    double level = sound_rms(left, calm, calm + WINDOW), least = level, most = level;
    for (uint32_t at = from; at + WINDOW < to; at += WINDOW) {
        double now = sound_rms(left, at, at + WINDOW);
        least = fmin(least, now);
        most = fmax(most, now);
    }
    printf("%.1f s: step %.3g, was %.3g; break %.3g, was %.3g; level %.3g to %.3g of %.3g\n",
           (to - from) / (double)LIVE_RATE_HZ, (double)step, (double)natural, (double)worst,
           (double)pure, least, most, level);
    assert_true(natural > 1e-4f);
    assert_true(step <= 1.001f * natural);
    assert_true(worst <= 1.1f * pure + 1e-6f);
    assert_true(least >= 0.999 * level && most <= 1.001 * level);
    return true;
}

/// Holds a note of the tone font, does `disturb`, and hears the note go on meanwhile and after.
static void hold_during(struct stage *stage, void (*disturb)(struct stage *stage))
{
    phone_note(stage->phone, 1, 69, 100);
    ear_listen(stage->ear, LIVE_RATE_HZ / 2);
    uint32_t calm = ear_frames(stage->ear) - LIVE_RATE_HZ / 4;
    uint32_t from = ear_frames(stage->ear);
    disturb(stage);
    ear_listen(stage->ear, LIVE_RATE_HZ / 2);
    bool was_heard = check_goes_on(stage, calm, from, ear_frames(stage->ear));
    phone_note(stage->phone, 1, 69, 0);
    phone_expect(stage->phone, "/synth/voices", 0, 0, 3000);
    if (!was_heard) {
        puts("the server was late");
        ear_destroy(stage->ear); // its tape is short
        stage->ear = NULL;
    }
}

/// `hold_during`, again where the server was late.
static void expect_unbroken(struct stage *stage, void (*disturb)(struct stage *stage))
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        hold_during(stage, disturb);
        if (stage->ear)
            return;
        stage->ear = ear_create();
        change_font(stage, stage->tones);
    }
    fail_msg("the server was late in each of %d attempts: this machine is too busy", ATTEMPTS);
}

static void expect_text(struct stage *stage, const char *address, const char *words)
{
    const char *text = "";
    for (int i = 0; i < 100 && !strstr(text, words); i++) {
        phone_listen(stage->phone, 20);
        text = phone_text(stage->phone, address);
    }
    if (!strstr(text, words))
        fail_msg("%s is \"%s\", without \"%s\"", address, text, words);
}

static void take_other(struct stage *stage) { change_font(stage, stage->other); }

static void test_a_font_changes_under_a_held_note(void **state)
{
    struct stage *stage = *state;
    begin(stage, stage->tones);
    expect_unbroken(stage, take_other);
    // New notes are the new font's.
    assert_string_equal(phone_text(stage->phone, "/synth/loaded"), stage->other);
    expect_text(stage, "/synth/message", "presets");
    assert_true(phone_number(stage->phone, "/synth/progress") == 100);
    expect_text(stage, "/ch/1/preset", "Piano");
    phone_note(stage->phone, 1, 69, 100);
    phone_expect(stage->phone, "/ch/1/level", -60, 0, 2000);
    change_font(stage, stage->tones);
    expect_text(stage, "/ch/1/preset", "Sine");
    live_stop(&stage->live, SIGINT);
}

/// Faster than they load, with notes of a muted part on each.
static void take_many(struct stage *stage)
{
    char small[512];
    assert_int_equal(font_find(LIVE_FONT, small, sizeof small), 0);
    for (int i = 0; i < 10; i++) {
        phone_send_text(stage->phone, "/synth/font", i % 2 ? stage->tones : small);
        phone_note(stage->phone, 2, 48 + i, 100);
        live_sleep_ms(30 + 20 * i);
        phone_note(stage->phone, 2, 48 + i, 0);
    }
    change_font(stage, small);
    change_font(stage, stage->tones);
}

static void test_many_fonts_in_a_row(void **state)
{
    struct stage *stage = *state;
    begin(stage, stage->tones);
    phone_send_number(stage->phone, "/ch/2/mute", 1);
    expect_unbroken(stage, take_many);
    live_stop(&stage->live, SIGINT);
}

static void refuse(struct stage *stage, const char *font, const char *reason)
{
    char message[512];
    snprintf(message, sizeof message, "SoundFont %s%s", font, reason);
    phone_send_text(stage->phone, "/synth/font", font);
    expect_text(stage, "/synth/message", message);
    assert_string_equal(phone_text(stage->phone, "/synth/loaded"), stage->tones);
    assert_true(phone_number(stage->phone, "/synth/progress") == 100);
}

static void take_wrong_ones(struct stage *stage)
{
    refuse(stage, "/nowhere/none.sf2", ": not found");
    refuse(stage, stage->broken, ": byte ");
    refuse(stage, stage->live.folder, ": is no regular file");
}

static void test_a_wrong_font_changes_nothing(void **state)
{
    struct stage *stage = *state;
    begin(stage, stage->tones);
    expect_unbroken(stage, take_wrong_ones);
    phone_note(stage->phone, 1, 69, 100); // and new notes sound as before
    ear_listen(stage->ear, LIVE_RATE_HZ / 2);
    uint32_t now = ear_frames(stage->ear);
    double key = sound_key(ear_sound(stage->ear, 0), now - LIVE_RATE_HZ / 8, now);
    assert_true(fabs(key - 69.0) < 0.05);
    live_stop(&stage->live, SIGINT);
}

static void start_with_wrong_font(struct stage *stage, const char *font, const char *reason)
{
    char said[256];
    begin(stage, font);
    snprintf(said, sizeof said, "SoundFont %s", font);
    assert_true(live_has_said(&stage->live, said));
    assert_true(live_has_said(&stage->live, reason));
    assert_non_null(strstr(phone_text(stage->phone, "/synth/loaded"), ".sf"));
    phone_note(stage->phone, 1, 60, 100);
    phone_expect(stage->phone, "/ch/1/level", -60, 0, 2000);
    live_stop(&stage->live, SIGINT);
}

static void test_starts_with_the_default_for_a_missing_font(void **state)
{
    start_with_wrong_font(*state, "/nowhere/none.sf2", "not found");
}

static void test_starts_with_the_default_for_a_broken_font(void **state)
{
    struct stage *stage = *state;
    start_with_wrong_font(stage, stage->broken, stage->broken);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    (void)argc;
    live_need(argv);
    const struct CMUnitTest tests[] = {
        TEST(test_a_font_changes_under_a_held_note),
        TEST(test_many_fonts_in_a_row),
        TEST(test_a_wrong_font_changes_nothing),
        TEST(test_starts_with_the_default_for_a_missing_font),
        TEST(test_starts_with_the_default_for_a_broken_font),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
