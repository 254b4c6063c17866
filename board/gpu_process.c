#include "board/gpu_process.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/child.h"
#include "board/crash_mark.h"
#include "dsp/gpu/self_test.h"

enum { PATH_BYTES = 4096, CRASHES_TO_BAR = 2, ARGUMENTS = 16 };

#define MS INT64_C(1000000)
static const int64_t START_NS = 20000 * MS;
static const int64_t HANG_NS = 1000 * MS;
static const int64_t PAUSE_NS = 1000 * MS;
static const int64_t PAUSE_MOST_NS = 60000 * MS;
static const int64_t STEP_NS = 10 * MS;    // while something is under way
static const int64_t LOOK_NS = 100 * MS;   // while it runs
static const int64_t IDLE_NS = 1000 * MS;  // while there is nothing to do
static const int64_t SLEPT_NS = 1000 * MS; // a step that comes so late: we were the ones that hung

struct gpu_process {
    struct gpu_process_settings settings;
    char program[PATH_BYTES], folder[PATH_BYTES], mark[PATH_BYTES], variable[PATH_BYTES];
    struct child child;
    struct gpu_client *client;
    struct breaker breaker;
    struct gpu_process_status status;
    struct gpu_counts counted; ///< what the breaker knows of
    bool is_unfit;             ///< a software rasteriser, and `auto`
    bool has_marked;
    int crashes;
    int64_t since_ns; ///< the state began
    int64_t serviced_ns;
    uint32_t beat;
    int64_t beat_ns; ///< when it was last seen to go up
};

