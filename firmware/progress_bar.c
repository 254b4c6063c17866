#include "firmware/progress_bar.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 40 };

void progress_bar_init(struct progress_bar *bar)
{
    bar->is_terminal = isatty(STDERR_FILENO);
    bar->shown_percent = -1;
}

void progress_bar_show(struct progress_bar *bar, double fraction, const char *what)
{
    static const char full[WIDTH + 1] = "########################################";
    static const char empty[WIDTH + 1] = "........................................";
    const double clamped = fraction > 0 ? fraction < 1 ? fraction : 1 : 0;
    const int percent = (int)(100 * clamped), done = (int)(WIDTH * clamped);
    if (!bar->is_terminal || percent == bar->shown_percent)
        return;
    fprintf(stderr, "\r\033[K[%.*s%.*s] %3d %% %s", done, full, WIDTH - done, empty, percent, what);
    fflush(stderr);
    bar->shown_percent = percent;
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (bar->is_terminal && bar->shown_percent >= 0)
        fputs("\r\033[K", stderr);
    bar->shown_percent = -1;
}
