// consort render: MIDI files to sound files, several at once, faster than real time.
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/json.h"
#include "firmware/cmd/commands.h"
#include "firmware/cmd/render_options.h"
#include "firmware/progress_bar.h"
#include "firmware/render_job.h"

struct render {
    const struct render_options *options;
    struct render_settings settings;
    struct render_file *files;
    _Atomic int next;   // the file that the next free thread takes
    sem_t file_is_done; // posted once a file
    struct progress_bar bar;
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

// The cores are shared out: each job has its own thread and its part of what is left.
static int workers_per_job(const struct config_values *values, int jobs)
{
    const int wanted = (int)values->value[PARAM_SYNTH_WORKERS].number;
    const int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return wanted >= 0 ? wanted : clamp(cores / jobs - 1, 0, 15);
}

static void render_file(struct render *render, struct render_file *file)
{
    struct smf *piece = NULL;
    struct smf_error smf_error;
    if (smf_load(file->in, &piece, &smf_error)) {
        smf_error_format(&smf_error, file->in, file->error, sizeof file->error);
        return;
    }
    file->notes = piece->notes;
    render_job_run(&render->settings, piece, file->out, &file->permille, &file->result, file->error,
                   sizeof file->error);
    smf_destroy(piece);
}

static void *render_files(void *context)
{
    struct render *render = context;
    for (int i; (i = atomic_fetch_add(&render->next, 1)) < render->options->count;) {
        render_file(render, &render->files[i]);
        atomic_store(&render->files[i].permille, 1000);
        atomic_store(&render->files[i].is_done, true);
        sem_post(&render->file_is_done);
    }
    return NULL;
}

static void print_json(const struct render_options *options, const struct render_file *file)
{
    const struct render_result *result = &file->result;
    const double seconds = (double)result->frames / options->rate_hz;
    fputs("{\"input\": ", stdout);
    json_write_string(stdout, file->in);
    fputs(", \"output\": ", stdout);
    json_write_string(stdout, file->error[0] ? NULL : file->out);
    fputs(", \"error\": ", stdout);
    json_write_string(stdout, file->error[0] ? file->error : NULL);
    printf(", \"rate_hz\": %d, \"frames\": %llu, \"seconds\": ", options->rate_hz,
           (unsigned long long)result->frames);
    json_write_number(stdout, seconds);
    printf(", \"notes\": %zu, \"peak_db\": ", file->notes);
    json_write_number(stdout, file->error[0] ? NAN : result->peak_db);
    printf(", \"clips\": %llu, \"faded_out\": %s, \"times_real_time\": ",
           (unsigned long long)result->clips, result->is_faded_out ? "true" : "false");
    json_write_number(stdout, seconds / result->wall_seconds);
    puts("}");
}

static void print_plain(const struct render_options *options, const struct render_file *file)
{
    const struct render_result *result = &file->result;
    const double seconds = (double)result->frames / options->rate_hz;
    if (file->error[0]) {
        fprintf(stderr, "consort render: %s\n", file->error);
        return;
    }
    printf("%s: %.1f s, peak %.1f dB", file->out, seconds, result->peak_db);
    if (result->clips)
        printf(", %llu samples clipped", (unsigned long long)result->clips);
    if (result->is_faded_out)
        printf(", faded out while it still sounded");
    printf(", %.1f times real time\n", seconds / result->wall_seconds);
}

static double fraction_done(const struct render *render)
{
    long permille = 0;
    for (int i = 0; i < render->options->count; i++)
        permille += atomic_load_explicit(&render->files[i].permille, memory_order_relaxed);
    return (double)permille / (1000.0 * render->options->count);
}

static void wait_a_moment(sem_t *semaphore)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 100000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    sem_timedwait(semaphore, &until);
}

// Says what became of each file, in the order they were given, while the threads work.
static int report(struct render *render)
{
    const struct render_options *options = render->options;
    int failed = 0;
    for (int i = 0; i < options->count;) {
        const struct render_file *file = &render->files[i];
        if (!atomic_load(&file->is_done)) {
            progress_bar_show(&render->bar, fraction_done(render), file->in);
            wait_a_moment(&render->file_is_done);
            continue;
        }
        progress_bar_clear(&render->bar);
        (options->is_json ? print_json : print_plain)(options, file);
        fflush(stdout);
        failed += file->error[0] != '\0';
        i++;
    }
    return failed;
}

// Runs with fewer threads where the system has no more, but needs one.
static int run_jobs(struct render *render, int jobs)
{
    pthread_t threads[RENDER_JOBS_MAX];
    int started = 0, failed = render->options->count;
    while (started < jobs && !pthread_create(&threads[started], NULL, render_files, render))
        started++;
    if (started)
        failed = report(render);
    else
        fprintf(stderr, "consort render: cannot start a thread\n");
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return failed;
}

static void show_loading(void *context, double percent)
{
    progress_bar_show(context, percent / 100, "SoundFont");
}

static struct font *load_font(const struct render_options *options, struct progress_bar *bar)
{
    const char *wanted =
        options->font ? options->font : options->values->value[PARAM_SYNTH_FONT].text;
    char path[4096], error[1024];
    if (font_find(wanted, path, sizeof path)) {
        fprintf(stderr, "consort render: no SoundFont \"%s\" is installed\n", wanted);
        return NULL;
    }
    struct font *font = font_load(path, show_loading, bar, error, sizeof error);
    progress_bar_clear(bar);
    if (!font)
        fprintf(stderr, "consort render: %s\n", error);
    return font;
}

static int render(const struct render_options *options, struct render_file *files)
{
    struct render render = {.options = options, .files = files};
    const int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    const int wanted = options->jobs ? options->jobs : clamp(cores, 1, RENDER_JOBS_MAX);
    const int jobs = wanted < options->count ? wanted : options->count;
    progress_bar_init(&render.bar);
    render.settings = (struct render_settings){
        .values = options->values,
        .font = load_font(options, &render.bar),
        .rate_hz = options->rate_hz,
        .period_frames = (uint32_t)options->period_frames,
        .workers = workers_per_job(options->values, jobs),
        .tail_seconds = options->tail_seconds,
        .has_effects = options->has_effects,
    };
    if (!render.settings.font)
        return COMMAND_FAILED;
    sem_init(&render.file_is_done, 0, 0);
    const int failed = run_jobs(&render, jobs);
    sem_destroy(&render.file_is_done);
    font_destroy(render.settings.font);
    return failed || ferror(stdout) ? COMMAND_FAILED : COMMAND_DONE;
}

int command_render(int argc, char **argv)
{
    struct render_options options;
    struct render_file *files = NULL;
    int status = render_options_read(&options, &files, argc, argv);
    if (status == RENDER_OPTIONS_READY)
        status = render(&options, files);
    render_options_finish(&options, files);
    return status;
}
