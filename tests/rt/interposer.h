/// The watcher of the audio thread, seen from a test.
///
/// Each program in tests/rt/ is linked behind `interposer.so`. Another program is watched with
/// `LD_PRELOAD=build/release/tests/rt/interposer.so`. Thread: any.
#ifndef CONSORT_TESTS_RT_INTERPOSER_H
#define CONSORT_TESTS_RT_INTERPOSER_H

enum interposer_reach {
    INTERPOSER_FUNCTIONS, ///< calls of the functions that the interposer names
    INTERPOSER_KERNEL,    ///< these, and every system call, whoever makes it
};

/// How much of a real-time thread is watched on this machine.
enum interposer_reach interposer_reach(void);

#endif
