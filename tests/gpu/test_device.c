/// Opening a device: what it tells of itself, and that nothing of it is left.
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dsp/gpu/buffer.h"
#include "dsp/gpu/device.h"

static int count_files(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void test_tells_what_it_is(void **state)
{
    (void)state;
    char why[256] = "";
    struct gpu_device *device = gpu_device_create(why, sizeof why);
    assert_non_null(device);
    const struct gpu_device_about *about = gpu_device_about(device);
    assert_true(strlen(about->name) > 0 && strlen(about->platform) > 0);
    assert_true(strncmp(about->version, "OpenGL ES 3.", 12) == 0);
    printf("    %s, %s, by %s\n", about->name, about->version, about->platform);
    if (strstr(about->name, "llvmpipe"))
        assert_true(about->is_software);
    gpu_device_destroy(device);
}

static void test_opens_again_and_again(void **state)
{
    (void)state;
    char why[256] = "";
    int files = 0;
    for (int i = 0; i < 10; i++) {
        struct gpu_device *device = gpu_device_create(why, sizeof why);
        assert_non_null(device);
        gpu_device_destroy(device);
        // Mesa keeps some for itself from the first time on.
        if (i == 2)
            files = count_files();
    }
    assert_int_equal(count_files(), files);
    gpu_device_destroy(NULL);
}

static void test_no_egl(void **state)
{
    (void)state;
    fflush(NULL);
    // The library reads its environment once: so in a process of its own.
    pid_t child = fork();
    if (child == 0) {
        char why[256] = "";
        setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent", 1);
        struct gpu_device *device = gpu_device_create(why, sizeof why);
        _exit(!device && errno == ENODEV && strlen(why) > 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void check_buffers(bool may_stay_mapped)
{
    unsigned char data[1000], back[1000];
    struct gpu_buffer buffer;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 13);
    assert_int_equal(gpu_buffer_init(&buffer, GPU_BUFFER_UP, 0, may_stay_mapped), -EINVAL);
    assert_int_equal(
        gpu_buffer_init(&buffer, GPU_BUFFER_UP, (size_t)GPU_STORAGE_BYTES_MAX + 1, may_stay_mapped),
        -EINVAL);
    assert_int_equal(gpu_buffer_init(&buffer, GPU_BUFFER_UP, 4000, may_stay_mapped), 0);
    assert_int_equal(buffer.map != NULL, may_stay_mapped);
    assert_int_equal(gpu_buffer_write(&buffer, 1000, data, sizeof data), 0);
    gpu_buffer_finish(&buffer);
    assert_int_equal(gpu_buffer_init(&buffer, GPU_BUFFER_CONSTANT, 4000, may_stay_mapped), 0);
    assert_null(buffer.map);
    assert_int_equal(gpu_buffer_write(&buffer, 3000, data, sizeof data), 0);
    assert_int_equal(gpu_buffer_read(&buffer, 3000, back, sizeof back), 0);
    assert_memory_equal(data, back, sizeof back);
    gpu_buffer_finish(&buffer);
    gpu_buffer_finish(&buffer);
}

static void test_buffers(void **state)
{
    (void)state;
    char why[256] = "";
    struct gpu_device *device = gpu_device_create(why, sizeof why);
    assert_non_null(device);
    check_buffers(false);
    if (gpu_device_about(device)->has_buffer_storage)
        check_buffers(true);
    assert_false(gpu_device_has_failed("test"));
    gpu_device_destroy(device);
}

int main(void)
{
    // The one without EGL first: it must be the first to load it.
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_egl),
        cmocka_unit_test(test_tells_what_it_is),
        cmocka_unit_test(test_opens_again_and_again),
        cmocka_unit_test(test_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
