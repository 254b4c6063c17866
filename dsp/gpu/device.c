#define _GNU_SOURCE
#include "dsp/gpu/device.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl31.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NODE_FIRST = 128, NODE_LAST = 191, EGL_DEVICES_MAX = 16 };

struct gpu_device {
    int node; ///< the render node, or -1
    struct gbm_device *gbm;
    EGLDisplay display;
    EGLContext context;
    struct gpu_device_about about;
};

struct reason {
    char *text;
    size_t bytes;
};

__attribute__((format(printf, 2, 3))) static void explain(const struct reason *why,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, why->bytes, format, arguments);
    va_end(arguments);
}

/// Whether a list of words has one; "GL_EXT_a" is no word of "GL_EXT_ab".
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at && (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static bool has_client_extension(const char *name)
{
    return has_word(eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS), name);
}

// ---- What it is ----

static bool is_software(const char *name)
{
    static const char *const names[] = {"llvmpipe", "softpipe", "swrast", "SwiftShader",
                                        "Software Rasterizer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(name, names[i]))
            return true;
    return false;
}

static void copy_text(char to[GPU_TEXT_BYTES], GLenum name)
{
    const GLubyte *text = glGetString(name);
    snprintf(to, GPU_TEXT_BYTES, "%s", text ? (const char *)text : "");
}

static void describe(struct gpu_device *device)
{
    struct gpu_device_about *about = &device->about;
    const char *extensions = (const char *)glGetString(GL_EXTENSIONS);
    GLint formats = 0;
    copy_text(about->name, GL_RENDERER);
    copy_text(about->vendor, GL_VENDOR);
    copy_text(about->version, GL_VERSION);
    glGetIntegerv(GL_NUM_PROGRAM_BINARY_FORMATS, &formats);
    about->is_software = is_software(about->name);
    about->has_buffer_storage = has_word(extensions, "GL_EXT_buffer_storage");
    about->has_binaries = formats > 0;
}

static bool has_limits(const struct reason *why)
{
    static const struct {
        GLenum name;
        GLint least;
        const char *what;
    } limits[] = {
        {GL_MAX_COMPUTE_WORK_GROUP_INVOCATIONS, 64, "invocations in a group"},
        {GL_MAX_COMPUTE_SHADER_STORAGE_BLOCKS, GPU_STORAGE_BUFFERS_MAX, "storage buffers"},
        {GL_MAX_SHADER_STORAGE_BLOCK_SIZE, GPU_STORAGE_BYTES_MAX, "bytes in a storage buffer"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        GLint value = 0;
        glGetIntegerv(limits[i].name, &value);
        if (value < limits[i].least) {
            explain(why, "it has %d %s, at least %d are needed", value, limits[i].what,
                    limits[i].least);
            return false;
        }
    }
    return true;
}

// ---- Opening one ----

static EGLConfig choose_config(EGLDisplay display)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_DONT_CARE, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES3_BIT, EGL_NONE};
    EGLConfig config = EGL_NO_CONFIG_KHR;
    EGLint count = 0;
    if (has_word(eglQueryString(display, EGL_EXTENSIONS), "EGL_KHR_no_config_context"))
        return EGL_NO_CONFIG_KHR;
    if (!eglChooseConfig(display, wanted, &config, 1, &count) || count < 1)
        return EGL_NO_CONFIG_KHR;
    return config;
}

static bool open_context(struct gpu_device *device, const struct reason *why)
{
    static const EGLint version[] = {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_MINOR_VERSION, 1,
                                     EGL_NONE};
    if (!eglInitialize(device->display, NULL, NULL)) {
        device->display = EGL_NO_DISPLAY;
        explain(why, "EGL does not start (error 0x%x)", (unsigned)eglGetError());
        return false;
    }
    eglBindAPI(EGL_OPENGL_ES_API);
    device->context =
        eglCreateContext(device->display, choose_config(device->display), EGL_NO_CONTEXT, version);
    if (device->context == EGL_NO_CONTEXT) {
        explain(why, "it has no GLES 3.1 (error 0x%x)", (unsigned)eglGetError());
        return false;
    }
    if (!eglMakeCurrent(device->display, EGL_NO_SURFACE, EGL_NO_SURFACE, device->context)) {
        explain(why, "it cannot work without a surface (error 0x%x)", (unsigned)eglGetError());
        return false;
    }
    describe(device);
    return has_limits(why);
}

