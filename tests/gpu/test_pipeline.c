/// Shaders compiled, refused, kept in a folder and taken from it; and the files that keep them.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dsp/gpu/binary_cache.h"
#include "dsp/gpu/mac.h"
#include "dsp/gpu/pipeline.h"
#include "dsp/gpu/self_test.h"
#include "dsp/gpu/shaders.h"

static struct gpu_device *device;
static char folder[64], path[128];
static char why[512];

/// The only file of the folder.
static void find_file(void)
{
    char command[128];
    snprintf(command, sizeof command, "echo %s/*", folder);
    FILE *pipe = popen(command, "re");
    assert_non_null(fgets(path, sizeof path, pipe));
    pclose(pipe);
    path[strcspn(path, "\n")] = '\0';
    assert_null(strchr(path, ' '));
}

static void clear_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    assert_int_equal(system(command), 0);
}

static bool make_pipeline(const char *source)
{
    struct pipeline pipeline;
    assert_int_equal(pipeline_init(&pipeline, device, source, folder, why, sizeof why), 0);
    bool is_kept = pipeline.is_kept;
    pipeline_finish(&pipeline);
    return is_kept;
}

static void test_keeps_what_it_linked(void **state)
{
    (void)state;
    assert_false(make_pipeline(shaders_mac));
    assert_true(make_pipeline(shaders_mac));
    clear_folder();
    assert_false(make_pipeline(shaders_mac));
}

static void test_what_was_kept_computes(void **state)
{
    (void)state;
    struct gpu_mac_settings settings = {.folder = folder};
    struct self_test result;
    assert_true(make_pipeline(shaders_mac));
    struct gpu_mac *mac = gpu_mac_create(device, &settings, why, sizeof why);
    assert_non_null(mac);
    assert_int_equal(self_test_run(mac, NULL, NULL, &result), 0);
    assert_true(result.error_db <= SELF_TEST_ERROR_DB);
    gpu_mac_destroy(mac);
}

static void test_another_text_is_another_program(void **state)
{
    (void)state;
    char *other = malloc(strlen(shaders_mac) + 16);
    assert_true(make_pipeline(shaders_mac));
    sprintf(other, "%s// more\n", shaders_mac);
    assert_false(make_pipeline(other));
    free(other);
    clear_folder();
}

/// Whatever became of the file, the shader works, and the file is good again.
static void check_damage(long at, int c, long length)
{
    assert_true(make_pipeline(shaders_mac));
    find_file();
    FILE *file = fopen(path, "r+");
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(c, file);
    fclose(file);
    if (length >= 0)
        assert_int_equal(truncate(path, length), 0);
    assert_false(make_pipeline(shaders_mac));
}

static void test_damaged_files(void **state)
{
    (void)state;
    make_pipeline(shaders_mac);
    check_damage(0, 'x', -1);   // no file of ours
    check_damage(8, 0x5a, -1);  // another key
    check_damage(22, 0x7f, -1); // an endless one
    check_damage(-5, 0x5a, -1); // other bytes
    check_damage(0, 'c', 100);  // torn
    check_damage(0, 'c', 0);    // empty
    assert_true(make_pipeline(shaders_mac));
}

/// A file that is whole, but no program: the driver refuses it.
static void test_driver_refuses_a_binary(void **state)
{
    (void)state;
    uint32_t format;
    size_t bytes;
    make_pipeline(shaders_mac);
    find_file();
    uint64_t key = strtoull(strrchr(path, '-') + 1, NULL, 16);
    unsigned char *binary = binary_cache_read(folder, key, &format, &bytes);
    assert_non_null(binary);
    memset(binary, 0x5a, bytes);
    assert_int_equal(binary_cache_write(folder, key, format, binary, bytes), 0);
    free(binary);
    assert_false(make_pipeline(shaders_mac));
    assert_true(make_pipeline(shaders_mac));
    assert_false(gpu_device_has_failed("test"));
}

static void test_folder_that_is_not_there(void **state)
{
    (void)state;
    struct pipeline pipeline;
    assert_int_equal(
        pipeline_init(&pipeline, device, shaders_mac, "/nonexistent/gpu", why, sizeof why), 0);
    assert_false(pipeline.is_kept);
    pipeline_finish(&pipeline);
}

static void expect_refusal(const char *source)
{
    struct pipeline pipeline;
    why[0] = '\0';
    assert_int_equal(pipeline_init(&pipeline, device, source, folder, why, sizeof why), -EINVAL);
    assert_true(strlen(why) > 0);
    pipeline_finish(&pipeline);
    struct gpu_mac_settings settings = {.source = source, .folder = folder};
    assert_null(gpu_mac_create(device, &settings, why, sizeof why));
    assert_int_equal(errno, EINVAL);
}

static void test_tells_why_a_shader_is_refused(void **state)
{
    (void)state;
    expect_refusal("");
    expect_refusal("#version 310 es\nlayout(local_size_x = 64) in;\nvoid main() { frobnicate(); }");
    assert_non_null(strstr(why, "frobnicate"));
    expect_refusal("#version 310 es\nvoid main() {}"); // no size
    expect_refusal("#version 310 es\nlayout(local_size_x = 100000) in;\nvoid main() {}");
    expect_refusal(
        "#version 310 es\nlayout(local_size_x = 1) in;\nvoid f();\nvoid main() { f(); }");
    assert_false(gpu_device_has_failed("test"));
}

static void test_files_keep_bytes(void **state)
{
    (void)state;
    unsigned char data[1000], *read;
    uint32_t format = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    for (size_t count = 1; count <= sizeof data; count += 333) {
        assert_int_equal(binary_cache_write(folder, count, 77, data, count), 0);
        read = binary_cache_read(folder, count, &format, &bytes);
        assert_non_null(read);
        assert_int_equal(bytes, count);
        assert_int_equal(format, 77);
        assert_memory_equal(read, data, count);
        free(read);
    }
    assert_null(binary_cache_read(folder, 12345, &format, &bytes));
    assert_int_equal(binary_cache_write(folder, 1, 1, data, 0), -EINVAL);
    assert_int_equal(binary_cache_write("/nonexistent", 1, 1, data, 1), -ENOENT);
    clear_folder();
}

static int enter(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/consort-gpu-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    clear_folder();
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_keep_bytes),
        cmocka_unit_test(test_keeps_what_it_linked),
        cmocka_unit_test(test_what_was_kept_computes),
        cmocka_unit_test(test_another_text_is_another_program),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_driver_refuses_a_binary),
        cmocka_unit_test(test_folder_that_is_not_there),
        cmocka_unit_test(test_tells_why_a_shader_is_refused),
    };
    device = gpu_device_create(why, sizeof why);
    if (!device) {
        printf("no device: %s\n", why);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, enter, leave);
    gpu_device_destroy(device);
    return failed;
}
