/// The shader against its C reference, on whatever device this machine has: all kinds of banks,
/// batches, histories with gaps, with buffers that stay mapped and without.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <GLES3/gl31.h>
#include <cmocka.h>

#include "dsp/gpu/mac.h"
#include "dsp/gpu/pipeline.h"
#include "dsp/gpu/self_test.h"
#include "dsp/gpu/shaders.h"
#include "tests/gpu/choir.h"

#define BOUND_DB (-115.0)
enum { WAIT_NS = 500000000, BANKS = 20 };

static struct gpu_device *device;
static struct gpu_mac *mac; ///< the form under test
static float *outputs;

struct voice {
    struct choir choir;
    struct gpu_bank *bank;
    int delivered;
    double error_db;
};

static void open_voice(struct voice *voice, const struct gpu_mac_shape *shape, uint64_t seed)
{
    *voice = (struct voice){.error_db = -300};
    choir_init(&voice->choir, shape, seed);
    voice->bank = gpu_bank_create(mac, shape);
    assert_non_null(voice->bank);
}

static void load(struct voice *voice)
{
    const struct gpu_mac_shape *shape = &voice->choir.shape;
    for (uint32_t row = 0; row < gpu_mac_shape_paths(shape) * shape->partitions; row++)
        assert_int_equal(gpu_bank_load(voice->bank, row,
                                       voice->choir.impulse + row * gpu_mac_shape_floats(shape)),
                         0);
}

static void close_voice(struct voice *voice)
{
    gpu_bank_destroy(voice->bank);
    choir_finish(&voice->choir);
}

static void deliver(void *context, uint64_t tag, struct gpu_bank *bank)
{
    struct voice *voice = (struct voice *)context + tag;
    assert_ptr_equal(voice->bank, bank);
    assert_int_equal(gpu_bank_take(bank, outputs), 0);
    double error_db = choir_error_db(&voice->choir, outputs);
    voice->error_db = error_db > voice->error_db ? error_db : voice->error_db;
    voice->delivered++;
}

static int add(struct voice *voices, uint64_t tag, uint64_t sequence)
{
    struct voice *voice = &voices[tag];
    return gpu_mac_add(mac, voice->bank, sequence, choir_inputs(&voice->choir, sequence), tag);
}

static void collect_all(struct voice *voices)
{
    assert_int_equal(gpu_mac_start(mac), 0);
    while (gpu_mac_pending(mac) > 0)
        assert_in_range(gpu_mac_collect(mac, WAIT_NS, deliver, voices), 0, 1);
}

static void run(struct voice *voice, uint64_t sequence)
{
    choir_sing(&voice->choir, sequence);
    assert_int_equal(add(voice, 0, sequence), 0);
    collect_all(voice);
}

/// As many blocks as go round the history twice.
static void check_shape(uint32_t inputs, uint32_t output_count, uint32_t paths, uint32_t partitions,
                        uint32_t bins)
{
    struct gpu_mac_shape shape = {inputs, output_count, paths, partitions, bins};
    struct voice voice;
    open_voice(&voice, &shape, partitions * 1000 + bins);
    load(&voice);
    for (uint64_t sequence = 0; sequence < 2 * partitions + 5; sequence++)
        run(&voice, sequence);
    assert_int_equal(voice.delivered, 2 * partitions + 5);
    if (!(voice.error_db <= BOUND_DB))
        fail_msg("%u to %u by %x, %u partitions of %u bins: %.1f dB", inputs, output_count, paths,
                 partitions, bins, voice.error_db);
    close_voice(&voice);
}

static void test_agrees_with_reference(void **state)
{
    (void)state;
    for (uint32_t bins = 16; bins <= 2048; bins *= 2) {
        check_shape(1, 1, 1, 1 + bins % 7, bins);
        check_shape(2, 2, 9, 3, bins);
        check_shape(2, 2, 15, 5, bins);
    }
    for (uint32_t paths = 1; paths < 16; paths++)
        check_shape(2, 2, paths, 4, 64);
    for (uint32_t paths = 1; paths < 4; paths++) {
        check_shape(1, 2, paths, 3, 128);
        check_shape(2, 1, paths, 3, 128);
    }
}