static struct gpu_device *new_device(const char *platform)
{
    struct gpu_device *device = calloc(1, sizeof *device);
    if (!device)
        return NULL;
    device->node = -1;
    device->display = EGL_NO_DISPLAY;
    device->context = EGL_NO_CONTEXT;
    snprintf(device->about.platform, sizeof device->about.platform, "%s", platform);
    return device;
}

/// The device when its context opens, else NULL; frees it then.
static struct gpu_device *opened(struct gpu_device *device, const struct reason *why)
{
    char because[GPU_TEXT_BYTES] = "EGL knows no display there";
    struct reason detail = {because, sizeof because};
    if (device->display != EGL_NO_DISPLAY && open_context(device, &detail))
        return device;
    explain(why, "%s: %s", device->about.platform, because);
    gpu_device_destroy(device);
    return NULL;
}

static struct gpu_device *open_node(int number, const struct reason *why)
{
    char path[32];
    snprintf(path, sizeof path, "/dev/dri/renderD%d", number);
    int node = open(path, O_RDWR | O_CLOEXEC);
    if (node < 0 && errno != ENOENT)
        explain(why, "%s: %s", path, strerror(errno));
    struct gpu_device *device = node < 0 ? NULL : new_device(path);
    if (!device) {
        if (node >= 0)
            close(node);
        return NULL;
    }
    device->node = node;
    device->gbm = gbm_create_device(node);
    if (device->gbm)
        device->display = eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, device->gbm, NULL);
    return opened(device, why);
}

static struct gpu_device *open_egl_device(int number, const struct reason *why)
{
    PFNEGLQUERYDEVICESEXTPROC query =
        (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
    EGLDeviceEXT devices[EGL_DEVICES_MAX];
    EGLint count = 0;
    if (!query || !query(EGL_DEVICES_MAX, devices, &count) || number >= count)
        return NULL;
    struct gpu_device *device = new_device("EGL device");
    if (!device)
        return NULL;
    device->display = eglGetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, devices[number], NULL);
    return opened(device, why);
}

static struct gpu_device *open_surfaceless(int number, const struct reason *why)
{
    (void)number;
    struct gpu_device *device = new_device("surfaceless");
    if (!device)
        return NULL;
    device->display =
        eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    return opened(device, why);
}

static const struct way {
    const char *extension; ///< of EGL itself
    struct gpu_device *(*open)(int number, const struct reason *why);
    int first, last;
} ways[] = {
    {"EGL_KHR_platform_gbm", open_node, NODE_FIRST, NODE_LAST},
    {"EGL_EXT_platform_device", open_egl_device, 0, EGL_DEVICES_MAX - 1},
    {"EGL_MESA_platform_surfaceless", open_surfaceless, 0, 0},
};

/// The first that is hardware, or that of any kind.
static struct gpu_device *open_first(bool is_software_welcome, const struct reason *why)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        for (int number = ways[i].first;
             has_client_extension(ways[i].extension) && number <= ways[i].last; number++) {
            struct gpu_device *device = ways[i].open(number, why);
            if (device && (is_software_welcome || !device->about.is_software))
                return device;
            gpu_device_destroy(device);
        }
    return NULL;
}

struct gpu_device *gpu_device_create(char *why, size_t why_bytes)
{
    struct reason reason = {why, why_bytes};
    explain(&reason, "EGL finds no graphics processor");
    struct gpu_device *device = open_first(false, &reason);
    if (!device)
        device = open_first(true, &reason);
    if (!device)
        errno = ENODEV;
    return device;
}

void gpu_device_destroy(struct gpu_device *device)
{
    if (!device)
        return;
    if (device->display != EGL_NO_DISPLAY) {
        eglMakeCurrent(device->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        if (device->context != EGL_NO_CONTEXT)
            eglDestroyContext(device->display, device->context);
        eglTerminate(device->display);
        eglReleaseThread();
    }
    if (device->gbm)
        gbm_device_destroy(device->gbm);
    if (device->node >= 0)
        close(device->node);
    free(device);
}

const struct gpu_device_about *gpu_device_about(const struct gpu_device *device)
{
    return &device->about;
}

bool gpu_device_has_failed(const char *where)
{
    bool has_failed = false;
    GLenum error;
    // A lost context may report errors for ever.
    for (int i = 0; i < 8 && (error = glGetError()) != GL_NO_ERROR; i++) {
        fprintf(stderr, "%s: GL error 0x%x\n", where, (unsigned)error);
        has_failed = true;
    }
    return has_failed;
}
