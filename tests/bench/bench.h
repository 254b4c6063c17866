/// What the benchmarks share: a clock, medians, children to measure in, and rows to print.
///
/// A row shows our figure beside the rival's, from one run, interleaved. A goal that is missed is
/// printed, and fails nothing. Thread: the main thread of a benchmark.
#ifndef CONSORT_TESTS_BENCH_BENCH_H
#define CONSORT_TESTS_BENCH_BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_goal {
    BENCH_NO_GOAL,
    BENCH_RATIO_AT_MOST, ///< ours / rival
    BENCH_RATIO_AT_LEAST,
    BENCH_OURS_AT_MOST, ///< in the row's unit
};

struct bench_row {
    const char *name;
    double ours, rival; ///< NAN: there is none
    const char *unit;
    int decimals; ///< of `ours` and `rival`
    enum bench_goal kind;
    double goal;
};

/// Prints what the next rows are about, and the heads of their columns.
void bench_title(const char *title);
void bench_title_against(const char *title, const char *rival); ///< who is not fluidsynth
void bench_row(const struct bench_row *row);

/// A sentence below the rows: the rule of the measurement.
void bench_note(const char *sentence);

/// Puts the calling thread at SCHED_FIFO `priority`, as the audio thread of a box is. Returns
/// whether that was permitted; other programs on the machine disturb the figures where it was not.
bool bench_be_realtime(int priority);

/// Monotonic.
int64_t bench_now_ns(void);

/// Sorts the values. `quantile` 0..1, 0.5 is the median.
double bench_quantile(double *values, size_t count, double quantile);
double bench_median(double *values, size_t count);

enum { BENCH_FIGURES = 4 };

/// Runs `measure` in a fresh child process, which fills `figures`; all are NAN when it failed.
void bench_in_child(void (*measure)(double figures[BENCH_FIGURES]), double figures[BENCH_FIGURES]);

/// Runs a command to its end, silent, and returns the seconds it took; NAN when it failed.
double bench_command_seconds(char *const arguments[]);

/// The font of all benchmarks: FluidR3_GM.sf2. Says so and exits where it is not installed.
const char *bench_font_path(void);

#endif