/// So much to read that a block takes several dispatches.
static void test_divides_what_is_long(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {2, 2, 15, 60, 4096};
    struct voice voice;
    open_voice(&voice, &shape, 5);
    load(&voice);
    for (uint64_t sequence = 0; sequence < 63; sequence++) {
        choir_sing(&voice.choir, sequence);
        if (sequence < 60)
            assert_int_equal(
                gpu_bank_feed(voice.bank, sequence, choir_inputs(&voice.choir, sequence)), 0);
        else
            run(&voice, sequence);
    }
    assert_int_equal(voice.delivered, 3);
    assert_true(voice.error_db <= BOUND_DB);
    close_voice(&voice);
}

/// Each real number of bin 0 stays by itself.
static void test_lowest_and_highest_bin(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {1, 1, 1, 1, 16};
    float impulse[32] = {[0] = 3, [16] = 5, [1] = 1}, inputs[32] = {[0] = 7, [16] = 11, [17] = 2};
    struct gpu_bank *bank = gpu_bank_create(mac, &shape);
    struct voice voice = {.bank = bank};
    choir_init(&voice.choir, &shape, 1);
    assert_int_equal(gpu_bank_load(bank, 0, impulse), 0);
    assert_int_equal(gpu_mac_add(mac, bank, 0, inputs, 0), 0);
    collect_all(&voice);
    assert_float_equal(outputs[0], 21, 0);
    assert_float_equal(outputs[16], 55, 0);
    assert_float_equal(outputs[1], 0, 0);
    assert_float_equal(outputs[17], 2, 0);
    close_voice(&voice);
}

/// Many banks, and as many batches under way as there are.
static void test_batches(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {2, 2, 15, 4, 256};
    struct voice voices[BANKS];
    for (uint64_t i = 0; i < BANKS; i++) {
        open_voice(&voices[i], &shape, i);
        load(&voices[i]);
    }
    for (uint64_t sequence = 0; sequence < 20; sequence++) {
        for (uint64_t i = 0; i < BANKS; i++) {
            choir_sing(&voices[i].choir, sequence);
            int code = add(voices, i, sequence);
            if (code == -EBUSY) { // the batch is full
                assert_int_equal(gpu_mac_start(mac), 0);
                code = add(voices, i, sequence);
            }
            assert_int_equal(code, 0);
        }
        collect_all(voices);
    }
    for (int i = 0; i < BANKS; i++) {
        assert_int_equal(voices[i].delivered, 20);
        assert_true(voices[i].error_db <= BOUND_DB);
        close_voice(&voices[i]);
    }
}

static void test_refuses_what_it_has_no_room_for(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {1, 1, 1, 2, 32};
    struct voice voice;
    open_voice(&voice, &shape, 9);
    load(&voice);
    for (uint64_t sequence = 0; sequence < GPU_MAC_BATCHES; sequence++) {
        choir_sing(&voice.choir, sequence);
        assert_int_equal(add(&voice, 0, sequence), 0);
        assert_int_equal(add(&voice, 0, sequence + 1), -EBUSY);
        assert_int_equal(gpu_mac_start(mac), 0);
    }
    assert_int_equal(gpu_mac_pending(mac), GPU_MAC_BATCHES);
    assert_int_equal(add(&voice, 0, GPU_MAC_BATCHES), -EBUSY);
    // Earlier blocks are not expected any more, but they come.
    while (gpu_mac_pending(mac) > 0)
        assert_in_range(gpu_mac_collect(mac, WAIT_NS, deliver, &voice), 0, 1);
    assert_int_equal(voice.delivered, GPU_MAC_BATCHES);
    close_voice(&voice);
}

