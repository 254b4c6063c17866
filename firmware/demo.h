/// The piece that the box plays by itself: J. S. Bach's Prelude in C major, BWV 846, from the first
/// book of the Well-Tempered Clavier (1722; in the public domain), encoded for Consort.
///
/// Thread: any but the audio thread.
#ifndef CONSORT_FIRMWARE_DEMO_H
#define CONSORT_FIRMWARE_DEMO_H

#include "dsp/engine/smf.h"

/// A piece of the caller's, on MIDI channel 1 and whatever plays there: it changes no program and
/// no setting. Returns NULL with errno ENOMEM.
struct smf *demo_create(void);

#endif
