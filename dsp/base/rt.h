/// Marks of the audio thread.
///
/// RT stands before each function that the audio thread may run. Such a function never locks,
/// allocates, frees, logs or makes a system call; the one exception wakes a waiting worker.
/// `tests/rt/` holds an interposer that aborts when a marked thread breaks the rule.
#ifndef CONSORT_DSP_BASE_RT_H
#define CONSORT_DSP_BASE_RT_H

#include <stdbool.h>

#if defined(__clang__) && __clang_major__ >= 20
#define RT __attribute__((nonblocking))
#else
#define RT
#endif

/// Declares whether the calling thread is inside real-time work. Thread: any. The audio thread
/// and its workers set it for the length of a period.
void rt_set(bool is_realtime);

/// Whether the calling thread is inside real-time work. Exported for the interposer.
bool rt_is_set(void);

/// Makes the processor flush denormal numbers to zero on the calling thread.
void rt_flush_denormals(void);

#endif
