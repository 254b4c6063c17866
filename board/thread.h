/// Threads with a real-time priority where the system grants one, and what real time needs of the
/// process: locked memory, known cores.
///
/// Thread: any but the audio thread.
#ifndef CONSORT_BOARD_THREAD_H
#define CONSORT_BOARD_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct thread_settings {
    const char *name;   ///< as tools show it, at most 15 bytes
    int priority;       ///< SCHED_FIFO 1..99, 0 for an ordinary thread
    size_t stack_bytes; ///< 0 for 256 KiB; touched before `run` begins
};

/// Starts `run(data)` on a new thread that blocks every signal, with the priority asked for or,
/// when that is not permitted, as an ordinary thread. `is_realtime`, unless NULL, tells which.
/// Returns 0, -EINVAL, -ENOMEM or -EAGAIN. The caller joins the thread.
int thread_create(pthread_t *thread, const struct thread_settings *settings, void *(*run)(void *),
                  void *data, bool *is_realtime);

/// Whether a thread of ours may have SCHED_FIFO `priority`. Tries it on a thread of its own.
bool thread_may_be_realtime(int priority);

/// Keeps all memory of the process, present and future, from being paged out.
/// Returns 0, -EPERM or -ENOMEM (over the limit: `ulimit -l`).
int thread_lock_memory(void);

/// Cores that this process may use, at least 1.
int thread_cores(void);

#endif
