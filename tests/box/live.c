#define _GNU_SOURCE
#include "tests/box/live.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/audio.h"
#include "dsp/synth/font.h"

/// In the environment: what the thread sanitizer is told for the box.
#define BOX_OPTIONS "CONSORT_BOX_TSAN_OPTIONS"

enum { SERVER_NAMES = 4 };
enum { READY_MS = 40000, END_MS = 10000, STEP_MS = 10, LOG_MAX = 1 << 20, SKIPPED = 77 };

int64_t live_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void live_sleep_ms(int ms) { usleep((useconds_t)ms * 1000); }

// ---- places ----

const char *live_build(void)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(length > 0);
    path[length] = '\0';
    for (int up = 0; up < 3; up++) // build/release/tests/box/test_this
        dirname(path);
    return path;
}

const char *live_path(const struct live *live, const char *name, char *path, size_t bytes)
{
    snprintf(path, bytes, "%s/%s", live->folder, name);
    return path;
}

/// The thread sanitizer, as tests/run sets it, ends with threads that JACK cancels; told to look at
/// libraries too it does not. It shall judge the box, in which no race is known, and not this
/// process, in which two clients share JACK's buffers, whose order it cannot see.
static void judge_the_box_alone(char **arguments)
{
#ifdef __SANITIZE_THREAD__
    char options[1024];
    const char *given = getenv("TSAN_OPTIONS");
    if (getenv(BOX_OPTIONS))
        return;
    snprintf(options, sizeof options, "%s:ignore_noninstrumented_modules=0", given ? given : "");
    setenv(BOX_OPTIONS, options, 1);
    snprintf(options, sizeof options, "%s:report_bugs=0", getenv(BOX_OPTIONS));
    setenv("TSAN_OPTIONS", options, 1);
    execv("/proc/self/exe", arguments);
#else
    (void)arguments;
#endif
}

void live_need(char **arguments)
{
    char path[512];
    judge_the_box_alone(arguments);
    audio_set_log(NULL, NULL); // libjack complains aloud
    if (system("command -v jackd >/dev/null") != 0) {
        puts("jackd is not installed");
        exit(SKIPPED);
    }
    if (font_find(LIVE_FONT, path, sizeof path)) {
        puts("the font " LIVE_FONT " is not installed");
        exit(SKIPPED);
    }
}

// ---- making ready ----

/// A name for the server that no other test has now. JACK knows eight names at most, and keeps that
/// of a server that was killed until one of the same name starts: so there are but a few.
static int take_server_name(struct live *live)
{
    for (int i = 0; i < SERVER_NAMES; i++) {
        char path[80];
        snprintf(live->server, sizeof live->server, "consort-box-%d", i);
        snprintf(path, sizeof path, "/tmp/%s.lock", live->server);
        int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
            return lock;
        if (lock >= 0)
            close(lock);
    }
    fail_msg("%d tests of a box run already", SERVER_NAMES);
    return -1;
}

void live_create(struct live *live)
{
    *live = (struct live){.folder = "/tmp/consort-box-XXXXXX"};
    live->lock = take_server_name(live);
    assert_non_null(mkdtemp(live->folder));
    live_path(live, "consort.cfg", live->config, sizeof live->config);
    live_path(live, "log", live->log, sizeof live->log);
    setenv("JACK_DEFAULT_SERVER", live->server, 1);
    setenv("HOME", live->folder, 1);
    setenv("STATE_DIRECTORY", live->folder, 1);
}

static const char *or_nothing(const char *text) { return text ? text : ""; }

void live_configure(const struct live *live, const struct live_config *config)
{
    FILE *file = fopen(live->config, "w");
    assert_non_null(file);
    fprintf(file, "audio: { cards = \"none of them\"; period = %d; %s };\n",
            config->period ? config->period : LIVE_PERIOD, or_nothing(config->audio));
    fprintf(file, "midi: { sequencer = false; };\n");
    fprintf(file, "synth: { font = \"%s\"; %s };\n", config->font ? config->font : LIVE_FONT,
            or_nothing(config->synth));
    fprintf(file, "master: { %s };\n", or_nothing(config->master));
    if (!config->has_effects)
        fputs("reverb: { on = false; };\nresonance: { on = false; };\n", file);
    fprintf(file, "player: { demo = %s; };\n", config->has_demo ? "true" : "false");
    fprintf(file, "osc: { port = 0; access = \"loopback\"; };\n%s\n", or_nothing(config->rest));
    assert_int_equal(fclose(file), 0);
}

// ---- what it says ----

/// All that it has said, the caller's to free.
static char *read_log(const struct live *live)
{
    char *text = calloc(1, LOG_MAX);
    assert_non_null(text);
    FILE *file = fopen(live->log, "r");
    if (file) {
        (void)!fread(text, 1, LOG_MAX - 1, file);
        fclose(file);
    }
    return text;
}

bool live_has_said(const struct live *live, const char *words)
{
    char *text = read_log(live);
    bool has_said = strlen(text) > live->mark && strstr(text + live->mark, words);
    free(text);
    return has_said;
}

void live_expect(struct live *live, const char *words, int patience_ms)
{
    int64_t end_ms = live_now_ms() + patience_ms;
    while (!live_has_said(live, words)) {
        if (!live_is_alive(live))
            fail_msg("consortd ended before it said \"%s\"", words);
        if (live_now_ms() > end_ms)
            fail_msg("consortd never said \"%s\"", words);
        live_sleep_ms(STEP_MS);
    }
}

