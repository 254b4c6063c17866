/// A progress bar on standard error, shown only where that is a terminal.
///
/// A plain struct, owned by a tool. Thread: the one that writes to the terminal.
#ifndef CONSORT_FIRMWARE_PROGRESS_BAR_H
#define CONSORT_FIRMWARE_PROGRESS_BAR_H

#include <stdbool.h>

struct progress_bar {
    bool is_terminal;
    int shown_percent; ///< -1 while there is none on the screen
};

void progress_bar_init(struct progress_bar *bar);

/// Draws the bar anew if it has changed: `fraction` 0..1, then a word on what is done.
void progress_bar_show(struct progress_bar *bar, double fraction, const char *what);

/// Wipes it off the line, so that something else can be written.
void progress_bar_clear(struct progress_bar *bar);

#endif
