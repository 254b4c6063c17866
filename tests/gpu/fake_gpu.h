/// An accelerator that is none: answers jobs by the C reference, and misbehaves on demand.
///
/// Serves on a thread of the test, or as a process of its own: the test program run anew, with the
/// variable CONSORT_FAKE_GPU in its environment.
#ifndef CONSORT_TESTS_GPU_FAKE_GPU_H
#define CONSORT_TESTS_GPU_FAKE_GPU_H

#include <stdatomic.h>
#include <stdbool.h>

enum fake_manner {
    FAKE_GOOD,
    FAKE_DIES,        ///< kills itself in the middle of a block
    FAKE_STOPS,       ///< stops itself there
    FAKE_LATE,        ///< answers blocks after 150 ms
    FAKE_SILENT,      ///< never answers blocks
    FAKE_GARBAGE,     ///< random numbers
    FAKE_NAN,         ///< one number that is none
    FAKE_STRANGE_ID,  ///< answers what nobody asked
    FAKE_TWICE,       ///< answers twice
    FAKE_STATUS,      ///< a status that cannot be
    FAKE_COUNTER,     ///< a ring with more in it than it can hold
    FAKE_HEARD,       ///< has taken more jobs than were sent
    FAKE_SCRIBBLES,   ///< writes all over the memory, for ever
    FAKE_NEVER_READY, ///< starts for ever
    FAKE_FAILS,       ///< has no device
    FAKE_BAD_TEST,    ///< its self-test is not good enough
    FAKE_NAN_TEST,    ///< its self-test is no number
    FAKE_SOFTWARE,    ///< good, but a software rasteriser
    FAKE_MANNERS,
};

/// Serves until `is_ending`, or as a process until its parent goes.
void fake_gpu_serve(int memory, int work, int done, enum fake_manner manner,
                    const _Atomic bool *is_ending);

/// The first thing in main: where this is the process of a fake, serves and does not return.
void fake_gpu_main(int argc, char **argv);

/// The variable that makes it one; in static memory.
const char *fake_gpu_variable(enum fake_manner manner);

#endif