__attribute__((format(printf, 2, 3))) static void say(const struct gpu_process *process,
                                                      const char *format, ...)
{
    char line[2 * GPU_REASON_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    process->settings.log(process->settings.data, line);
}

__attribute__((format(printf, 2, 3))) static void explain(struct gpu_process *process,
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(process->status.reason, sizeof process->status.reason, format, arguments);
    va_end(arguments);
    say(process, "GPU: %s", process->status.reason);
}

static void repeat_line(void *data, const char *line) { say(data, "consort-gpu: %s", line); }

static void enter(struct gpu_process *process, enum gpu_state state, int64_t now_ns)
{
    process->status.state = state;
    process->since_ns = now_ns;
}

static void publish_mode(struct gpu_process *process)
{
    enum gpu_mode mode = process->breaker.mode;
    if (mode == process->status.mode)
        return;
    static const char *const words[] = {"the CPU computes all", "the CPU computes beside it",
                                        "it is trusted"};
    say(process, "GPU: %s", words[mode]);
    process->status.mode = mode;
    gpu_client_set_mode(process->client, mode);
}

// ---- Making one ----

static int64_t or_usual(int64_t value, int64_t usual) { return value > 0 ? value : usual; }

static const char *copied(char to[PATH_BYTES], const char *text)
{
    snprintf(to, PATH_BYTES, "%s", text ? text : "");
    return text ? to : NULL;
}

static void take_settings(struct gpu_process *process, const struct gpu_process_settings *settings)
{
    struct gpu_process_settings *ours = &process->settings;
    *ours = *settings;
    ours->program = copied(process->program, settings->program);
    ours->folder = copied(process->folder, settings->folder);
    ours->mark = copied(process->mark, settings->mark);
    ours->variable = copied(process->variable, settings->variable);
    ours->start_ns = or_usual(settings->start_ns, START_NS);
    ours->hang_ns = or_usual(settings->hang_ns, HANG_NS);
    ours->pause_ns = or_usual(settings->pause_ns, PAUSE_NS);
}

struct gpu_process *gpu_process_create(const struct gpu_process_settings *settings)
{
    struct gpu_process *process = calloc(1, sizeof *process);
    if (!process)
        return NULL;
    process->client = gpu_client_create(settings->cells, settings->cell_bytes);
    if (!process->client) {
        free(process);
        return NULL;
    }
    take_settings(process, settings);
    child_init(&process->child);
    breaker_init(&process->breaker, process->settings.pause_ns, PAUSE_MOST_NS);
    if (process->settings.mark)
        process->crashes = crash_mark_read(process->settings.mark);
    return process;
}

void gpu_process_destroy(struct gpu_process *process)
{
    if (!process)
        return;
    child_finish(&process->child);
    if (process->has_marked)
        crash_mark_clear(process->settings.mark);
    gpu_client_destroy(process->client);
    free(process);
}

struct gpu_client *gpu_process_client(struct gpu_process *process) { return process->client; }

// ---- Starting ----

struct command {
    const char *arguments[ARGUMENTS];
    char numbers[3][16];
};

static void make_command(const struct gpu_process *process, struct command *command)
{
    struct gpu_client_files files = gpu_client_files(process->client);
    const char **at = command->arguments;
    *at++ = process->settings.program;
    const struct {
        const char *name;
        int file;
    } handed[] = {{"--memory", files.memory}, {"--work", files.work}, {"--done", files.done}};
    for (int i = 0; i < 3; i++) {
        snprintf(command->numbers[i], sizeof command->numbers[i], "%d", handed[i].file);
        *at++ = handed[i].name;
        *at++ = command->numbers[i];
    }
    if (process->settings.folder) {
        *at++ = "--cache";
        *at++ = process->settings.folder;
    }
    *at = NULL;
}

static void fail(struct gpu_process *process, int64_t now_ns)
{
    breaker_fail(&process->breaker, now_ns);
    publish_mode(process);
    gpu_client_end(process->client);
    if (process->child.pid != 0) {
        child_kill(&process->child);
        enter(process, GPU_STATE_STOPPING, now_ns);
    } else {
        enter(process, GPU_STATE_WAITING, now_ns);
    }
}

static void start(struct gpu_process *process, int64_t now_ns)
{
    struct command command;
    struct gpu_client_files files = gpu_client_files(process->client);
    int handed[] = {files.memory, files.work, files.done, -1};
    make_command(process, &command);
    gpu_client_reset(process->client);
    process->status.starts++;
    process->beat = 0;
    process->beat_ns = now_ns;
    int code =
        child_start_with(&process->child, command.arguments, process->settings.variable, handed);
    if (code == 0) {
        enter(process, GPU_STATE_STARTING, now_ns);
        return;
    }
    explain(process, "%s cannot be run: %s", process->settings.program, strerror(-code));
    fail(process, now_ns);
}

// ---- Watching ----

static void stop(struct gpu_process *process, int64_t now_ns)
{
    process->breaker.mode = GPU_MODE_CPU_ONLY;
    publish_mode(process);
    gpu_client_end(process->client);
    child_stop(&process->child, now_ns);
    enter(process, process->child.pid != 0 ? GPU_STATE_STOPPING : GPU_STATE_OFF, now_ns);
}

/// It does well now, but if it takes the box down twice, it will not get a third chance by itself.
static void set_mark(struct gpu_process *process)
{
    if (!process->settings.mark || process->has_marked)
        return;
    int code = crash_mark_set(process->settings.mark, process->crashes);
    if (code != 0)
        say(process, "GPU: %s: %s", process->settings.mark, strerror(-code));
    process->has_marked = code == 0;
}

static void accept_report(struct gpu_process *process, int64_t now_ns)
{
    struct gpu_report *report = &process->status.report;
    gpu_client_read_report(process->client, report);
    if (!(report->error_db <= SELF_TEST_ERROR_DB)) {
        explain(process, "%s fails its self-test: %.1f dB, at most %.1f dB are allowed",
                report->name, report->error_db, SELF_TEST_ERROR_DB);
        fail(process, now_ns);
        return;
    }
    if (report->is_software && process->settings.wish == GPU_AUTO) {
        process->is_unfit = true;
        explain(process, "%s is a software rasteriser: the CPU does better without it",
                report->name);
        stop(process, now_ns);
        return;
    }
    say(process, "GPU: %s, self-test %.1f dB, round trip %.0f us, at worst %.0f us", report->name,
        report->error_db, report->round_trip_us, report->round_trip_worst_us);
    set_mark(process);
    breaker_pass(&process->breaker, now_ns);
    gpu_client_read_counts(process->client, &process->counted);
    gpu_client_begin(process->client);
    publish_mode(process);
    enter(process, GPU_STATE_RUNNING, now_ns);
}

static void watch_start(struct gpu_process *process, int64_t now_ns)
{
    enum gpu_phase phase = gpu_client_phase(process->client);
    if (phase == GPU_PHASE_READY) {
        accept_report(process, now_ns);
    } else if (phase != GPU_PHASE_FAILED &&
               now_ns - process->since_ns > process->settings.start_ns) {
        process->status.hangs++;
        explain(process, "it is not ready after %.0f s", (double)process->settings.start_ns * 1e-9);
        fail(process, now_ns);
    }
}

static bool has_heart(struct gpu_process *process, int64_t now_ns)
{
    uint32_t beat = gpu_client_beat(process->client);
    bool have_we_slept = now_ns - process->serviced_ns > SLEPT_NS;
    if (beat != process->beat || have_we_slept)
        process->beat_ns = now_ns;
    process->beat = beat;
    return now_ns - process->beat_ns <= process->settings.hang_ns;
}

static void count(struct gpu_process *process, int64_t now_ns)
{
    struct gpu_counts now, *past = &process->counted;
    gpu_client_read_counts(process->client, &now);
    bool is_over = breaker_count(&process->breaker, now.good - past->good,
                                 now.missed - past->missed, now.wrong - past->wrong, now_ns);
    *past = now;
    if (!is_over) {
        publish_mode(process);
        return;
    }
    explain(process, "too many blocks late or wrong (%llu late, %llu wrong so far)",
            (unsigned long long)now.missed, (unsigned long long)now.wrong);
    fail(process, now_ns);
}

static void watch(struct gpu_process *process, int64_t now_ns)
{
    if (!has_heart(process, now_ns)) {
        process->status.hangs++;
        explain(process, "it hangs");
        fail(process, now_ns);
    } else if (gpu_client_is_broken(process->client)) {
        explain(process, "it breaks the rules");
        fail(process, now_ns);
    } else {
        count(process, now_ns);
    }
}

/// The child has ended, by us or by itself.
static void notice_end(struct gpu_process *process, int64_t now_ns)
{
    char end[64];
    bool is_off = process->settings.wish == GPU_OFF || process->is_unfit;
    if (process->status.state == GPU_STATE_STOPPING) {
        enter(process, is_off ? GPU_STATE_OFF : GPU_STATE_WAITING, now_ns);
        return;
    }
    process->status.deaths++;
    if (gpu_client_phase(process->client) == GPU_PHASE_FAILED) {
        struct gpu_report report;
        gpu_client_read_report(process->client, &report);
        explain(process, "%s", report.name);
    } else {
        child_describe_end(&process->child, end, sizeof end);
        explain(process, "it has ended: %s", end);
    }
    fail(process, now_ns);
}

// ---- Turning ----

static bool is_barred(const struct gpu_process *process)
{
    return process->crashes >= CRASHES_TO_BAR;
}

static void consider_start(struct gpu_process *process, int64_t now_ns)
{
    if (process->settings.wish == GPU_OFF || process->is_unfit) {
        enter(process, GPU_STATE_OFF, now_ns);
    } else if (is_barred(process)) {
        if (process->status.reason[0] == '\0')
            explain(process, "it was in use at %d crashes in a row, and stays off until asked for",
                    process->crashes);
        enter(process, GPU_STATE_OFF, now_ns);
    } else if (breaker_may_try(&process->breaker, now_ns)) {
        start(process, now_ns);
    } else {
        enter(process, GPU_STATE_WAITING, now_ns);
    }
}

static void step(struct gpu_process *process, int64_t now_ns)
{
    bool has_child = process->child.pid != 0;
    if (has_child && !child_service(&process->child, now_ns, repeat_line, process))
        notice_end(process, now_ns);
    switch (process->status.state) {
    case GPU_STATE_OFF:
    case GPU_STATE_WAITING:
        consider_start(process, now_ns);
        break;
    case GPU_STATE_STARTING:
        watch_start(process, now_ns);
        break;
    case GPU_STATE_RUNNING:
        watch(process, now_ns);
        break;
    case GPU_STATE_STOPPING:
        break;
    }
}

static int64_t pause_ns(struct gpu_process *process, bool has_more)
{
    switch (process->status.state) {
    case GPU_STATE_OFF:
        return IDLE_NS;
    case GPU_STATE_RUNNING:
        return has_more ? STEP_NS : LOOK_NS;
    case GPU_STATE_WAITING:
        return LOOK_NS;
    default:
        return STEP_NS;
    }
}

int64_t gpu_process_service(struct gpu_process *process, int64_t now_ns)
{
    step(process, now_ns);
    process->serviced_ns = now_ns;
    bool has_more = gpu_client_service(process->client);
    return now_ns + pause_ns(process, has_more);
}

int gpu_process_descriptor(const struct gpu_process *process) { return process->child.output; }

void gpu_process_wish(struct gpu_process *process, enum gpu_wish wish, int64_t now_ns)
{
    if (wish == process->settings.wish)
        return;
    process->settings.wish = wish;
    process->is_unfit = false;
    process->crashes = 0;
    process->status.reason[0] = '\0';
    if (process->settings.mark)
        crash_mark_clear(process->settings.mark);
    process->has_marked = false;
    breaker_init(&process->breaker, process->settings.pause_ns, PAUSE_MOST_NS);
    if (process->child.pid != 0)
        stop(process, now_ns);
}

void gpu_process_read_status(struct gpu_process *process, struct gpu_process_status *status)
{
    *status = process->status;
    gpu_client_read_counts(process->client, &status->counts);
}
