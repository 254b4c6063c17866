#include "dsp/synth/font.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/// Where Debian's packages and people put fonts.
static const char *const folders[] = {"/usr/share/sounds/sf2", "/usr/share/sounds/sf3",
                                      "/usr/share/soundfonts", "/usr/local/share/soundfonts",
                                      "/var/lib/consort/fonts"};

/// General MIDI fonts of Debian, the best first; the system's own choice closes the list.
static const char *const favourites[] = {
    "FluidR3_GM.sf2", "MuseScore_General.sf3", "FluidR3Mono_GM.sf3", "GeneralUser.sf2",
    "TimGM6mb.sf2",   "default-GM.sf2",        "default-GM.sf3"};

static const char *const endings[] = {"", ".sf2", ".sf3"};

enum { FOLDERS = sizeof folders / sizeof *folders };

static int find_in_folders(const char *name, char *path, size_t bytes)
{
    for (size_t i = 0; i < FOLDERS; i++)
        for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
            int length = snprintf(path, bytes, "%s/%s%s", folders[i], name, endings[k]);
            if (length > 0 && (size_t)length < bytes && !access(path, R_OK))
                return 0;
        }
    return -ENOENT;
}

int font_find(const char *wanted, char *path, size_t bytes)
{
    if (strchr(wanted, '/')) {
        int length = snprintf(path, bytes, "%s", wanted);
        return (size_t)length < bytes && !access(path, R_OK) ? 0 : -ENOENT;
    }
    if (*wanted && strcmp(wanted, "auto"))
        return find_in_folders(wanted, path, bytes);
    for (size_t i = 0; i < sizeof favourites / sizeof *favourites; i++)
        if (!find_in_folders(favourites[i], path, bytes))
            return 0;
    return -ENOENT;
}