void live_mark(struct live *live)
{
    char *text = read_log(live);
    live->mark = strlen(text);
    free(text);
}

static void show_log(const struct live *live)
{
    char *text = read_log(live), *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            printf("    box: %s\n", line);
    fflush(stdout);
    free(text);
}

// ---- children ----

/// The children of a process, and their names.
static int find_children(pid_t parent, pid_t *children, char names[][32])
{
    int count = 0;
    DIR *processes = opendir("/proc");
    assert_non_null(processes);
    for (struct dirent *entry; (entry = readdir(processes)) && count < LIVE_CHILDREN_MAX;) {
        char path[300];
        int above = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        if (fscanf(file, "%d (%31[^)]) %*c %d", &children[count], names[count], &above) == 3 &&
            above == parent)
            count++;
        fclose(file);
    }
    closedir(processes);
    return count;
}

pid_t live_jackd(const struct live *live)
{
    pid_t children[LIVE_CHILDREN_MAX + 1];
    char names[LIVE_CHILDREN_MAX + 1][32];
    int count = live->pid ? find_children(live->pid, children, names) : 0;
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], "jackd") == 0)
            return children[i];
    return 0;
}

void live_expect_gone(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (kill(pid, 0) != 0)
            return;
        live_sleep_ms(STEP_MS);
    }
    fail_msg("process %d is still there", pid);
}

// ---- life ----

static void become(const struct live *live, int log, pid_t parent)
{
    char program[PATH_MAX + 16];
    const char *options = getenv(BOX_OPTIONS);
    snprintf(program, sizeof program, "%s/consortd", live_build());
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || chdir(live->folder) != 0)
        _exit(126);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (options)
        setenv("TSAN_OPTIONS", options, 1);
    if (live->preload)
        setenv("LD_PRELOAD", live->preload, 1);
    execl(program, "consortd", "-c", live->config, (char *)NULL);
    _exit(127);
}

void live_launch(struct live *live)
{
    int log = open(live->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log >= 0);
    live_mark(live);
    pid_t parent = getpid();
    live->pid = fork();
    if (live->pid == 0)
        become(live, log, parent);
    close(log);
    assert_true(live->pid > 0);
}

/// The number behind the first `words`.
static unsigned said_number(const struct live *live, const char *words)
{
    char *text = read_log(live), *at = strstr(text + live->mark, words);
    unsigned number = at ? (unsigned)strtoul(at + strlen(words), NULL, 10) : 0;
    free(text);
    return number;
}

void live_start(struct live *live)
{
    live_launch(live);
    live_expect(live, "\nready\n", READY_MS);
    live->port = (uint16_t)said_number(live, "  OSC     port ");
    assert_int_not_equal(live->port, 0);
}

bool live_is_alive(struct live *live)
{
    if (live->pid && waitpid(live->pid, &live->status, WNOHANG) == live->pid)
        live->pid = 0;
    return live->pid != 0;
}

int live_stop(struct live *live, int signal_number)
{
    pid_t children[LIVE_CHILDREN_MAX + 1];
    char names[LIVE_CHILDREN_MAX + 1][32];
    assert_true(live_is_alive(live));
    int count = find_children(live->pid, children, names);
    int64_t start_ms = live_now_ms();
    kill(live->pid, signal_number);
    while (live_is_alive(live) && live_now_ms() < start_ms + END_MS)
        live_sleep_ms(STEP_MS);
    int took_ms = (int)(live_now_ms() - start_ms);
    if (live->pid)
        fail_msg("consortd does not end");
    if (!WIFEXITED(live->status) || WEXITSTATUS(live->status) != 0)
        fail_msg("consortd ended with status %#x", (unsigned)live->status);
    for (int i = 0; i < count; i++)
        if (kill(children[i], 0) == 0)
            fail_msg("consortd has left %s behind", names[i]);
    return took_ms;
}

/// The orderly way if it takes that; its jackd is told of its death in any case, and must be awake
/// to hear it.
static void end(struct live *live)
{
    pid_t jackd = live_jackd(live);
    if (jackd)
        kill(jackd, SIGCONT);
    static const int signals[] = {SIGTERM, SIGKILL};
    for (int i = 0; i < 2 && live_is_alive(live); i++) {
        int64_t end_ms = live_now_ms() + END_MS;
        kill(live->pid, signals[i]);
        while (live_is_alive(live) && live_now_ms() < end_ms)
            live_sleep_ms(STEP_MS);
    }
}

void live_destroy(struct live *live)
{
    char command[128];
    end(live);
    close(live->lock);
    show_log(live);
    snprintf(command, sizeof command, "rm -rf %s", live->folder);
    assert_int_equal(system(command), 0);
}

int live_run(const struct live *live, const char *command, char *output, size_t bytes)
{
    char line[PATH_MAX + 1024];
    size_t count = 0;
    snprintf(line, sizeof line,
             "cd %s; export CONSORT=%s/consort PORT=%u; exec 2>&1; timeout 10 %s", live->folder,
             live_build(), live->port, command);
    FILE *pipe = popen(line, "re");
    assert_non_null(pipe);
    for (size_t got; (got = fread(output + count, 1, bytes - 1 - count, pipe)) > 0;)
        count += got;
    output[count] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
