// The interposer itself: every crime ends the process with the right name, every innocent passes.
//
// variants: release

#include "dsp/base/ring.h"
#include "dsp/base/rt.h"
#include "tests/rt/interposer.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static void *volatile block; // volatile: what the compiler sees unused it leaves out
static volatile int descriptor = STDERR_FILENO;

static void *sleep_on(void *unused)
{
    (void)unused;
    sem_wait(&semaphore);
    return NULL;
}

// Crimes ----------------------------------------------------------------------------------------

static void do_malloc(void) { block = malloc(64); }
static void do_calloc(void) { block = calloc(4, 16); }
static void do_realloc(void)
{
    void *moved = realloc(block, 128);
    block = moved;
}
static void do_free(void) { free(block); }
static void do_aligned_alloc(void) { block = aligned_alloc(64, 64); }
static void do_posix_memalign(void) { (void)!posix_memalign((void **)&block, 64, 64); }
static void do_strdup(void) { block = strdup("an allocation inside libc"); }
static void do_lock(void) { pthread_mutex_lock(&mutex); }
static void do_trylock(void) { (void)!pthread_mutex_trylock(&mutex); }
static void do_signal(void) { pthread_cond_signal(&condition); }
static void do_wait(void) { pthread_cond_wait(&condition, &mutex); }
static void do_sem_wait(void) { sem_wait(&semaphore); }
static void do_nanosleep(void) { nanosleep(&(struct timespec){.tv_nsec = 1}, NULL); }
static void do_usleep(void) { usleep(1); }
static void do_poll(void) { poll(NULL, 0, 0); }
static void do_open(void) { descriptor = open("/dev/null", O_RDONLY); }
static void do_read(void) { (void)!read(descriptor, &(char){0}, 1); }
static void do_write(void) { (void)!write(descriptor, "x", 1); }
static void do_ioctl(void) { ioctl(descriptor, FIONREAD, &(int){0}); }
static void do_mmap(void)
{
    block = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void do_munmap(void) { munmap(NULL, 4096); }
static void do_printf(void) { printf("%d\n", descriptor); }
static void do_fprintf(void) { fprintf(stderr, "%d\n", descriptor); }
static void do_fopen(void) { block = fopen("/dev/null", "r"); }
static void do_syscall(void) { syscall(SYS_getpid); }
static void do_futex_wait(void) { syscall(SYS_futex, &(int){0}, FUTEX_WAIT, 1, NULL, NULL, 0); }

static const struct crime {
    const char *name; // as it is reported
    void (*commit)(void);
} crimes[] = {
    {"malloc", do_malloc},
    {"calloc", do_calloc},
    {"realloc", do_realloc},
    {"free", do_free},
    {"aligned_alloc", do_aligned_alloc},
    {"posix_memalign", do_posix_memalign},
    {"malloc", do_strdup},
    {"pthread_mutex_lock", do_lock},
    {"pthread_mutex_trylock", do_trylock},
    {"pthread_cond_signal", do_signal},
    {"pthread_cond_wait", do_wait},
    {"sem_wait", do_sem_wait},
    {"nanosleep", do_nanosleep},
    {"usleep", do_usleep},
    {"poll", do_poll},
    {"open", do_open},
    {"read", do_read},
    {"write", do_write},
    {"ioctl", do_ioctl},
    {"mmap", do_mmap},
    {"munmap", do_munmap},
    {"puts|printf", do_printf},
    {"fprintf", do_fprintf},
    {"fopen", do_fopen},
    {"syscall", do_syscall},
    {"syscall", do_futex_wait},
};

// Crimes that no wrapped function sees: only the kernel does.
static void do_getppid(void) { descriptor = getppid(); }
static void do_barrier(void) { pthread_kill(pthread_self(), 0); }
static void do_instruction(void)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getuid) : "rcx", "r11", "memory");
#endif
}

static const struct crime hidden_crimes[] = {
    {"system call 110", do_getppid},
    {"system call", do_barrier},
    {"system call 102", do_instruction},
};

