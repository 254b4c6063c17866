/// A font of pure tones, as a file: what a box plays with it can be told to the sample.
#ifndef CONSORT_TESTS_BOX_TONE_FONT_H
#define CONSORT_TESTS_BOX_TONE_FONT_H

enum {
    TONE_SINE = 0, ///< program: a sine on every key for as long as it is held; key 69 is 440 Hz
    TONE_STEP = 1, ///< a constant level
};

/// Writes the font. Fails the test when it cannot.
void tone_font_write(const char *path);

#endif
