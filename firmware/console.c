#include "firmware/console.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_BYTES = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char status[STATUS_BYTES];

static void clear_line(void)
{
    if (*status)
        fputs("\r\033[K", stdout);
}

void console_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&lock);
    clear_line();
    vprintf(format, arguments);
    putchar('\n');
    fputs(status, stdout);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
    va_end(arguments);
}

void console_log(void *data, const char *line)
{
    (void)data;
    console_say("%s", line);
}

void console_status(const char *text)
{
    if (!isatty(STDOUT_FILENO))
        return;
    pthread_mutex_lock(&lock);
    if (strcmp(status, text)) {
        clear_line();
        snprintf(status, sizeof status, "%s", text);
        fputs(status, stdout);
        fflush(stdout);
    }
    pthread_mutex_unlock(&lock);
}

void console_end(void)
{
    pthread_mutex_lock(&lock);
    clear_line();
    *status = '\0';
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}
