// Placement: how far from its ideal start a note can land, whatever came before and whatever ended.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dsp/synth/placement.h"

static uint32_t error_of(const struct placement *placement, uint64_t frame, uint64_t border)
{
    uint64_t ideal = frame + placement->tolerance_frames;
    return (uint32_t)(border > ideal ? border - ideal : ideal - border);
}

static uint32_t place(struct placement *placement, uint64_t frame)
{
    uint64_t border;
    int favourite = rand() % (placement->count + 1) - 1;
    struct placement before = *placement;
    int shard = placement_choose(placement, frame, favourite, &border);
    assert_in_range(shard, 0, placement->count - 1);
    assert_true(border >= frame);
    assert_false(placement->is_idle[shard]);
    assert_int_equal(placement->phase[shard], border % PLACEMENT_BLOCK);
    if (!before.is_idle[shard]) // a busy shard keeps its phase
        assert_int_equal(placement->phase[shard], before.phase[shard]);
    return error_of(placement, frame, border);
}

/// Voices end: some busy shards fall idle.
static void release_some(struct placement *placement, int percent)
{
    for (int i = 0; i < placement->count; i++)
        if (rand() % 100 < percent) {
            placement->is_idle[i] = true;
            placement->voices[i] = 0;
        }
}

/// The frame, from `from` on, at which a note would land furthest from its ideal start.
static uint64_t cruellest_frame(const struct placement *placement, uint64_t from)
{
    uint32_t worst = 0;
    uint64_t cruellest = from;
    for (uint64_t frame = from; frame < from + PLACEMENT_BLOCK; frame++) {
        uint32_t nearest = PLACEMENT_BLOCK;
        for (int i = 0; i < placement->count; i++) {
            if (placement->is_idle[i])
                continue;
            uint64_t border = frame + ((placement->phase[i] - frame) & (PLACEMENT_BLOCK - 1));
            uint32_t error = error_of(placement, frame, border);
            nearest = error < nearest ? error : nearest;
        }
        if (nearest > worst && nearest < PLACEMENT_BLOCK) {
            worst = nearest;
            cruellest = frame;
        }
    }
    return cruellest;
}

static uint32_t worst_error(int shards, unsigned runs)
{
    uint32_t worst = 0;
    for (unsigned seed = 0; seed < runs; seed++) {
        struct placement placement;
        uint64_t frame = 1000;
        srand(seed);
        int churn = rand() % 3 ? rand() % 40 : 0, cruelty = rand() % 100;
        placement_init(&placement, shards);
        for (int i = 0; i < 60; i++) {
            frame += (uint64_t)(rand() % 3 ? rand() % 70 : 0);
            if (rand() % 100 < cruelty)
                frame = cruellest_frame(&placement, frame);
            uint32_t error = place(&placement, frame);
            worst = error > worst ? error : worst;
            release_some(&placement, churn);
        }
    }
    return worst;
}

static void test_eight_shards_are_within_seven_frames(void **state)
{
    (void)state;
    uint32_t worst = worst_error(8, 8000);
    printf("8 shards: worst onset error %u frames\n", worst);
    assert_true(worst <= 7);
}

static void test_bound_by_number_of_shards(void **state)
{
    (void)state;
    for (int shards = 1; shards <= PLACEMENT_MAX; shards++) {
        struct placement placement;
        placement_init(&placement, shards);
        assert_in_range(placement.tolerance_frames, 3, 8);
        uint32_t worst = worst_error(shards, 500);
        printf("%d shards: tolerance %u, worst error %u frames\n", shards,
               placement.tolerance_frames, worst);
        if (shards >= 7) // fewer cannot cover 64 phases with a delay so short
            assert_true(worst <= placement.tolerance_frames);
        assert_true(worst < PLACEMENT_BLOCK);
    }
}

static void test_lone_notes_are_exact(void **state)
{
    (void)state;
    for (int shards = 1; shards <= PLACEMENT_MAX; shards++)
        for (uint64_t frame = 0; frame < 200; frame++) {
            struct placement placement;
            placement_init(&placement, shards);
            assert_int_equal(place(&placement, frame), 0);
        }
}

static void test_every_pair_of_notes_is_near(void **state)
{
    (void)state;
    for (uint64_t second = 0; second < 128; second++)
        for (uint64_t third = second; third < 192; third++) {
            struct placement placement;
            placement_init(&placement, 8);
            assert_int_equal(place(&placement, 0), 0);
            assert_true(place(&placement, second) <= 7);
            assert_true(place(&placement, third) <= 7);
        }
}

static void test_a_chord_shares_a_shard(void **state)
{
    (void)state;
    struct placement placement;
    uint64_t border;
    placement_init(&placement, 8);
    int shard = placement_choose(&placement, 100, -1, &border);
    for (int i = 0; i < 9; i++) {
        uint64_t other;
        assert_int_equal(placement_choose(&placement, 100, -1, &other), shard);
        assert_int_equal(other, border);
    }
}

static void test_joining_keeps_the_phase(void **state)
{
    (void)state;
    for (uint64_t frame = 0; frame < 300; frame++) {
        struct placement placement;
        placement_init(&placement, 8);
        uint64_t first = placement_join(&placement, 3, 77);
        assert_int_equal(first, 77 + 7);
        uint64_t border = placement_join(&placement, 3, 100 + frame);
        assert_int_equal(border % PLACEMENT_BLOCK, first % PLACEMENT_BLOCK);
        assert_in_range(border - (100 + frame), 0, PLACEMENT_BLOCK - 1);
    }
}

static void test_an_idle_favourite_is_chosen(void **state)
{
    (void)state;
    for (int favourite = 0; favourite < 8; favourite++) {
        struct placement placement;
        uint64_t border;
        placement_init(&placement, 8);
        assert_int_equal(placement_choose(&placement, 5, favourite, &border), favourite);
        assert_int_equal(border, 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eight_shards_are_within_seven_frames),
        cmocka_unit_test(test_bound_by_number_of_shards),
        cmocka_unit_test(test_lone_notes_are_exact),
        cmocka_unit_test(test_every_pair_of_notes_is_near),
        cmocka_unit_test(test_a_chord_shares_a_shard),
        cmocka_unit_test(test_joining_keeps_the_phase),
        cmocka_unit_test(test_an_idle_favourite_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
