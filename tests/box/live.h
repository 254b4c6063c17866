/// A whole box, live: consortd in a folder of its own, with a config, a state folder, a JACK server
/// and an OSC port that nobody else has.
///
/// Every box runs on the dummy driver, whatever cards the machine has, and reads no sequencer.
/// Owner: the test. Thread: any one.
#ifndef CONSORT_TESTS_BOX_LIVE_H
#define CONSORT_TESTS_BOX_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LIVE_FONT "TimGM6mb" // small, and so soon loaded

enum { LIVE_RATE_HZ = 48000, LIVE_PERIOD = 256, LIVE_CHILDREN_MAX = 16 };

/// What a config says beyond the rule: keys of a group ("gain = -3.0;"), NULL for none.
struct live_config {
    const char *audio, *synth, *master;
    const char *font; ///< LIVE_FONT if NULL
    const char *rest; ///< further groups
    int period;       ///< LIVE_PERIOD if 0
    bool has_demo;
    bool has_effects; ///< reverb and strings; without them what is heard is what was played
};

struct live {
    char folder[64], config[96], log[96], server[64];
    const char *preload; ///< a shared object to stand before the program's, NULL for none
    pid_t pid;           ///< 0 while it does not run
    int status;          ///< as `waitpid` has it, once it has ended
    uint16_t port;       ///< of OSC
    size_t mark;         ///< what it said up to here is history
    int lock;            ///< on the server's name
};

/// The first call of a test program, with the arguments of its `main`. Ends it as skipped where a
/// box cannot run: no jackd, no font.
void live_need(char **arguments);

/// Makes the folder and the environment; this process and its children are on the box's server
/// from now on. Nothing runs yet.
void live_create(struct live *live);

/// Ends whatever runs, shows what it said, and removes the folder.
void live_destroy(struct live *live);

/// Writes the config.
void live_configure(const struct live *live, const struct live_config *config);

/// Starts consortd, as a user would: with the config, in its folder.
void live_launch(struct live *live);

/// `live_launch`, and waits until it is ready. Fails the test when it is not in time.
void live_start(struct live *live);

/// Asks it to end with a signal, and waits. Fails the test unless it ends with 0 and leaves no
/// child. Returns how long it took, in milliseconds.
int live_stop(struct live *live, int signal_number);

/// Whether it runs.
bool live_is_alive(struct live *live);

/// Whether it has said `words` since the mark; waits for it, failing the test when in vain.
bool live_has_said(const struct live *live, const char *words);
void live_expect(struct live *live, const char *words, int patience_ms);
void live_mark(struct live *live);

/// The jackd that it has started, 0 for none. `pid` must be gone within some seconds.
pid_t live_jackd(const struct live *live);
void live_expect_gone(pid_t pid);

/// Runs a command line to its end, at most 10 s, with what it says in `output` (cut where it does
/// not fit). The words $CONSORT and $PORT stand for the tool and the OSC port. Returns its exit
/// code.
int live_run(const struct live *live, const char *command, char *output, size_t bytes);

/// A path in its folder.
const char *live_path(const struct live *live, const char *name, char *path, size_t bytes);

/// The folder in which consortd, consort and tests/ were built.
const char *live_build(void);

int64_t live_now_ms(void);
void live_sleep_ms(int ms);

#endif
