// From starting consortd to "ready": a keyboard struck now sounds. It joins a JACK server that runs
// already, since how long a card takes to open is not ours to measure. Beside it, the library alone
// loading the same font.
#include <fluidsynth.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "board/audio.h"
#include "tests/bench/bench.h"

enum { TIMES = 7, PATH_BYTES = 256, ANSWER_MS = 5000 };

static pid_t start(char *const arguments[], int *output)
{
    int ends[2] = {-1, -1};
    if (output && pipe(ends))
        return -1;
    fflush(stdout); // or the child would print it once more
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr) || (!output && !freopen("/dev/null", "w", stdout)))
            _exit(127);
        if (output)
            dup2(ends[1], STDOUT_FILENO);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    if (output) {
        close(ends[1]);
        *output = ends[0];
    }
    return child;
}

static void stop(pid_t child)
{
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

static bool write_config(const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    fprintf(file,
            "audio: { server = \"join\"; };\nsynth: { font = \"%s\"; };\nosc: { port = 0; };\n"
            "player: { demo = false; };\n",
            bench_font_path());
    return fclose(file) == 0;
}

static double boot_seconds(const char *program, const char *config)
{
    char line[512];
    int output;
    double seconds = (double)NAN;
    char *arguments[] = {(char *)program, "-c", (char *)config, NULL};
    int64_t begin_ns = bench_now_ns();
    pid_t child = start(arguments, &output);
    FILE *said = child > 0 ? fdopen(output, "r") : NULL;
    while (said && fgets(line, sizeof line, said))
        if (!strcmp(line, "ready\n")) {
            seconds = (double)(bench_now_ns() - begin_ns) * 1e-9;
            break;
        }
    if (child > 0)
        stop(child);
    if (said)
        fclose(said);
    return seconds;
}

static void load_in_library(double figures[BENCH_FIGURES])
{
    int64_t begin_ns = bench_now_ns();
    fluid_synth_t *synth = new_fluid_synth(new_fluid_settings());
    fluid_synth_sfload(synth, bench_font_path(), 1);
    figures[0] = (double)(bench_now_ns() - begin_ns) * 1e-9;
}

static bool wait_for_server(const char *name)
{
    for (int i = 0; i < ANSWER_MS / 100; i++) {
        if (audio_probe(name))
            return true;
        usleep(100000);
    }
    return false;
}

/// The daemon stands in the build folder, two above this program's own.
static void find_daemon(const char *self, char path[PATH_BYTES])
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", self);
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
    }
    snprintf(path, PATH_BYTES, "%.200s/consortd", folder);
}

int main(int argc, char **argv)
{
    char program[PATH_BYTES], server[32], config[] = "/tmp/consort-bench-XXXXXX";
    double ours[TIMES], rival[TIMES];
    (void)argc;
    bench_title("start of the daemon, with FluidR3_GM.sf2");
    find_daemon(argv[0], program);
    snprintf(server, sizeof server, "bench%d", (int)getpid());
    setenv("JACK_DEFAULT_SERVER", server, 1);
    audio_set_log(NULL, NULL);
    int file = mkstemp(config);
    char *jackd[] = {"jackd", "-d", "dummy", "-r", "48000", "-p", "256", NULL};
    pid_t child = start(jackd, NULL);
    if (file < 0 || !write_config(config) || !wait_for_server(server)) {
        printf("no JACK server: this row was not measured\n");
        stop(child);
        return 1;
    }
    for (int i = 0; i < TIMES; i++) {
        double figures[BENCH_FIGURES] = {0};
        ours[i] = boot_seconds(program, config);
        bench_in_child(load_in_library, figures);
        rival[i] = figures[0];
    }
    stop(child);
    close(file);
    unlink(config);
    bench_row(&(struct bench_row){.name = "consortd to ready; library: load the font",
                                  .ours = bench_median(ours, TIMES) * 1000,
                                  .rival = bench_median(rival, TIMES) * 1000,
                                  .unit = "ms",
                                  .decimals = 1,
                                  .kind = BENCH_OURS_AT_MOST,
                                  .goal = 300});
    return 0;
}
