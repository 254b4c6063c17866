// The engine: onsets at their frames; the same sound whatever the period and the threads.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/engine/box.h"
#include "tests/synth/tones.h"

enum { FRAMES = 1 << 16 };

static struct font *tones;
static uint32_t latency; ///< from an event to its first sample that is not zero
static float left[FRAMES], right[FRAMES];

// ---- onsets ----

static uint64_t first_sound(const float *samples, uint64_t from, uint64_t to)
{
    while (from < to && samples[from] == 0.0f)
        from++;
    return from;
}

/// A note at each offset, alone in the box.
static void test_idle_onsets_are_exact(void **state)
{
    (void)state;
    static const uint32_t periods[] = {64, 128, 100, 1024};
    int worst = 0;
    for (uint32_t offset = 0; offset < 64; offset++) {
        struct box box;
        box_create(&box, tones, 8, 0);
        box.period = periods[offset % 4];
        box_note(&box, 1024 + offset, 1, 0, 60, 100);
        box_render(&box, left, right, 2048);
        int error = (int)first_sound(left, 0, 2048) - (int)(1024 + offset + latency);
        worst = abs(error) > worst ? abs(error) : worst;
        box_destroy(&box);
    }
    printf("worst onset error: %d frames (idle)\n", worst);
    assert_int_equal(worst, 0);
}

/// All shards sound, on parts that are panned hard left; a note on the right part is timed.
static int busy_onset_error(unsigned seed)
{
    struct box box;
    srand(seed);
    box_create(&box, tones, 8, 0);
    box_param(&box, 0, PARAM_CH_BALANCE, -1);
    box_param(&box, 0, PARAM_CH_BALANCE + 1, 1);
    unsigned key = 20;
    uint64_t frame = 1000;
    for (int i = 0; i < 40; i++, key++) {
        frame += (unsigned)rand() % 80;
        box_note(&box, frame, 1, 0, key, 100);
        if (rand() % 3 == 0)
            box_note(&box, frame + 1 + (unsigned)rand() % 500, 1, 0, 20 + (unsigned)rand() % 20, 0);
    }
    box_render(&box, left, right, 6000);
    uint64_t onset = 6000 + (unsigned)rand() % 200;
    box_note(&box, onset, 1, 1, 60, 100);
    box_render(&box, left, right, 1024);
    int error = (int)(6000 + first_sound(right, 0, 1024)) - (int)(onset + latency);
    box_destroy(&box);
    return abs(error);
}

static void test_busy_onsets_are_near(void **state)
{
    (void)state;
    int worst = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        int error = busy_onset_error(seed);
        worst = error > worst ? error : worst;
    }
    printf("worst onset error: %d frames (all shards busy)\n", worst);
    assert_true(worst <= 8);
}

// ---- the same sound ----

enum { EVENTS = 700 };

static int pick(int low, int high) { return low + rand() % (high - low + 1); }

