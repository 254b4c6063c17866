// Fuzz target: any bytes as a MIDI file. What is read must keep the promises of smf.h.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/text.h"
#include "dsp/engine/smf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_piece(const struct smf *piece)
{
    size_t notes = 0;
    assert(piece->count <= SMF_EVENTS_MAX);
    assert(piece->length_ns <= SMF_SECONDS_MAX * UINT64_C(1000000000));
    for (size_t i = 0; i < piece->count; i++) {
        const struct smf_event *item = &piece->events[i];
        assert(item->event.type < EVENT_TYPES && item->event.channel < PARTS);
        assert(item->event.frame == 0 && item->event.source == 0 && item->event.order == 0);
        assert(item->time_ns <= piece->length_ns);
        assert(i == 0 || piece->events[i - 1].time_ns <= item->time_ns);
        notes += item->event.type == EVENT_NOTE_ON;
    }
    assert(notes == piece->notes);
    assert(text_is_utf8(piece->title) && !text_has_control(piece->title));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct smf *piece = NULL;
    struct smf_error error = {0};
    if (smf_parse(bytes, count, &piece, &error) == 0)
        check_piece(piece);
    else
        assert(!piece && error.offset <= count && error.reason[0]);
    smf_destroy(piece);
    return 0;
}
