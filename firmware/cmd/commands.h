/// The subcommands of `consort`, one file each. Thread: main.
///
/// A command gets its own name as argv[0]. It returns 0 when done, 1 when it failed and
/// COMMAND_USAGE when it was called wrongly, having said so on standard error.
#ifndef CONSORT_FIRMWARE_CMD_COMMANDS_H
#define CONSORT_FIRMWARE_CMD_COMMANDS_H

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

int command_render(int argc, char **argv); ///< MIDI files to sound files
int command_check(int argc, char **argv);  ///< all mistakes of a config file
int command_params(int argc, char **argv); ///< the reference of all parameters
int command_get(int argc, char **argv);    ///< values of a running box
int command_set(int argc, char **argv);    ///< changes one
int command_watch(int argc, char **argv);  ///< values as they change
int command_panic(int argc, char **argv);  ///< silence at once

#endif
