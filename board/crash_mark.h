/// Remembers, over crashes of the whole box, how often something was in use when it went down.
///
/// A small file that is written when the thing comes into use and removed at an orderly end. Owner:
/// who uses the thing. Thread: any but the audio thread.
#ifndef CONSORT_BOARD_CRASH_MARK_H
#define CONSORT_BOARD_CRASH_MARK_H

/// Runs in a row that did not come to an orderly end while the thing was in use; 0 without a file.
int crash_mark_read(const char *path);

/// The thing is in use now, after `crashes` such runs. On disk when it returns: 0 or negative
/// errno.
int crash_mark_set(const char *path, int crashes);

/// An orderly end, or a new chance.
void crash_mark_clear(const char *path);

#endif
