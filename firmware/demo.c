#include "firmware/demo.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "dsp/engine/event.h"
#include "dsp/engine/smf_builder.h"

enum {
    QUARTER = 480, // ticks
    SIXTEENTH = QUARTER / 4,
    BAR = 4 * QUARTER,
    BROKEN_BARS = 32, // bars of one chord, broken in one way
    BARS = 35,
    PEDAL = 64,
};

// Keys by their Dutch names, to proofread the table against the score; C4 is middle C.
// clang-format off
enum {
    C2 = 36, F2 = 41, FIS2 = 42, G2 = 43, AS2 = 44, B2 = 47,
    C3 = 48, D3 = 50, ES3 = 51, E3 = 52, F3 = 53, G3 = 55, AS3 = 56, A3 = 57, BES3 = 58, B3 = 59,
    C4 = 60, D4 = 62, ES4 = 63, E4 = 64, F4 = 65, FIS4 = 66, G4 = 67, A4 = 69, B4 = 71,
    C5 = 72, CIS5 = 73, D5 = 74, E5 = 76, F5 = 77, G5 = 79, A5 = 81,
};
// clang-format on

// Bars 1 to 32: a chord, from its bass up, and how loud it is.
static const struct {
    uint8_t keys[5], velocity;
} bars[BROKEN_BARS] = {
    {{C4, E4, G4, C5, E5}, 54},    {{C4, D4, A4, D5, F5}, 53},   {{B3, D4, G4, D5, F5}, 54},
    {{C4, E4, G4, C5, E5}, 55},    {{C4, E4, A4, E5, A5}, 62},   {{C4, D4, FIS4, A4, D5}, 57},
    {{B3, D4, G4, D5, G5}, 61},    {{B3, C4, E4, G4, C5}, 55},   {{A3, C4, E4, G4, C5}, 54},
    {{D3, A3, D4, FIS4, C5}, 57},  {{G3, B3, D4, G4, B4}, 56},   {{G3, BES3, E4, G4, CIS5}, 61},
    {{F3, A3, D4, A4, D5}, 57},    {{F3, AS3, D4, F4, B4}, 60},  {{E3, G3, C4, G4, C5}, 55},
    {{E3, F3, A3, C4, F4}, 52},    {{D3, F3, A3, C4, F4}, 50},   {{G2, D3, G3, B3, F4}, 52},
    {{C3, E3, G3, C4, E4}, 54},    {{C3, G3, BES3, C4, E4}, 58}, {{F2, F3, A3, C4, E4}, 57},
    {{FIS2, C3, A3, C4, ES4}, 61}, {{AS2, F3, B3, C4, D4}, 64},  {{G2, F3, G3, B3, D4}, 66},
    {{G2, E3, G3, C4, E4}, 66},    {{G2, D3, G3, C4, F4}, 65},   {{G2, D3, G3, B3, F4}, 67},
    {{G2, ES3, A3, C4, FIS4}, 72}, {{G2, E3, G3, C4, G4}, 74},   {{G2, D3, G3, C4, F4}, 70},
    {{G2, D3, G3, B3, F4}, 66},    {{C2, C3, G3, BES3, E4}, 61},
};

// Bars 33 and 34: two long notes in the bass, the rest in sixteenths above them.
static const struct {
    uint8_t bass[2], keys[14], velocity;
} closing[2] = {
    {{C2, C3}, {F3, A3, C4, F4, C4, A3, C4, A3, F3, A3, F3, D3, F3, D3}, 58},
    {{C2, B2}, {G4, B4, D5, F5, D5, B4, D5, B4, G4, B4, D4, F4, E4, D4}, 55},
};

static const uint8_t final_chord[5] = {C2, C3, E4, G4, C5};

// The tempo, and how it broadens at the end; us a quarter note from a bar (of 1) and quarter on.
static const struct {
    uint8_t bar, quarter;
    uint32_t us;
} tempos[] = {
    {1, 0, 870000},  {32, 0, 890000},  {33, 0, 920000},  {33, 2, 950000},
    {34, 0, 980000}, {34, 2, 1050000}, {34, 3, 1250000}, {35, 0, 1500000},
};

// The tables play for a quiet room; a box that greets somebody should be heard.
enum { LIFT = 26 };

struct writer {
    struct smf_builder builder;
    int error; // the first one; what comes after it is not written
};