static void fill_event(struct event *event)
{
    static const uint8_t numbers[] = {0,  1,   2,   5,   6,   7,   10,  11,  32,  38,
                                      64, 65,  66,  67,  68,  74,  84,  96,  97,  98,
                                      99, 100, 101, 120, 121, 123, 124, 126, 127, 91};
    event->source = (uint16_t)pick(0, 5);
    event->channel = (uint8_t)pick(0, 15);
    event->type =
        (uint8_t)(rand() % 2 ? pick(EVENT_NOTE_OFF, EVENT_NOTE_ON) : pick(0, EVENT_TYPES - 1));
    switch (event->type) {
    case EVENT_CONTROL:
    case EVENT_PART_CONTROL:
        event->control.number = numbers[(size_t)rand() % sizeof numbers];
        event->control.value = (uint8_t)pick(0, 127);
        break;
    case EVENT_PROGRAM:
    case EVENT_PART_PROGRAM:
        event->program.program = (uint8_t)pick(0, 127);
        break;
    case EVENT_CHANNEL_PRESSURE:
    case EVENT_PART_CHANNEL_PRESSURE:
        event->pressure = (uint8_t)pick(0, 127);
        break;
    case EVENT_BEND:
    case EVENT_PART_BEND:
        event->bend = (int16_t)pick(-8192, 8191);
        break;
    case EVENT_PARAM:
        event->param.index = (uint16_t)pick(0, PARAM_COUNT - 1);
        event->param.value =
            (float)param_denormalize(param_row(event->param.index), rand() / (double)RAND_MAX);
        break;
    case EVENT_RESET:
        event->reset.mode = (uint8_t)pick(0, 4);
        event->type = rand() % 3 ? EVENT_SENSING : EVENT_RESET;
        break;
    case EVENT_MASTER_VOLUME:
        event->master_volume = (uint16_t)pick(4000, 16383);
        break;
    case EVENT_MASTER_TUNE:
    case EVENT_MASTER_COARSE:
        event->cents = (float)pick(-100, 100);
        break;
    case EVENT_TUNE_KEY:
        event->tune_key.key = (uint8_t)pick(40, 80);
        event->tune_key.semitones = (float)pick(4000, 8000) / 100.0f;
        event->tune_key.is_realtime = rand() % 2;
        break;
    case EVENT_TUNE_SCALE:
        event->tune_scale.parts = (uint16_t)rand();
        event->tune_scale.first = rand() % 2 ? 6 : 0;
        event->tune_scale.is_realtime = rand() % 2;
        for (int i = 0; i < 6; i++)
            event->tune_scale.cents_64[i] = (int16_t)pick(-6400, 6399);
        break;
    default:
        event->note.key = (uint8_t)pick(36, 84);
        event->note.velocity = (uint8_t)pick(1, 127);
    }
}

static void make_script(struct event events[EVENTS], unsigned seed)
{
    uint64_t frame = 100;
    srand(seed);
    memset(events, 0, EVENTS * sizeof *events);
    for (int i = 0; i < EVENTS; i++) {
        frame += rand() % 4 ? (uint64_t)pick(0, 150) : 0;
        events[i].frame = frame;
        fill_event(&events[i]);
    }
}

static uint64_t play_script(struct font *font, const struct event *events, uint32_t period,
                            int workers, float *peak)
{
    struct box box;
    box_create(&box, font, 8, workers);
    box.period = period;
    size_t pushed = box_play(&box, events, EVENTS, left, right, FRAMES);
    assert_int_equal(pushed, EVENTS);
    assert_int_equal(box_state(&box).events, EVENTS);
    assert_int_equal(box_state(&box).late_events, 0);
    box_destroy(&box);
    *peak = 0.0f;
    for (int i = 0; i < FRAMES; i++)
        *peak = left[i] > *peak ? left[i] : *peak;
    return box_hash(right, FRAMES, box_hash(left, FRAMES, 1469598103934665603u));
}

static void compare_runs(struct font *font, unsigned seed)
{
    static const struct {
        uint32_t period;
        int workers;
    } runs[] = {{64, 0}, {64, 3}, {16, 0}, {100, 1}, {1024, 2}, {8192, 0}, {8192, 3}, {64, 0}};
    static struct event events[EVENTS];
    uint64_t first = 0;
    float peak;
    make_script(events, seed);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        uint64_t hash = play_script(font, events, runs[i].period, runs[i].workers, &peak);
        if (i == 0)
            first = hash;
        if (hash != first)
            fail_msg("seed %u: period %u with %d workers sounds different", seed, runs[i].period,
                     runs[i].workers);
    }
    assert_true(peak > 0.001f);
}

static void test_periods_and_workers_do_not_matter(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 4; seed++)
        compare_runs(tones, seed);
}

static void test_nor_do_they_with_a_real_font(void **state)
{
    (void)state;
    struct font *font = box_font_or_skip("TimGM6mb");
    for (unsigned seed = 10; seed < 13; seed++)
        compare_runs(font, seed);
    font_destroy(font);
}

