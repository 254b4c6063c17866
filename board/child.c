#define _GNU_SOURCE
#include "board/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board/clock.h"

enum { LINES_PER_SECOND = 20, ARGUMENTS_MAX = 64 };

static const int64_t SECOND_NS = 1000000000;
static const int64_t PATIENCE_NS = 2000000000;

void child_init(struct child *child) { *child = (struct child){.output = -1}; }

/// Between fork and exec: nothing here may allocate or lock.
static void become(const char *const *arguments, char **environment, const int *files,
                   const int output[2], int failure, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127); // the parent died before we asked to be told
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(output[1], STDOUT_FILENO);
    dup2(output[1], STDERR_FILENO);
    for (; files && *files >= 0; files++)
        fcntl(*files, F_SETFD, 0);
    execvpe(arguments[0], (char *const *)arguments, environment);
    int error = errno;
    (void)!write(failure, &error, sizeof error);
    _exit(127);
}

/// Our environment and one variable more, before those of the same name.
static char **add_to_environment(const char *variable)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **copy = calloc(count + 2, sizeof *copy);
    if (!copy)
        return NULL;
    if (variable)
        copy[0] = (char *)variable;
    memcpy(copy + (variable ? 1 : 0), environ, count * sizeof *copy);
    return copy;
}

/// Waits until the child has become the program, or has told through the pipe why not.
static int confirm(int failure)
{
    int error = 0;
    ssize_t got;
    while ((got = read(failure, &error, sizeof error)) < 0 && errno == EINTR)
        ;
    return got == sizeof error ? -error : 0;
}

static int spawn(struct child *child, const char *const *arguments, char **environment,
                 const int *files)
{
    int output[2], failure[2];
    if (pipe2(output, O_CLOEXEC) != 0)
        return -errno;
    if (pipe2(failure, O_CLOEXEC) != 0) {
        int code = -errno;
        close(output[0]);
        close(output[1]);
        return code;
    }
    pid_t parent = getpid(), pid = fork();
    int code = pid < 0 ? -errno : 0;
    if (pid == 0)
        become(arguments, environment, files, output, failure[1], parent);
    close(output[1]);
    close(failure[1]);
    if (code == 0)
        code = confirm(failure[0]);
    close(failure[0]);
    if (code != 0) {
        close(output[0]);
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return code;
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    *child = (struct child){.pid = pid, .output = output[0], .lines_left = LINES_PER_SECOND};
    return 0;
}

int child_start_with(struct child *child, const char *const *arguments, const char *variable,
                     const int *files)
{
    char **environment = add_to_environment(variable);
    if (!environment)
        return -ENOMEM;
    int code = spawn(child, arguments, environment, files);
    free(environment);
    return code;
}

int child_start(struct child *child, const char *const *arguments, const char *variable)
{
    return child_start_with(child, arguments, variable, NULL);
}

static void say(struct child *child, child_log *log, void *data)
{
    child->line[child->line_bytes] = '\0';
    bool is_blank = child->line[strspn(child->line, " \t\r")] == '\0';
    child->line_bytes = 0;
    if (is_blank)
        return;
    if (child->lines_left <= 0) {
        child->lines_dropped++;
        return;
    }
    child->lines_left--;
    log(data, child->line);
}

static void take(struct child *child, char c, child_log *log, void *data)
{
    if (c == '\n' || child->line_bytes == CHILD_LINE_MAX - 1)
        say(child, log, data);
    if (c != '\n')
        child->line[child->line_bytes++] = (unsigned char)c < ' ' ? ' ' : c;
}

static void refill(struct child *child, int64_t now_ns, child_log *log, void *data)
{
    if (now_ns - child->refilled_ns < SECOND_NS)
        return;
    child->refilled_ns = now_ns;
    child->lines_left = LINES_PER_SECOND;
    if (child->lines_dropped == 0)
        return;
    char line[64];
    snprintf(line, sizeof line, "(%u more lines)", child->lines_dropped);
    child->lines_dropped = 0;
    log(data, line);
}

/// Reads what waits, but not for ever: a child that floods us gets its share.
static void read_output(struct child *child, child_log *log, void *data)
{
    char bytes[4096];
    for (int i = 0; i < 16 && child->output >= 0; i++) {
        ssize_t got = read(child->output, bytes, sizeof bytes);
        if (got < 0)
            return;
        for (ssize_t k = 0; k < got; k++)
            take(child, bytes[k], log, data);
        if (got == 0) {
            close(child->output);
            child->output = -1;
        }
    }
}

static void forget(struct child *child)
{
    child->pid = 0;
    child->kill_ns = 0;
    if (child->output >= 0)
        close(child->output);
    child->output = -1;
}

bool child_service(struct child *child, int64_t now_ns, child_log *log, void *data)
{
    if (child->pid == 0)
        return false;
    refill(child, now_ns, log, data);
    // Its end first, then its last words.
    bool has_ended = waitpid(child->pid, &child->status, WNOHANG) == child->pid;
    read_output(child, log, data);
    if (has_ended) {
        say(child, log, data);
        forget(child);
        return false;
    }
    if (child->kill_ns != 0 && now_ns >= child->kill_ns)
        child_kill(child);
    return true;
}

void child_stop(struct child *child, int64_t now_ns)
{
    if (child->pid == 0 || child->kill_ns != 0)
        return;
    kill(child->pid, SIGTERM);
    child->kill_ns = now_ns + PATIENCE_NS;
}

void child_kill(struct child *child)
{
    if (child->pid > 0)
        kill(child->pid, SIGKILL);
}

void child_finish(struct child *child)
{
    int64_t now_ns = clock_now_ns(), until_ns = now_ns + PATIENCE_NS;
    child_stop(child, now_ns);
    while (child->pid > 0 && clock_now_ns() < until_ns) {
        if (waitpid(child->pid, &child->status, WNOHANG) == child->pid)
            forget(child);
        else
            usleep(5000);
    }
    if (child->pid > 0) {
        child_kill(child);
        waitpid(child->pid, &child->status, 0);
        forget(child);
    }
}

void child_describe_end(const struct child *child, char *text, size_t bytes)
{
    if (WIFSIGNALED(child->status))
        snprintf(text, bytes, "signal %d", WTERMSIG(child->status));
    else
        snprintf(text, bytes, "exit code %d", WEXITSTATUS(child->status));
}
