/// A child process that leaves nothing behind: in a process group of its own, out of reach of the
/// terminal's Ctrl-C, and ended by the kernel when we die. What it says is handed over in lines.
///
/// Owner: its supervisor. Thread: one, which must live as long as the child.
#ifndef CONSORT_BOARD_CHILD_H
#define CONSORT_BOARD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_LINE_MAX = 256 };

struct child {
    pid_t pid;       ///< 0 when none runs
    int output;      ///< the reading end of its stdout and stderr, -1 when closed
    int status;      ///< of the last one that ended, as from waitpid
    int64_t kill_ns; ///< when patience ends after `child_stop`, 0 when not stopping
    // Its words: an unfinished line, and how many lines the log still takes.
    char line[CHILD_LINE_MAX];
    size_t line_bytes;
    int lines_left;
    unsigned lines_dropped;
    int64_t refilled_ns;
};

typedef void child_log(void *data, const char *line);

void child_init(struct child *child);

/// Runs `arguments` (found on PATH, ended by NULL) with `variable` ("NAME=value", or NULL) added to
/// the environment. Returns 0 or negative errno: a program that is not there is -ENOENT.
int child_start(struct child *child, const char *const *arguments, const char *variable);

/// The same, and the child inherits our descriptors `files`, ended by -1, under their numbers.
int child_start_with(struct child *child, const char *const *arguments, const char *variable,
                     const int *files);

/// Hands over what the child said, at most some 20 lines a second, and notices its end. Never
/// blocks. Returns whether it runs.
bool child_service(struct child *child, int64_t now_ns, child_log *log, void *data);

/// Asks the child to end; `child_service` kills it when it has not after 2 s.
void child_stop(struct child *child, int64_t now_ns);

/// Kills the child at once: one that hangs.
void child_kill(struct child *child);

/// Ends the child now: asks, waits up to 2 s, kills. Blocks.
void child_finish(struct child *child);

/// How the last one ended in words: "exit code 255", "signal 9".
void child_describe_end(const struct child *child, char *text, size_t bytes);

#endif
