// consort-gpu: the process that speaks to the graphics processor, so that a driver that hangs or
// dies takes no sound with it. Started by consortd; `consort-gpu --test` tells what there is.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "dsp/gpu/server.h"
#include "firmware/version.h"

enum { DONE = 0, USAGE = 2 };

static const char usage[] =
    "usage: consort-gpu --test [--cache FOLDER] [--unmapped]\n"
    "       consort-gpu --memory FD --work FD --done FD [--cache FOLDER] [--unmapped]\n\n"
    "  --test          open the graphics processor, check it, print what came out\n"
    "  --cache FOLDER  keep linked shaders there\n"
    "  --unmapped      do without buffers that stay mapped\n"
    "  --memory, --work, --done\n"
    "                  descriptors handed down by consortd: shared memory and two eventfds\n";

static const struct option options[] = {
    {"test", no_argument, NULL, 't'},
    {"cache", required_argument, NULL, 'c'},
    {"unmapped", no_argument, NULL, 'u'},
    {"memory", required_argument, NULL, 'm'},
    {"work", required_argument, NULL, 'w'},
    {"done", required_argument, NULL, 'd'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int fail_usage(void)
{
    fputs(usage, stderr);
    return USAGE;
}

/// A descriptor from an argument, or -1.
static int descriptor(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *text && !*end && value >= 0 && value < 1 << 20 ? (int)value : -1;
}

int main(int argc, char **argv)
{
    struct gpu_server_settings settings = {.memory = -1, .work = -1, .done = -1};
    int option, is_test = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 't':
            is_test = 1;
            break;
        case 'c':
            settings.folder = optarg;
            break;
        case 'u':
            settings.is_unmapped = true;
            break;
        case 'm':
            settings.memory = descriptor(optarg);
            break;
        case 'w':
            settings.work = descriptor(optarg);
            break;
        case 'd':
            settings.done = descriptor(optarg);
            break;
        case 'v':
            puts("consort-gpu " CONSORT_VERSION);
            return DONE;
        case 'h':
            fputs(usage, stdout);
            return DONE;
        default:
            return fail_usage();
        }
    }
    if (is_test)
        return gpu_server_try(&settings);
    if (optind < argc || settings.memory < 0 || settings.work < 0 || settings.done < 0)
        return fail_usage();
    return gpu_server_run(&settings);
}