static void test_a_flood_of_controllers_does_not_matter_either(void **state)
{
    (void)state;
    enum { FLOOD = 6000 };
    static struct event events[FLOOD];
    static const uint32_t periods[] = {16, 64, 1024, 8192};
    uint64_t first = 0;
    for (int i = 0; i < FLOOD; i++) {
        events[i] = (struct event){.frame = 100 + (uint64_t)i / 2, .type = EVENT_CONTROL};
        events[i].control.number = 11;
        events[i].control.value = (uint8_t)(i * 7 % 128);
        if (i % 400 == 0) {
            events[i].type = EVENT_NOTE_ON;
            events[i].note.key = (uint8_t)(60 + i / 400);
            events[i].note.velocity = 100;
        }
    }
    for (int run = 0; run < 4; run++) {
        struct box box;
        box_create(&box, tones, 8, 0);
        box.period = periods[run];
        box_play(&box, events, FLOOD, left, right, 8192);
        uint64_t hash = box_hash(left, 8192, 1);
        first = run ? first : hash;
        assert_true(hash == first);
        box_destroy(&box);
    }
}

static void test_active_sensing_ends_at_its_frame(void **state)
{
    (void)state;
    static const uint32_t periods[] = {16, 64, 1000, 8192};
    uint64_t first = 0;
    for (int run = 0; run < 4; run++) {
        struct box box;
        box_create(&box, tones, 8, 0);
        box.period = periods[run];
        struct event sensing = {.frame = 500, .source = 4, .type = EVENT_SENSING};
        box_push(&box, &sensing);
        box_note(&box, 600, 4, 0, 60, 100);
        box_note(&box, 600, 5, 1, 64, 100);
        box_render(&box, left, right, FRAMES);
        uint64_t hash = box_hash(left, FRAMES, 1);
        first = run ? first : hash;
        assert_true(hash == first);
        assert_int_equal(box_state(&box).voices, 1); // the other source never promised anything
        box_destroy(&box);
    }
}

// ---- state ----

static void test_settings_out_of_range_are_refused(void **state)
{
    (void)state;
    const struct engine_settings good = {
        .sample_rate_hz = 48000, .max_frames = 64, .shards = 8, .polyphony = 64};
    struct engine_settings bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].sample_rate_hz = 7999;
    bad[1].sample_rate_hz = 192001;
    bad[2].max_frames = 0;
    bad[3].max_frames = 8193;
    bad[4].shards = 0;
    bad[5].shards = 17;
    bad[6].workers = 16;
    bad[7].workers = -1;
    for (int i = 0; i < 8; i++) {
        errno = 0;
        assert_null(engine_create(&bad[i]));
        assert_int_equal(errno, EINVAL);
    }
    engine_destroy(NULL);
}

static void test_without_a_font_there_is_silence(void **state)
{
    (void)state;
    struct box box;
    box_create(&box, NULL, 8, 1);
    box_note(&box, 10, 1, 0, 60, 100);
    box_render(&box, left, right, 4096);
    for (int i = 0; i < 4096; i++)
        assert_true(left[i] == 0.0f && right[i] == 0.0f);
    assert_int_equal(box_state(&box).font_generation, 0);
    box_destroy(&box);
}

static void test_parameters_take_effect_and_are_told(void **state)
{
    (void)state;
    struct box box;
    box_create(&box, tones, 8, 0);
    box_param(&box, 0, PARAM_CH_VOLUME + 3, 77);
    box_param(&box, 0, PARAM_MASTER_GAIN, -7.5);
    box_param(&box, 0, PARAM_MASTER_GAIN, 900);  // out of range: ignored
    box_param(&box, 0, PARAM_MASTER_PEAK_L, -3); // what the box reports: ignored
    box_param(&box, 0, PARAM_AUDIO_RATE, 44100); // not the engine's: ignored
    box_param(&box, 0, PARAM_COUNT + 100, 1);    // no such thing
    box_control(&box, 0, 1, 4, 10, 11);
    box_program(&box, 0, 5, TONES_SINE);
    box_render(&box, left, right, 64);
    struct engine_state now = box_state(&box);
    assert_true(now.value[PARAM_CH_VOLUME + 3] == 77 && now.value[PARAM_MASTER_GAIN] == -7.5f);
    assert_true(now.value[PARAM_CH_PAN + 4] == 11 && now.value[PARAM_CH_PROGRAM + 5] == TONES_SINE);
    assert_true(now.value[PARAM_MASTER_PEAK_L] == -120.0f);
    assert_int_equal(now.applied[box.ring], 6);
    assert_int_equal(now.events, 8);
    assert_int_equal(now.frame, 64);
    box_destroy(&box);
}

