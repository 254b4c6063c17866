// Watches the audio thread: aborts with the name of the function and a backtrace when a thread that
// has declared itself real-time (`rt_set(true)`) locks, waits, allocates, frees, logs or makes a
// system call.
//
// Two nets, one behind the other:
//
// 1. Functions. The shared object stands before libc, so that its malloc, write, and so on are
//    found first, by the program and by its libraries. That names the culprit well, but calls
//    inside libc (fwrite calling write, say) do not pass here.
// 2. The kernel. From Linux 5.11, on x86-64, "system call user dispatch" turns every system call of
//    the thread into SIGSYS while a byte in its memory says so. Nothing passes by that, not even
//    an instruction in hand-written assembler. Where it is missing the interposer says so once.
//
// Allowed is what wakes a waiting worker: sem_post, and the futex calls that wake. Also allowed is
// reading the clock, which is no system call unless the clock of the machine is an odd one.

#define _GNU_SOURCE
#include "tests/rt/interposer.h"
#include "tests/rt/kernel_watch.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

// Static TLS: the first touch of another kind may allocate.
static _Thread_local bool is_watched __attribute__((tls_model("initial-exec")));
static bool is_kernel_watched;

enum interposer_reach interposer_reach(void)
{
    return is_kernel_watched ? INTERPOSER_KERNEL : INTERPOSER_FUNCTIONS;
}

// Called by rt_set() in dsp/base/rt.c, where it is a weak symbol.
void rt_hook(bool is_realtime);
void rt_hook(bool is_realtime)
{
    is_watched = false;
    if (is_kernel_watched)
        kernel_watch_set(is_realtime);
    is_watched = is_realtime;
}

static _Noreturn void report(const char *what)
{
    rt_hook(false);
    static const char head[] = "rt: a real-time thread called ";
    struct iovec line[] = {
        {(void *)head, sizeof head - 1}, {(void *)what, strlen(what)}, {"\n", 1}};
    (void)!writev(STDERR_FILENO, line, 3);
    void *frame[64];
    backtrace_symbols_fd(frame, backtrace(frame, 64), STDERR_FILENO);
    abort();
}

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        report("a function that libc has not got");
    return function;
}