static void test_missing_history(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {2, 2, 9, 4, 64};
    struct voice voice;
    open_voice(&voice, &shape, 3);
    choir_sing(&voice.choir, 0);
    assert_int_equal(add(&voice, 0, 0), -ENODATA); // no impulses yet
    load(&voice);
    run(&voice, 1);
    for (uint64_t sequence = 2; sequence < 10; sequence++)
        choir_sing(&voice.choir, sequence);
    assert_int_equal(add(&voice, 0, 9), -ENODATA); // 2 to 8 were left out
    for (uint64_t sequence = 10; sequence < 12; sequence++) {
        choir_sing(&voice.choir, sequence);
        assert_int_equal(add(&voice, 0, sequence), -ENODATA);
    }
    run(&voice, 12);
    // Fed from the middle again: the history is whole at once.
    for (uint64_t sequence = 13; sequence < 30; sequence++)
        choir_sing(&voice.choir, sequence);
    for (uint64_t sequence = 26; sequence < 29; sequence++)
        assert_int_equal(gpu_bank_feed(voice.bank, sequence, choir_inputs(&voice.choir, sequence)),
                         0);
    assert_int_equal(add(&voice, 0, 29), 0);
    collect_all(&voice);
    assert_int_equal(voice.delivered, 3);
    assert_true(voice.error_db <= BOUND_DB);
    close_voice(&voice);
}

/// What is being read is not written over.
static void test_guards_history(void **state)
{
    (void)state;
    struct gpu_mac_shape shape = {1, 1, 1, 3, 32};
    struct voice voice;
    float row[64] = {0};
    open_voice(&voice, &shape, 4);
    load(&voice);
    choir_sing(&voice.choir, 0);
    choir_sing(&voice.choir, 1);
    assert_int_equal(gpu_bank_feed(voice.bank, 0, choir_inputs(&voice.choir, 0)), 0);
    assert_int_equal(add(&voice, 0, 1), 0);
    for (uint64_t ahead = 2; ahead <= 4; ahead++)
        assert_int_equal(gpu_bank_feed(voice.bank, ahead, row), 0);
    assert_int_equal(gpu_bank_feed(voice.bank, 5, row), -EBUSY);
    assert_int_equal(gpu_bank_feed(voice.bank, 1, row), -EBUSY);
    collect_all(&voice);
    assert_int_equal(gpu_bank_feed(voice.bank, 5, row), 0);
    assert_true(voice.error_db <= BOUND_DB);
    close_voice(&voice);
}

static void test_refuses_impossible_banks(void **state)
{
    (void)state;
    static const struct gpu_mac_shape shapes[] = {
        {0, 1, 1, 1, 16},          {3, 1, 1, 1, 16},    {1, 0, 1, 1, 16},  {1, 1, 0, 1, 16},
        {1, 1, 2, 1, 16},          {2, 2, 16, 1, 16},   {1, 1, 1, 0, 16},  {1, 1, 1, 1, 8},
        {1, 1, 1, 1, 48},          {1, 1, 1, 4097, 16}, {1, 1, 1, 1, ~0u}, {1, 1, 1, ~0u, 16},
        {2, 2, 15, 4096, 1 << 17},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        assert_null(gpu_bank_create(mac, &shapes[i]));
        assert_int_equal(errno, EINVAL);
    }
    struct gpu_mac_shape shape = {1, 1, 1, 2, 16};
    float row[32] = {0};
    struct gpu_bank *bank = gpu_bank_create(mac, &shape);
    assert_int_equal(gpu_bank_load(bank, 1, row), -EINVAL);
    assert_int_equal(gpu_bank_load(bank, 0, row), 0);
    assert_int_equal(gpu_bank_load(bank, 0, row), -EINVAL);
    assert_int_equal(gpu_bank_load(bank, 1, row), 0);
    assert_int_equal(gpu_bank_load(bank, 2, row), -EINVAL);
    gpu_bank_destroy(bank);
}