static void test_what_makes_no_sense_is_ignored(void **state)
{
    (void)state;
    struct box box;
    box_create(&box, tones, 8, 0);
    srand(3);
    for (int i = 0; i < 4000; i++) {
        struct event event = {0};
        for (size_t k = 0; k < sizeof event.bytes; k++)
            event.bytes[k] = (uint8_t)rand();
        event.type = (uint8_t)pick(0, EVENT_TYPES + 3);
        event.source = (uint16_t)pick(0, SOURCES_MAX + 3);
        event.channel = (uint8_t)pick(0, PARTS + 3);
        box_push(&box, &event);
        if (i % 100 == 0)
            box_render(&box, left, right, 64);
    }
    box_render(&box, left, right, 64);
    box_push(&box, &(struct event){.type = EVENT_PANIC});
    box_render(&box, left, right, 4800);
    assert_int_equal(box_state(&box).voices, 0);
    box_destroy(&box);
}

static void test_a_copied_state_sounds_the_same(void **state)
{
    (void)state;
    static float again[FRAMES];
    struct box one, other;
    box_create(&one, tones, 8, 0);
    box_program(&one, 0, 0, TONES_SINE);
    box_control(&one, 0, 1, 0, 7, 60);
    box_control(&one, 0, 1, 0, 10, 20);
    box_param(&one, 0, PARAM_MASTER_GAIN, -6);
    box_param(&one, 0, PARAM_MASTER_TUNE, 30);
    box_param(&one, 0, PARAM_SYNTH_QUALITY, 1);
    box_push(&one, &(struct event){.type = EVENT_MASTER_VOLUME, .master_volume = 9000});
    box_push(&one, &(struct event){.type = EVENT_BEND, .bend = 1234});
    box_render(&one, left, right, 6400); // the ramps come to their ends
    box_create(&other, NULL, 8, 0);
    engine_copy_state(other.engine, one.engine);
    assert_int_equal(engine_set_font(other.engine, tones), 0);
    box_render(&other, left, right, 6400);
    box_note(&one, 6500, 1, 0, 69, 100);
    box_note(&other, 6500, 1, 0, 69, 100);
    box_render(&one, left, right, 4800);
    box_render(&other, again, right, 4800);
    assert_memory_equal(left, again, 4800 * sizeof *left);
    assert_true(first_sound(left, 0, 4800) < 4800);
    box_destroy(&one);
    box_destroy(&other);
}

static int load(void **state)
{
    (void)state;
    struct box box;
    tones = tones_load(12000);
    box_create(&box, tones, 8, 0);
    latency = box_step_latency_frames(&box, tones);
    box_destroy(&box);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    font_destroy(tones);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_onsets_are_exact),
        cmocka_unit_test(test_busy_onsets_are_near),
        cmocka_unit_test(test_periods_and_workers_do_not_matter),
        cmocka_unit_test(test_nor_do_they_with_a_real_font),
        cmocka_unit_test(test_a_flood_of_controllers_does_not_matter_either),
        cmocka_unit_test(test_active_sensing_ends_at_its_frame),
        cmocka_unit_test(test_settings_out_of_range_are_refused),
        cmocka_unit_test(test_without_a_font_there_is_silence),
        cmocka_unit_test(test_parameters_take_effect_and_are_told),
        cmocka_unit_test(test_what_makes_no_sense_is_ignored),
        cmocka_unit_test(test_a_copied_state_sounds_the_same),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