// A watched function with a fixed list of arguments: refuses, or calls the one of libc.
#define WATCH(type, name, parameters, arguments)                                                   \
    type name parameters                                                                           \
    {                                                                                              \
        static __typeof__(name) *_Atomic real;                                                     \
        if (is_watched)                                                                            \
            report(#name);                                                                         \
        if (!real)                                                                                 \
            real = next(#name);                                                                    \
        return real arguments;                                                                     \
    }

// dlsym() may allocate: these go to the names under which glibc keeps its own.
#define WATCH_HEAP(type, name, real, parameters, arguments)                                        \
    type real parameters;                                                                          \
    type name parameters                                                                           \
    {                                                                                              \
        if (is_watched)                                                                            \
            report(#name);                                                                         \
        return real arguments;                                                                     \
    }

WATCH_HEAP(void *, malloc, __libc_malloc, (size_t bytes), (bytes))
WATCH_HEAP(void *, calloc, __libc_calloc, (size_t count, size_t bytes), (count, bytes))
WATCH_HEAP(void *, realloc, __libc_realloc, (void *block, size_t bytes), (block, bytes))
WATCH_HEAP(void, free, __libc_free, (void *block), (block))
WATCH_HEAP(void *, memalign, __libc_memalign, (size_t align, size_t bytes), (align, bytes))
WATCH_HEAP(void *, aligned_alloc, __libc_memalign, (size_t align, size_t bytes), (align, bytes))
WATCH(int, posix_memalign, (void **block, size_t align, size_t bytes), (block, align, bytes))

WATCH(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
WATCH(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
WATCH(int, pthread_mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *until),
      (mutex, until))
WATCH(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
WATCH(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
WATCH(int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
WATCH(int, pthread_spin_lock, (pthread_spinlock_t * lock), (lock))
WATCH(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex),
      (condition, mutex))
WATCH(int, pthread_cond_timedwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, const struct timespec *until),
      (condition, mutex, until))
WATCH(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
WATCH(int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
WATCH(int, pthread_create,
      (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context),
      (thread, attributes, run, context))
WATCH(int, pthread_join, (pthread_t thread, void **result), (thread, result))
WATCH(int, sem_wait, (sem_t * semaphore), (semaphore))
WATCH(int, sem_trywait, (sem_t * semaphore), (semaphore))
WATCH(int, sem_timedwait, (sem_t * semaphore, const struct timespec *until), (semaphore, until))

WATCH(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))
WATCH(int, clock_nanosleep,
      (clockid_t clock, int flags, const struct timespec *span, struct timespec *left),
      (clock, flags, span, left))
WATCH(int, usleep, (useconds_t span_us), (span_us))
WATCH(unsigned, sleep, (unsigned span_s), (span_s))
WATCH(int, sched_yield, (void), ())
WATCH(int, poll, (struct pollfd * files, nfds_t count, int timeout_ms), (files, count, timeout_ms))
WATCH(int, select,
      (int count, fd_set *readable, fd_set *writable, fd_set *failed, struct timeval *timeout),
      (count, readable, writable, failed, timeout))
WATCH(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout_ms),
      (epoll, events, count, timeout_ms))

WATCH(ssize_t, read, (int file, void *bytes, size_t count), (file, bytes, count))
WATCH(ssize_t, write, (int file, const void *bytes, size_t count), (file, bytes, count))
WATCH(ssize_t, send, (int file, const void *bytes, size_t count, int flags),
      (file, bytes, count, flags))
WATCH(ssize_t, recv, (int file, void *bytes, size_t count, int flags), (file, bytes, count, flags))
WATCH(ssize_t, sendto,
      (int file, const void *bytes, size_t count, int flags, const struct sockaddr *to,
       socklen_t to_bytes),
      (file, bytes, count, flags, to, to_bytes))
WATCH(int, close, (int file), (file))
WATCH(void *, mmap, (void *at, size_t bytes, int protection, int flags, int file, off_t offset),
      (at, bytes, protection, flags, file, offset))
WATCH(int, munmap, (void *at, size_t bytes), (at, bytes))

WATCH(FILE *, fopen, (const char *path, const char *mode), (path, mode))
WATCH(int, fclose, (FILE * file), (file))
WATCH(int, fflush, (FILE * file), (file))
WATCH(size_t, fread, (void *to, size_t bytes, size_t count, FILE *file), (to, bytes, count, file))
WATCH(size_t, fwrite, (const void *from, size_t bytes, size_t count, FILE *file),
      (from, bytes, count, file))
WATCH(int, puts, (const char *line), (line))
WATCH(int, putchar, (int character), (character))
WATCH(int, fputs, (const char *text, FILE *file), (text, file))
WATCH(int, fputc, (int character, FILE *file), (character, file))
WATCH(int, vprintf, (const char *format, va_list list), (format, list))
WATCH(int, vfprintf, (FILE * file, const char *format, va_list list), (file, format, list))
WATCH(void, vsyslog, (int priority, const char *format, va_list list), (priority, format, list))

// What follows has no fixed list of arguments. The forms with _chk are those of hardened builds,
// such as the libraries of Debian.

int printf(const char *format, ...)
{
    if (is_watched)
        report("printf");
    va_list list;
    va_start(list, format);
    int count = vprintf(format, list);
    va_end(list);
    return count;
}

int fprintf(FILE *file, const char *format, ...)
{
    if (is_watched)
        report("fprintf");
    va_list list;
    va_start(list, format);
    int count = vfprintf(file, format, list);
    va_end(list);
    return count;
}

int __printf_chk(int flag, const char *format, ...);
int __printf_chk(int flag, const char *format, ...)
{
    (void)flag;
    if (is_watched)
        report("printf");
    va_list list;
    va_start(list, format);
    int count = vprintf(format, list);
    va_end(list);
    return count;
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...);
int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    (void)flag;
    if (is_watched)
        report("fprintf");
    va_list list;
    va_start(list, format);
    int count = vfprintf(file, format, list);
    va_end(list);
    return count;
}

int open(const char *path, int flags, ...)
{
    if (is_watched)
        report("open");
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t); // read as libc reads it: there whether passed or not
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

// On 64-bit machines the same function by a second name.
int open64(const char *path, int flags, ...)
{
    if (is_watched)
        report("open");
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t);
    va_end(list);
    return openat(AT_FDCWD, path, flags, mode);
}

int ioctl(int file, unsigned long request, ...)
{
    static __typeof__(ioctl) *_Atomic real;
    if (is_watched)
        report("ioctl");
    if (!real)
        real = next("ioctl");
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    return real(file, request, argument);
}

long syscall(long number, ...)
{
    static __typeof__(syscall) *_Atomic real;
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (is_watched && !kernel_watch_allows(number, a[1]))
        report("syscall");
    if (!real)
        real = next("syscall");
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static _Noreturn void report_system_call(long number)
{
    rt_hook(false);
    char what[40];
    snprintf(what, sizeof what, "system call %ld", number);
    report(what);
}

__attribute__((constructor)) static void begin(void)
{
    void *frame[1];
    backtrace(frame, 1); // loads its library now, not in the midst of a report
    is_kernel_watched = kernel_watch_begin(report_system_call);
    if (!is_kernel_watched)
        fputs("rt: this kernel cannot stop system calls; only functions are watched\n", stderr);
}
