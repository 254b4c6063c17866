#include "dsp/base/rt.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

static _Thread_local bool is_realtime;

// Defined by the interposer of tests/rt/, and nowhere else.
__attribute__((weak)) void rt_hook(bool value);

void rt_set(bool value)
{
    is_realtime = value;
    if (rt_hook)
        rt_hook(value);
}

bool rt_is_set(void) { return is_realtime; }

void rt_flush_denormals(void)
{
#if defined(__SSE__)
    _mm_setcsr(_mm_getcsr() | 0x8040); // flush to zero, denormals are zero
#elif defined(__aarch64__)
    unsigned long control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | 1ul << 24));
#endif
}
