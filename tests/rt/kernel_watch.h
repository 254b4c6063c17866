/// The interposer's second net: the kernel stops every system call of a real-time thread.
///
/// "System call user dispatch", Linux 5.11 and later, x86-64: while a byte of the thread says so,
/// each system call becomes the signal SIGSYS. Owner: the interposer. Thread: any.
#ifndef CONSORT_TESTS_RT_KERNEL_WATCH_H
#define CONSORT_TESTS_RT_KERNEL_WATCH_H

#include <stdbool.h>

/// Makes ready; `refuse` gets the number of a forbidden call, on the thread that made it, and does
/// not return. Returns false where the kernel has no such thing.
bool kernel_watch_begin(void (*refuse)(long number));

/// Begins or ends the watch of the calling thread.
void kernel_watch_set(bool is_realtime);

/// Whether a real-time thread may make a system call; `second` is its second argument.
bool kernel_watch_allows(long number, long second);

#endif
