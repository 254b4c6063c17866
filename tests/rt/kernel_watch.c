#define _GNU_SOURCE
#include "tests/rt/kernel_watch.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// What wakes a waiting worker; and reading the clock, which is a system call only where the machine
// has an odd one.
bool kernel_watch_allows(long number, long second)
{
    int futex = (int)second & FUTEX_CMD_MASK;
    return number == SYS_clock_gettime ||
           (number == SYS_futex && (futex == FUTEX_WAKE || futex == FUTEX_WAKE_BITSET));
}

#if defined(__x86_64__) && defined(PR_SET_SYSCALL_USER_DISPATCH)

static void (*refuse_call)(long number);

// The byte that the kernel reads before each system call of this thread.
static _Thread_local volatile char selector __attribute__((tls_model("initial-exec")));

// System calls made between these two are never stopped: the return from the signal handler, which
// is one itself, and those that the handler lets pass.
extern const char passage_begin[], passage_end[];
void passage_return(void);
long passage_call(const greg_t *registers);

__asm__(".pushsection .text\n"
        ".globl passage_begin, passage_end, passage_return, passage_call\n"
        ".hidden passage_begin, passage_end, passage_return, passage_call\n"
        "passage_begin:\n"
        "passage_return:\n"
        "    mov $15, %rax\n" // rt_sigreturn, in the very bytes by which a backtrace knows it
        "    syscall\n"
        "passage_call:\n"
        "    mov %rdi, %r11\n"
        "    mov 0(%r11), %r8\n"    // REG_R8
        "    mov 8(%r11), %r9\n"    // REG_R9
        "    mov 16(%r11), %r10\n"  // REG_R10
        "    mov 64(%r11), %rdi\n"  // REG_RDI
        "    mov 72(%r11), %rsi\n"  // REG_RSI
        "    mov 96(%r11), %rdx\n"  // REG_RDX
        "    mov 104(%r11), %rax\n" // REG_RAX
        "    syscall\n"
        "    ret\n"
        "passage_end:\n"
        ".popsection\n");

_Static_assert(REG_R8 == 0 && REG_RDI == 8 && REG_RSI == 9 && REG_RDX == 12 && REG_RAX == 13,
               "passage_call knows where the registers lie");

static void stopped(int signal, siginfo_t *information, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    if (!kernel_watch_allows(information->si_syscall, registers[REG_RSI]))
        refuse_call(information->si_syscall);
    registers[REG_RAX] = passage_call(registers);
}

// Both are renewed at each begin: a new thread and a child process start without the dispatch, and
// a test framework may have put its own handler in place of ours.
static bool begin_dispatch(void)
{
    // The form of the kernel, not of libc: it names the code that returns from the handler.
    struct {
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {stopped, SA_SIGINFO | SA_NODEFER | 0x04000000 /* SA_RESTORER */, passage_return, 0};
    return syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof action.mask) == 0 &&
           prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, passage_begin,
                 passage_end - passage_begin, &selector) == 0;
}

bool kernel_watch_begin(void (*refuse)(long number))
{
    refuse_call = refuse;
    return begin_dispatch();
}

void kernel_watch_set(bool is_realtime)
{
    selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    if (is_realtime && begin_dispatch())
        selector = SYSCALL_DISPATCH_FILTER_BLOCK;
}

#else

bool kernel_watch_begin(void (*refuse)(long number))
{
    (void)refuse;
    return false;
}

void kernel_watch_set(bool is_realtime) { (void)is_realtime; }

#endif
