/// What the box says on its terminal: whole sentences, and on a terminal one line of status below.
///
/// One per process. Thread: any but the audio thread.
#ifndef CONSORT_FIRMWARE_CONSOLE_H
#define CONSORT_FIRMWARE_CONSOLE_H

/// Prints a sentence on a line of its own, above the status line if there is one.
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// For libraries' log callbacks: `console_say` of one line.
void console_log(void *data, const char *line);

/// Replaces the status line. Does nothing unless standard output is a terminal.
void console_status(const char *text);

/// Clears the status line: the process ends.
void console_end(void);

#endif
