#include "firmware/cmd/render_options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "firmware/cmd/commands.h"

static const char usage[] =
    "usage: consort render [OPTION]... IN.mid... -o OUT.wav|DIR/\n"
    "Renders MIDI files to sound files, faster than real time.\n"
    "\n"
    "  -o, --output OUT     .wav, .flac, .ogg or .mp3, or a folder for several (of .wav)\n"
    "  -s, --soundfont F    SF2 or SF3 file, or the name of an installed font\n"
    "  -c, --config F       take the synthesiser's and the mix's settings from a config file\n"
    "  -r, --rate R         sample rate, 8000 to 192000 Hz; 48000 if not said\n"
    "  -p, --period N       frames rendered at once, 16 to 8192; 1024 if not said\n"
    "  -e, --effects on|off reverb, chorus, delay, equaliser, compressor, limiter; on if not said\n"
    "  -j, --jobs N         files rendered at once, 1 to 64; as many as cores if not said\n"
    "  -t, --tail S         let the end ring for at most S seconds, 0 to 600; 10 if not said\n"
    "      --json           one JSON object for each file, one on a line\n"
    "\n"
    "Exit 0: all done, 1: a file failed (the others are done), 2: wrong usage.\n";

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"soundfont", required_argument, NULL, 's'},
    {"config", required_argument, NULL, 'c'},
    {"rate", required_argument, NULL, 'r'},
    {"period", required_argument, NULL, 'p'},
    {"effects", required_argument, NULL, 'e'},
    {"jobs", required_argument, NULL, 'j'},
    {"tail", required_argument, NULL, 't'},
    {"json", no_argument, NULL, 'J'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

__attribute__((format(printf, 1, 2))) static int wrong(const char *reason, ...)
{
    va_list values;
    va_start(values, reason);
    fputs("consort render: ", stderr);
    vfprintf(stderr, reason, values);
    fputs("\n", stderr);
    va_end(values);
    return COMMAND_USAGE;
}

static int out_of_memory(void)
{
    fputs("consort render: out of memory\n", stderr);
    return COMMAND_FAILED;
}

static int read_number(const char *option, const char *text, double low, double high,
                       double *number)
{
    char *end;
    *number = strtod(text, &end);
    if (end == text || *end || !(*number >= low && *number <= high))
        return wrong("--%s %s: must be %g to %g", option, text, low, high);
    return RENDER_OPTIONS_READY;
}

static int read_whole(const char *option, const char *text, int low, int high, int *number)
{
    double real;
    int status = read_number(option, text, low, high, &real);
    if (status == RENDER_OPTIONS_READY && real != floor(real))
        return wrong("--%s %s: must be a whole number", option, text);
    *number = status == RENDER_OPTIONS_READY ? (int)real : 0;
    return status;
}

static int read_switch(const char *option, const char *text, bool *is_on)
{
    *is_on = strcmp(text, "on") == 0;
    if (!*is_on && strcmp(text, "off"))
        return wrong("--%s %s: must be on or off", option, text);
    return RENDER_OPTIONS_READY;
}

static int read_config(struct render_options *options, const char *path)
{
    struct config_report report = {0};
    int status = config_load(path, options->values, &report);
    config_report_print(&report, stderr);
    config_report_finish(&report);
    return status ? COMMAND_FAILED : RENDER_OPTIONS_READY;
}

static int read_option(struct render_options *options, int option, const char *text)
{
    switch (option) {
    case 'o':
        options->out = text;
        return RENDER_OPTIONS_READY;
    case 's':
        options->font = text;
        return RENDER_OPTIONS_READY;
    case 'c':
        return read_config(options, text);
    case 'r':
        return read_whole("rate", text, 8000, 192000, &options->rate_hz);
    case 'p':
        return read_whole("period", text, 16, 8192, &options->period_frames);
    case 'e':
        return read_switch("effects", text, &options->has_effects);
    case 'j':
        return read_whole("jobs", text, 1, RENDER_JOBS_MAX, &options->jobs);
    case 't':
        return read_number("tail", text, 0, 600, &options->tail_seconds);
    case 'J':
        options->is_json = true;
        return RENDER_OPTIONS_READY;
    case 'h':
        fputs(usage, stdout);
        return COMMAND_DONE;
    default: // getopt has said what is wrong
        fputs("Try: consort render --help\n", stderr);
        return COMMAND_USAGE;
    }
}

static bool is_folder(const char *path)
{
    struct stat stat_buffer;
    const size_t length = strlen(path);
    return (length && path[length - 1] == '/') ||
           (stat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode));
}

