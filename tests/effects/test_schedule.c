// How a response is cut: the rules, the words, and the choice by timing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "dsp/effects/calibration.h"
#include "dsp/effects/schedule.h"

static const uint32_t lengths[] = {1,     63,     64,     65,      2112,    2113,    9000,
                                   48000, 144000, 480000, 2880000, 5760000, 11520000};

enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void words_lead_there_and_back(void **state)
{
    (void)state;
    const char *const good[] = {"64", "64x32,1024x16,8192", "32x8192,65536", "64x16,256x16,2048"};
    for (int i = 0; i < 4; i++) {
        struct schedule schedule;
        char text[SCHEDULE_TEXT_MAX];
        assert_int_equal(schedule_parse(&schedule, good[i]), 0);
        assert_int_equal(schedule_print(&schedule, text, sizeof text), strlen(good[i]));
        assert_string_equal(text, good[i]);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               ",",
                               "64x",
                               "x64",
                               "64,",
                               "64x16,,8",
                               "-64",
                               "64x0,128",
                               "0",
                               "64 x 16",
                               "64x1.5",
                               "sixty",
                               "99999999999999999999",
                               "64x16;128",
                               "1,2,3,4,5,6"};
    struct schedule schedule;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(schedule_parse(&schedule, bad[i]), -EINVAL);
}

static void a_short_buffer_is_not_overrun(void **state)
{
    (void)state;
    struct schedule schedule;
    char text[SCHEDULE_TEXT_MAX];
    assert_int_equal(schedule_parse(&schedule, "64x32,1024x16,8192"), 0);
    for (size_t bytes = 0; bytes < 19; bytes++) {
        memset(text, '#', sizeof text);
        assert_int_equal(schedule_print(&schedule, text, bytes), 18);
        assert_int_equal(text[bytes], '#');
    }
}

static void every_length_has_a_standard(void **state)
{
    (void)state;
    for (int i = 0; i < LENGTHS; i++) {
        struct schedule schedule = schedule_standard(lengths[i]);
        assert_true(schedule_is_valid(&schedule, lengths[i]));
    }
}

/// The parts cover the response: not a frame is missing, none is counted twice.
static void parts_cover_the_response(void **state)
{
    (void)state;
    for (int i = 0; i < LENGTHS; i++) {
        struct schedule candidates[16];
        int count = schedule_candidates(lengths[i], candidates, 16);
        assert_true(count > 0);
        for (int k = 0; k < count; k++) {
            const struct schedule *schedule = &candidates[k];
            uint32_t end = schedule->level[0].block_frames;
            for (int level = 0; level < schedule->levels; level++) {
                uint32_t parts = schedule_parts(schedule, level, lengths[i]);
                if (parts)
                    assert_int_equal(schedule_offset_frames(schedule, level), end);
                end += parts * schedule->level[level].block_frames;
            }
            assert_true(end >= lengths[i]);
        }
    }
}

static void a_level_has_its_time(void **state)
{
    (void)state;
    for (int i = 0; i < LENGTHS; i++) {
        struct schedule candidates[16];
        int count = schedule_candidates(lengths[i], candidates, 16);
        for (int k = 0; k < count; k++)
            for (int level = 1; level < candidates[k].levels; level++)
                assert_true(schedule_offset_frames(&candidates[k], level) >=
                            2 * candidates[k].level[level].block_frames);
    }
}

static void timing_chooses_a_valid_one(void **state)
{
    (void)state;
    const struct calibration_case test = {
        .frames = 24000, .kind = RESPONSE_STEREO, .period_frames = 64};
    struct schedule best;
    assert_int_equal(calibration_run(&best, &test), 0);
    assert_true(schedule_is_valid(&best, test.frames));
    struct schedule slow;
    assert_int_equal(schedule_parse(&slow, "32"), 0);
    // Blocks of one length alone cost many times more.
    assert_true(calibration_cost_ns(&best, &test) < calibration_cost_ns(&slow, &test));
}

static void timing_refuses_what_cannot_run(void **state)
{
    (void)state;
    struct schedule best = schedule_standard(24000);
    assert_true(calibration_cost_ns(&best, &(struct calibration_case){
                                               .frames = 24000, .period_frames = 0}) == -EINVAL);
    assert_int_equal(
        calibration_run(&best, &(struct calibration_case){.frames = 0, .period_frames = 64}),
        -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_lead_there_and_back),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_short_buffer_is_not_overrun),
        cmocka_unit_test(every_length_has_a_standard),
        cmocka_unit_test(parts_cover_the_response),
        cmocka_unit_test(a_level_has_its_time),
        cmocka_unit_test(timing_chooses_a_valid_one),
        cmocka_unit_test(timing_refuses_what_cannot_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