static void add(struct writer *writer, uint32_t tick, enum event_type type, uint8_t first,
                int second)
{
    struct event event = {.type = (uint8_t)type};
    event.bytes[0] = first; // key or controller
    event.bytes[1] = (uint8_t)second;
    if (!writer->error)
        writer->error = smf_builder_add(&writer->builder, tick, 0, &event);
}

static void strike(struct writer *writer, uint32_t tick, uint32_t ticks, uint8_t key, int velocity)
{
    add(writer, tick, EVENT_NOTE_ON, key, velocity + LIFT);
    // A hair early, so that a key that is struck again has been let go.
    add(writer, tick + ticks - SIXTEENTH / 12, EVENT_NOTE_OFF, key, 64);
}

// Down just behind the first note of a bar, up with the first of the next.
static void write_pedal(struct writer *writer, uint32_t tick)
{
    add(writer, tick, EVENT_CONTROL, PEDAL, 0);
    add(writer, tick + SIXTEENTH / 3, EVENT_CONTROL, PEDAL, 127);
}

// Half a bar: 1 2 3 4 5 3 4 5, the two lowest held on.
static void write_broken_chord(struct writer *writer, uint32_t tick, const uint8_t keys[5],
                               int velocity)
{
    static const uint8_t order[8] = {0, 1, 2, 3, 4, 2, 3, 4};
    static const int8_t accent[8] = {4, -4, -7, -4, 3, -8, -6, 0};
    for (uint32_t i = 0; i < 8; i++)
        strike(writer, tick + i * SIXTEENTH, (i < 2 ? 8 - i : 1) * SIXTEENTH, keys[order[i]],
               velocity + accent[i]);
}

static void write_closing_bar(struct writer *writer, uint32_t tick, unsigned bar)
{
    const int velocity = closing[bar].velocity;
    for (uint32_t i = 0; i < 2; i++)
        strike(writer, tick + i * SIXTEENTH, BAR - i * SIXTEENTH, closing[bar].bass[i], velocity);
    for (uint32_t i = 0; i < 14; i++)
        strike(writer, tick + (i + 2) * SIXTEENTH, SIXTEENTH, closing[bar].keys[i],
               velocity - (i % 2 ? 6 : 2) - (int)(i / 3));
}

static void write_final_chord(struct writer *writer, uint32_t tick)
{
    for (uint32_t i = 0; i < 5; i++) // rolled
        strike(writer, tick + i * SIXTEENTH / 3, BAR - i * SIXTEENTH / 3, final_chord[i],
               44 + (i == 4) * 4);
}

static void write_tempos(struct writer *writer)
{
    for (size_t i = 0; i < sizeof tempos / sizeof *tempos && !writer->error; i++)
        writer->error = smf_builder_add_tempo(
            &writer->builder, (tempos[i].bar - 1u) * BAR + tempos[i].quarter * QUARTER, 0,
            tempos[i].us);
}

static void write_prelude(struct writer *writer)
{
    write_tempos(writer);
    for (uint32_t bar = 0; bar < BARS; bar++) {
        write_pedal(writer, bar * BAR);
        if (bar < BROKEN_BARS)
            for (uint32_t half = 0; half < 2; half++)
                write_broken_chord(writer, bar * BAR + half * BAR / 2, bars[bar].keys,
                                   bars[bar].velocity - 2 * (int)half);
        else if (bar < BARS - 1)
            write_closing_bar(writer, bar * BAR, bar - BROKEN_BARS);
        else
            write_final_chord(writer, bar * BAR);
    }
    add(writer, BARS * BAR, EVENT_CONTROL, PEDAL, 0);
    if (!writer->error)
        writer->error = smf_builder_add_end(&writer->builder, BARS * BAR + QUARTER, 0);
}

struct smf *demo_create(void)
{
    struct writer writer = {0};
    struct smf *piece = NULL;
    size_t place;
    smf_builder_init(&writer.builder);
    write_prelude(&writer);
    if (!writer.error)
        writer.error =
            smf_builder_finish(&writer.builder, smf_tick_metrical(QUARTER),
                               "J. S. Bach: Prelude in C major, BWV 846", &piece, &place);
    if (writer.error) {
        smf_builder_discard(&writer.builder);
        errno = -writer.error;
    }
    return piece;
}