// "songs/waltz.mid" into "out/": "out/waltz.wav". NULL when out of memory.
static char *name_in_folder(const char *folder, const char *in)
{
    const char *slash = strrchr(in, '/'), *name = slash ? slash + 1 : in;
    const char *dot = strrchr(name, '.');
    const int length = (int)(dot && dot != name ? (size_t)(dot - name) : strlen(name));
    const char *between = folder[strlen(folder) - 1] == '/' ? "" : "/";
    const size_t bytes = strlen(folder) + strlen(name) + sizeof "/.wav";
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s%s%.*s.wav", folder, between, length, name);
    return path;
}

static int name_files(const struct render_options *options, struct render_file *files, char **in)
{
    const bool has_folder = is_folder(options->out);
    if (!has_folder && options->count > 1)
        return wrong("%d files cannot all become %s: name a folder", options->count, options->out);
    if (has_folder && mkdir(options->out, 0777) && errno != EEXIST) {
        fprintf(stderr, "consort render: %s: %s\n", options->out, strerror(errno));
        return COMMAND_FAILED;
    }
    for (int i = 0; i < options->count; i++) {
        files[i].in = in[i];
        files[i].out = has_folder ? name_in_folder(options->out, in[i]) : strdup(options->out);
        if (!files[i].out)
            return out_of_memory();
    }
    return RENDER_OPTIONS_READY;
}

static int by_output(const void *left, const void *right)
{
    const struct render_file *const *a = left, *const *b = right;
    return strcmp((*a)->out, (*b)->out);
}

// Two files of one name would overwrite each other.
static int check_names(const struct render_options *options, struct render_file *files)
{
    const size_t count = (size_t)options->count;
    const struct render_file **sorted = malloc(count * sizeof *sorted);
    int status = sorted ? RENDER_OPTIONS_READY : out_of_memory();
    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = &files[i];
    if (sorted)
        qsort(sorted, count, sizeof *sorted, by_output);
    for (size_t i = 1; sorted && i < count && status == RENDER_OPTIONS_READY; i++)
        if (by_output(&sorted[i - 1], &sorted[i]) == 0)
            status = wrong("%s and %s would both become %s", sorted[i - 1]->in, sorted[i]->in,
                           sorted[i]->out);
    free(sorted);
    return status;
}

static int make_files(const struct render_options *options, struct render_file **files, char **in)
{
    if (options->count == 0)
        return wrong("no MIDI file is named; try --help");
    if (!options->out || !*options->out)
        return wrong("no output is named: -o OUT.wav or -o DIR/");
    *files = calloc((size_t)options->count, sizeof **files);
    if (!*files)
        return out_of_memory();
    int status = name_files(options, *files, in);
    return status == RENDER_OPTIONS_READY ? check_names(options, *files) : status;
}

int render_options_read(struct render_options *options, struct render_file **files, int argc,
                        char **argv)
{
    *options = (struct render_options){
        .rate_hz = 48000, .period_frames = 1024, .tail_seconds = 10, .has_effects = true};
    options->values = malloc(sizeof *options->values);
    if (!options->values)
        return out_of_memory();
    config_defaults(options->values);
    static char name[] = "consort render"; // getopt names it in its messages
    argv[0] = name;
    optind = 1;
    for (int option;
         (option = getopt_long(argc, argv, "o:s:c:r:p:e:j:t:h", long_options, NULL)) != -1;) {
        int status = read_option(options, option, optarg);
        if (status != RENDER_OPTIONS_READY)
            return status;
    }
    options->count = argc - optind;
    return make_files(options, files, argv + optind);
}

void render_options_finish(struct render_options *options, struct render_file *files)
{
    for (int i = 0; files && i < options->count; i++)
        free(files[i].out);
    free(files);
    free(options->values);
}
