#include "tests/bench/bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dsp/synth/font.h"

extern char **environ;

// ---- rows ----

void bench_title_against(const char *title, const char *rival)
{
    printf("\n%-46s %14s %14s %8s   %s\n", title, "ours", rival, "ratio", "goal");
}

void bench_title(const char *title) { bench_title_against(title, "fluidsynth"); }

static void print_figure(double value, const char *unit, int decimals)
{
    char text[32] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, "%.*f %s", decimals, value, unit);
    printf(" %14s", text);
}

static void print_goal(const struct bench_row *row, double ratio)
{
    double figure = row->kind == BENCH_OURS_AT_MOST ? row->ours : ratio;
    bool is_met = row->kind == BENCH_RATIO_AT_LEAST ? figure >= row->goal : figure <= row->goal;
    if (row->kind == BENCH_NO_GOAL)
        return;
    printf("   %s %g%s%s: %s", row->kind == BENCH_RATIO_AT_LEAST ? ">=" : "<=", row->goal,
           row->kind == BENCH_OURS_AT_MOST ? " " : "x",
           row->kind == BENCH_OURS_AT_MOST ? row->unit : "",
           isnan(figure) ? "not measured"
           : is_met      ? "met"
                         : "missed");
}

void bench_row(const struct bench_row *row)
{
    double ratio = row->ours / row->rival;
    printf("  %-44s", row->name);
    print_figure(row->ours, row->unit, row->decimals);
    print_figure(row->rival, row->unit, row->decimals);
    if (isnan(ratio))
        printf(" %8s", "-");
    else
        printf(" %7.2fx", ratio);
    print_goal(row, ratio);
    printf("\n");
    fflush(stdout);
}

void bench_note(const char *sentence) { printf("  %s\n", sentence); }

// ---- figures ----

bool bench_be_realtime(int priority)
{
    struct sched_param parameters = {.sched_priority = priority};
    return !pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t count, double quantile)
{
    qsort(values, count, sizeof *values, compare);
    return count ? values[(size_t)(quantile * (double)(count - 1) + 0.5)] : (double)NAN;
}

double bench_median(double *values, size_t count) { return bench_quantile(values, count, 0.5); }

// ---- processes ----

static bool has_succeeded(pid_t child)
{
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

void bench_in_child(void (*measure)(double figures[BENCH_FIGURES]), double figures[BENCH_FIGURES])
{
    const size_t bytes = BENCH_FIGURES * sizeof *figures;
    int ends[2];
    fflush(stdout);
    if (pipe(ends))
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        measure(figures);
        _exit(write(ends[1], figures, bytes) != (ssize_t)bytes);
    }
    close(ends[1]);
    bool is_whole = read(ends[0], figures, bytes) == (ssize_t)bytes;
    close(ends[0]);
    if (!has_succeeded(child) || !is_whole)
        for (int i = 0; i < BENCH_FIGURES; i++)
            figures[i] = (double)NAN;
}

double bench_command_seconds(char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int64_t start = bench_now_ns();
    bool has_started = !posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    bool is_good = has_started && has_succeeded(child);
    return is_good ? (double)(bench_now_ns() - start) * 1e-9 : (double)NAN;
}

const char *bench_font_path(void)
{
    static char path[512];
    if (font_find("FluidR3_GM", path, sizeof path)) {
        printf("  not measured: FluidR3_GM.sf2 (fluid-soundfont-gm) is not installed\n");
        exit(0);
    }
    return path;
}