static void test_self_test(void **state)
{
    (void)state;
    struct self_test result;
    assert_int_equal(self_test_run(mac, NULL, NULL, &result), 0);
    printf("    self-test %.1f dB, round trip %.0f us, at worst %.0f us\n", result.error_db,
           result.round_trip_us, result.round_trip_worst_us);
    assert_true(result.error_db <= SELF_TEST_ERROR_DB);
    assert_true(result.round_trip_us > 0 && result.round_trip_worst_us >= result.round_trip_us);
}

/// A shader that computes something else is found out.
static void test_self_test_can_fail(void **state)
{
    (void)state;
    char why[512], *source = strdup(shaders_mac);
    struct self_test result;
    char *at = strstr(source, "x.cross * h_im");
    assert_non_null(at);
    memcpy(at, "x.cross * h_re", strlen("x.cross * h_re"));
    struct gpu_mac_settings settings = {.source = source};
    struct gpu_mac *wrong = gpu_mac_create(device, &settings, why, sizeof why);
    assert_non_null(wrong);
    assert_int_equal(self_test_run(wrong, NULL, NULL, &result), 0);
    assert_true(result.error_db > -20);
    gpu_mac_destroy(wrong);
    free(source);
}

static void test_shader_keeps_to_the_limits(void **state)
{
    (void)state;
    char why[512];
    struct pipeline pipeline;
    GLint size[3] = {0}, buffers = 0;
    assert_non_null(strstr(shaders_mac, "Reference: dsp/gpu/mac_reference.c"));
    assert_non_null(strstr(shaders_mac, "precision highp float;"));
    assert_null(strstr(shaders_mac, "mediump"));
    assert_int_equal(pipeline_init(&pipeline, device, shaders_mac, NULL, why, sizeof why), 0);
    glGetProgramiv(pipeline.program, GL_COMPUTE_WORK_GROUP_SIZE, size);
    glGetProgramInterfaceiv(pipeline.program, GL_SHADER_STORAGE_BLOCK, GL_ACTIVE_RESOURCES,
                            &buffers);
    assert_in_range(size[0] * size[1] * size[2], 1, GPU_INVOCATIONS_MAX);
    assert_in_range(buffers, 1, GPU_STORAGE_BUFFERS_MAX);
    pipeline_finish(&pipeline);
}

static int use(bool is_unmapped)
{
    char why[512] = "";
    struct gpu_mac_settings settings = {.is_unmapped = is_unmapped};
    mac = gpu_mac_create(device, &settings, why, sizeof why);
    if (!mac)
        fprintf(stderr, "%s\n", why);
    return mac ? 0 : -1;
}

static int use_mapped(void **state)
{
    (void)state;
    return use(false);
}

static int use_unmapped(void **state)
{
    (void)state;
    return use(true);
}

static int stop_using(void **state)
{
    (void)state;
    gpu_mac_destroy(mac);
    return gpu_device_has_failed("test") ? -1 : 0;
}

int main(void)
{
    char why[512] = "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_reference),
        cmocka_unit_test(test_divides_what_is_long),
        cmocka_unit_test(test_lowest_and_highest_bin),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_refuses_what_it_has_no_room_for),
        cmocka_unit_test(test_missing_history),
        cmocka_unit_test(test_guards_history),
        cmocka_unit_test(test_refuses_impossible_banks),
        cmocka_unit_test(test_self_test),
        cmocka_unit_test(test_self_test_can_fail),
        cmocka_unit_test(test_shader_keeps_to_the_limits),
    };
    device = gpu_device_create(why, sizeof why);
    if (!device) {
        printf("no device: %s\n", why);
        return 1;
    }
    printf("device: %s, by %s\n", gpu_device_about(device)->name,
           gpu_device_about(device)->platform);
    outputs = malloc(2 * 2 * sizeof(float) << 17);
    int failed = cmocka_run_group_tests_name("mapped", tests, use_mapped, stop_using);
    failed += cmocka_run_group_tests_name("unmapped", tests, use_unmapped, stop_using);
    free(outputs);
    gpu_device_destroy(device);
    return failed;
}