// Runs `act` in a child process as real-time work. Returns its wait status, and in `said` what it
// wrote to standard error.
static int try_in_child(void (*act)(void), char *said, size_t said_bytes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        rt_set(true);
        act();
        rt_set(false);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(ends[0], said + length, said_bytes - 1 - length)) > 0)
        length += (size_t)count;
    said[length] = '\0';
    close(ends[0]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

// `name` may give two forms, parted by '|': a compiler turns printf("...\n") into puts.
static bool is_reported(const char *said, const char *name)
{
    char form[64];
    const char *second = strchr(name, '|');
    snprintf(form, sizeof form, "real-time thread called %.*s\n",
             second ? (int)(second - name) : (int)strlen(name), name);
    return strstr(said, form) || (second && is_reported(said, second + 1));
}

static void commit(const struct crime *crime, bool is_exact)
{
    char said[16384];
    int status = try_in_child(crime->commit, said, sizeof said);
    bool is_dead = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    bool is_named = is_exact ? is_reported(said, crime->name) : strstr(said, crime->name) != NULL;
    if (!is_dead || !is_named)
        fail_msg("%s: status %x, said: %s", crime->name, (unsigned)status, said);
    assert_non_null(strstr(said, "test_interposer")); // a backtrace
}

static void crimes_are_caught_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crimes / sizeof *crimes; i++)
        commit(&crimes[i], true);
}

static void hidden_system_calls_are_caught(void **state)
{
    (void)state;
    if (interposer_reach() != INTERPOSER_KERNEL)
        skip();
    for (size_t i = 0; i < sizeof hidden_crimes / sizeof *hidden_crimes; i++)
        commit(&hidden_crimes[i], false);
}

// The innocent ----------------------------------------------------------------------------------

static struct ring ring;

static void work(void)
{
    uint64_t value = 0, sum = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        ring_push(&ring, &i);
        if (ring_pop(&ring, &value))
            sum += value;
    }
    char text[64];
    memset(text, (int)sum, sizeof text);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sem_post(&semaphore);
}

static void honest_work_passes(void **state)
{
    (void)state;
    char said[4096];
    assert_int_equal(try_in_child(work, said, sizeof said), 0);
    assert_string_equal(said, "");
}

static void a_worker_is_woken(void **state)
{
    (void)state;
    pthread_t worker;
    assert_int_equal(pthread_create(&worker, NULL, sleep_on, NULL), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); // it sleeps in the kernel by now
    rt_set(true);
    int result = sem_post(&semaphore);
    rt_set(false);
    assert_int_equal(result, 0);
    assert_int_equal(pthread_join(worker, NULL), 0);
}

static void the_result_of_a_wake_comes_back(void **state)
{
    (void)state;
    int word = 0;
    rt_set(true);
    long woken = syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
    rt_set(false);
    assert_int_equal(woken, 0); // nobody slept
}

static void *allocate(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++)
        free(malloc(1 + (size_t)i * 100));
    return NULL;
}

static void other_threads_are_free(void **state)
{
    (void)state;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, allocate, NULL), 0);
    rt_set(true);
    for (volatile int i = 0; i < 10000000; i++)
        ;
    rt_set(false);
    assert_int_equal(pthread_join(other, NULL), 0);
}

static void the_mark_ends(void **state)
{
    (void)state;
    rt_set(true);
    assert_true(rt_is_set());
    rt_set(false);
    assert_false(rt_is_set());
    free(malloc(10));
    fprintf(stderr, "interposer: %s\n",
            interposer_reach() == INTERPOSER_KERNEL ? "functions and kernel" : "functions");
}

static int prepare(void **state)
{
    (void)state;
    block = malloc(1);
    return sem_init(&semaphore, 0, 0) != 0 || ring_init(&ring, 16, sizeof(uint64_t)) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crimes_are_caught_by_name),
        cmocka_unit_test(hidden_system_calls_are_caught),
        cmocka_unit_test(honest_work_passes),
        cmocka_unit_test(a_worker_is_woken),
        cmocka_unit_test(the_result_of_a_wake_comes_back),
        cmocka_unit_test(other_threads_are_free),
        cmocka_unit_test(the_mark_ends),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
