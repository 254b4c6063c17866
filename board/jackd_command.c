#include "board/jackd_command.h"

#include <stdarg.h>
#include <stdio.h>

#include "board/thread.h"

enum { DUMMY_FRAMES_MIN = 256 };

static void add(struct jackd_command *command, const char *argument)
{
    command->arguments[command->count++] = argument;
}

__attribute__((format(printf, 2, 3))) static void add_text(struct jackd_command *command,
                                                           const char *format, ...)
{
    char *text = command->text[command->texts++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof command->text[0], format, arguments);
    va_end(arguments);
    add(command, text);
}

static void add_server(struct jackd_command *command, const struct jackd_settings *settings,
                       const char *server)
{
    add(command, settings->program);
    command->is_realtime = settings->priority > 0 && thread_may_be_realtime(settings->priority);
    if (command->is_realtime) {
        add(command, "-R");
        add_text(command, "-P%d", settings->priority);
    } else {
        add(command, "-r");
    }
    add_text(command, "-n%s", server);
}

static void add_driver(struct jackd_command *command, const struct jackd_settings *settings,
                       const struct card *card)
{
    int period = settings->period_frames;
    if (!card && period < DUMMY_FRAMES_MIN)
        period = DUMMY_FRAMES_MIN;
    add(command, "-d");
    add(command, card ? "alsa" : "dummy");
    if (card)
        add_text(command, "-dhw:%s", card->name);
    add_text(command, "-r%d", settings->rate_hz);
    add_text(command, "-p%d", period);
    if (card)
        add_text(command, "-n%d", settings->periods);
}

void jackd_command_init(struct jackd_command *command, const struct jackd_settings *settings,
                        const char *server, const struct card *card)
{
    *command = (struct jackd_command){.count = 0};
    add_server(command, settings, server);
    add_driver(command, settings, card);
}
