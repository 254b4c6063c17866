/// A General MIDI piece of our own for tests: 13 parts, drums among them, programs, controllers,
/// bends, pedal, resets; 17 bars at 120 a minute with a ritardando at the end.
///
/// `consort_gm.mid` is its file. After a change here, write it anew:
///     build/release/tests/data/test_gm_piece tests/data/consort_gm.mid
#ifndef CONSORT_TESTS_DATA_GM_PIECE_H
#define CONSORT_TESTS_DATA_GM_PIECE_H

#include "tests/engine/smf_writer.h"

enum { GM_PIECE_PARTS = 13 };

/// The whole file.
void gm_piece_write(struct smf_writer *writer);

#endif
