// consort params: the reference of all parameters.
#include <stdio.h>
#include <string.h>

#include "config/reference.h"
#include "firmware/cmd/commands.h"

static const char usage[] = "usage: consort params [--markdown|--json|--config]\n"
                            "Writes the reference of all parameters: a page in Markdown, an array\n"
                            "in JSON, or a config file with every key explained.\n";

static const struct format {
    const char *option;
    void (*write)(FILE *out);
} formats[] = {
    {"--markdown", reference_write_markdown},
    {"--json", reference_write_json},
    {"--config", reference_write_config},
};

static const struct format *find_format(const char *option)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(option, formats[i].option) == 0)
            return &formats[i];
    return NULL;
}

int command_params(int argc, char **argv)
{
    const struct format *format = argc < 2 ? &formats[0] : find_format(argv[1]);
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return COMMAND_DONE;
    }
    if (argc > 2 || !format) {
        fputs(usage, stderr);
        return COMMAND_USAGE;
    }
    format->write(stdout);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return COMMAND_DONE;
    perror("consort params");
    return COMMAND_FAILED;
}
