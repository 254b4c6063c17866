// consort: the tool. Finds the subcommand and hands over to it.
#include <stdio.h>
#include <string.h>

#include "firmware/cmd/commands.h"
#include "firmware/version.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *sentence;
} commands[] = {
    {"render", command_render, "MIDI files to sound files, faster than real time"},
    {"check", command_check, "every mistake of a config file"},
    {"params", command_params, "the reference of all parameters"},
    {"get", command_get, "values of a running box"},
    {"set", command_set, "change a value of a running box"},
    {"watch", command_watch, "values of a running box as they change"},
    {"panic", command_panic, "silence a running box at once"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("usage: consort COMMAND [ARGUMENT]...\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].sentence);
    fputs("\n\"consort COMMAND --help\" tells more. The box itself is consortd.\n"
          "Exit 0: done, 1: failed, 2: wrong usage.\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return COMMAND_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return COMMAND_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("consort " CONSORT_VERSION);
        return COMMAND_DONE;
    }
    const struct command *command = find_command(argv[1]);
    if (command)
        return command->run(argc - 1, argv + 1);
    fprintf(stderr, "consort: no command \"%s\"; try consort --help\n", argv[1]);
    return COMMAND_USAGE;
}
