#include "tests/data/gm_piece.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUARTER = 480,
    BAR = 4 * QUARTER,
    EIGHTH = QUARTER / 2,
    SIXTEENTH = QUARTER / 4,
    BARS = 17, // the last is the final chord
    MESSAGES_MAX = 4000,
};

// The messages of one part, in any order until they are written.
struct message {
    uint32_t tick, order;
    uint8_t status, first, second;
};

struct part {
    struct message messages[MESSAGES_MAX];
    uint32_t count;
    uint8_t channel;
};

// Root and the two other notes of each bar's chord, as keys around middle C.
static const uint8_t chords[BARS][3] = {
    {60, 64, 67}, {57, 60, 64}, {65, 69, 72}, {67, 71, 74}, {64, 67, 71}, {57, 60, 64},
    {62, 65, 69}, {67, 71, 74}, {60, 64, 67}, {57, 60, 64}, {65, 69, 72}, {67, 71, 74},
    {64, 67, 71}, {57, 60, 64}, {62, 65, 69}, {67, 71, 77}, {60, 64, 67},
};

static void add(struct part *part, uint32_t tick, uint8_t kind, unsigned first, unsigned second)
{
    assert(part->count < MESSAGES_MAX && first < 128 && second < 128);
    part->messages[part->count] =
        (struct message){tick, part->count, kind | part->channel, (uint8_t)first, (uint8_t)second};
    part->count++;
}

static void control(struct part *part, uint32_t tick, unsigned number, unsigned value)
{
    add(part, tick, 0xB0, number, value);
}

// A key struck and let go.
static void strike(struct part *part, uint32_t tick, uint32_t ticks, unsigned key,
                   unsigned velocity)
{
    add(part, tick, 0x90, key, velocity);
    add(part, tick + ticks, 0x80, key, 64);
}

static void chord(struct part *part, uint32_t tick, uint32_t ticks, unsigned bar, int shift,
                  unsigned velocity)
{
    for (unsigned i = 0; i < 3; i++)
        strike(part, tick, ticks, (unsigned)(chords[bar][i] + shift), velocity);
}

static void set_up(struct part *part, uint8_t channel, unsigned program, unsigned volume,
                   unsigned pan)
{
    part->count = 0;
    part->channel = channel;
    control(part, 0, 0, 0);
    control(part, 0, 32, 0);
    add(part, 0, 0xC0, program, 0);
    control(part, 0, 7, volume);
    control(part, 0, 10, pan);
    control(part, 0, 91, 50);
    control(part, 0, 93, channel);
}

static void piano(struct part *part)
{
    set_up(part, 0, 0, 96, 54);
    for (unsigned bar = 0; bar < BARS; bar++) {
        control(part, bar * BAR, 64, 0);
        control(part, bar * BAR + 40, 64, bar % 2 ? 127 : 90); // now and then only half down
        for (unsigned beat = 0; beat < (bar == BARS - 1 ? 1 : 4); beat++)
            chord(part, bar * BAR + beat * QUARTER, EIGHTH, bar, 0, beat ? 58 : 74);
    }
    control(part, BARS * BAR - 1, 64, 0);
}

static void bass(struct part *part)
{
    set_up(part, 1, 32, 110, 64);
    for (unsigned bar = 0; bar < BARS - 1; bar++)
        for (unsigned beat = 0; beat < 4; beat++)
            strike(part, bar * BAR + beat * QUARTER, QUARTER - 20,
                   chords[bar][beat == 3 ? 1 : beat % 2 * 2] - 24u, 88);
    strike(part, (BARS - 1) * BAR, BAR - 20, 36, 96);
}

static void strings(struct part *part)
{
    set_up(part, 2, 48, 80, 40);
    for (unsigned bar = 2; bar < BARS; bar++) {
        for (unsigned i = 0; i < 16; i++) // each bar swells and fades
            control(part, bar * BAR + i * SIXTEENTH, 11, 70 + 6 * (i < 8 ? i : 15 - i));
        chord(part, bar * BAR, BAR - 10, bar, 0, 70);
    }
}

static void flute(struct part *part)
{
    static const uint8_t melody[] = {76, 79, 81, 79, 76, 74, 72, 74};
    set_up(part, 3, 73, 100, 70);
    for (unsigned bar = 4; bar < 12; bar++) {
        control(part, bar * BAR, 1, 0);
        control(part, bar * BAR + 3 * QUARTER, 1, 64);
        strike(part, bar * BAR, QUARTER, melody[bar % 8], 84);
        strike(part, bar * BAR + QUARTER, EIGHTH, melody[(bar + 1) % 8], 76);
        strike(part, bar * BAR + 3 * EIGHTH, EIGHTH, melody[(bar + 2) % 8], 76);
        strike(part, bar * BAR + 2 * QUARTER, 2 * QUARTER - 20, melody[(bar + 3) % 8], 88);
    }
}

static void horn(struct part *part)
{
    set_up(part, 4, 60, 84, 52);
    for (unsigned bar = 8; bar < BARS; bar++) {
        strike(part, bar * BAR, BAR - 20, chords[bar][0] - 12u, 72);
        add(part, bar * BAR + QUARTER, 0xD0, 40, 0);
        add(part, bar * BAR + 2 * QUARTER, 0xD0, 0, 0);
    }
}

static void guitar(struct part *part)
{
    set_up(part, 5, 24, 92, 90);
    for (unsigned bar = 0; bar < BARS - 1; bar++)
        for (unsigned i = 0; i < 16; i++)
            strike(part, bar * BAR + i * SIXTEENTH, SIXTEENTH, chords[bar][(i * 2 + i / 4) % 3],
                   i % 4 ? 52 : 68);
}

static void vibraphone(struct part *part)
{
    set_up(part, 6, 11, 90, 30);
    for (unsigned bar = 1; bar < BARS; bar += 2)
        for (unsigned i = 0; i < 3; i++)
            strike(part, bar * BAR + i * EIGHTH, BAR - 3 * EIGHTH, chords[bar][i] + 12u, 64);
}

static void organ(struct part *part)
{
    set_up(part, 7, 18, 64, 76);
    for (unsigned bar = 8; bar < BARS; bar++)
        for (unsigned beat = 1; beat < 4; beat += 2)
            chord(part, bar * BAR + beat * QUARTER, EIGHTH, bar, 0, 70);
}

// Bends over an octave, set by registered parameter 0.
static void lead(struct part *part)
{
    set_up(part, 8, 81, 60, 64);
    control(part, 0, 101, 0);
    control(part, 0, 100, 0);
    control(part, 0, 6, 12);
    control(part, 0, 38, 0);
    control(part, 0, 101, 127);
    control(part, 0, 100, 127);
    for (unsigned bar = 12; bar < 16; bar++) {
        strike(part, bar * BAR, BAR - 40, 72, 70);
        for (unsigned i = 0; i < 64; i++) { // up a fifth and back
            unsigned bend = 8192 + (i < 32 ? i : 63 - i) * 8191 * 7 / 12 / 31;
            add(part, bar * BAR + QUARTER + i * 20, 0xE0, bend & 0x7F, bend >> 7);
        }
        add(part, bar * BAR + BAR - 20, 0xE0, 0, 64);
    }
}

static void drums(struct part *part)
{
    set_up(part, 9, 0, 100, 64);
    for (unsigned bar = 1; bar < BARS - 1; bar++)
        for (unsigned i = 0; i < 8; i++) {
            const uint32_t tick = bar * BAR + i * EIGHTH;
            if (i % 4 == 0 || i == 5)
                strike(part, tick, SIXTEENTH, 36, 100);
            if (i % 4 == 2)
                strike(part, tick, SIXTEENTH, 38, 92);
            strike(part, tick, SIXTEENTH, i == 7 ? 46 : 42, i % 2 ? 56 : 72); // closed, open
        }
    strike(part, (BARS - 1) * BAR, QUARTER, 36, 110);
    strike(part, (BARS - 1) * BAR, BAR - 10, 49, 96);
}

static void harp(struct part *part)
{
    static const uint8_t scale[] = {0, 2, 4, 5, 7, 9, 11};
    set_up(part, 10, 46, 90, 100);
    for (unsigned bar = 7; bar < BARS - 1; bar += 8)
        for (unsigned i = 0; i < 28; i++)
            strike(part, bar * BAR + 2 * QUARTER + i * 34, QUARTER,
                   48 + 12 * (i / 7) + scale[i % 7], 50 + i);
}

static void choir(struct part *part)
{
    set_up(part, 11, 52, 76, 64);
    for (unsigned bar = 12; bar < BARS; bar++)
        chord(part, bar * BAR, BAR - 10, bar, 0, 60);
}

static void timpani(struct part *part)
{
    set_up(part, 12, 47, 96, 64);
    for (unsigned i = 0; i < 32; i++) // a roll into the final chord
        strike(part, 15 * BAR + i * SIXTEENTH / 2, SIXTEENTH / 2, 43, 40 + 2 * i);
    strike(part, (BARS - 1) * BAR, BAR - 20, 36, 110);
}

static int by_tick(const void *left, const void *right)
{
    const struct message *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    const int a_is_on = (a->status & 0xF0) == 0x90, b_is_on = (b->status & 0xF0) == 0x90;
    if (a_is_on != b_is_on) // a key that is struck again is let go first
        return a_is_on - b_is_on;
    return a->order < b->order ? -1 : 1;
}

static void write_part(struct smf_writer *writer, struct part *part, const char *name)
{
    qsort(part->messages, part->count, sizeof *part->messages, by_tick);
    smf_writer_begin_track(writer);
    smf_writer_meta(writer, 0, 3, name, strlen(name));
    for (uint32_t i = 0; i < part->count; i++) {
        const struct message *message = &part->messages[i];
        smf_writer_message(writer, message->tick, message->status, message->first, message->second);
    }
    smf_writer_end_track(writer, BARS * BAR);
}

static void write_conductor(struct smf_writer *writer)
{
    static const uint8_t gm_on[] = {0xF0, 0x7E, 0x7F, 0x09, 0x01, 0xF7};
    static const uint8_t volume[] = {0xF0, 0x7F, 0x7F, 0x04, 0x01, 0x00, 0x70, 0xF7};
    static const char title[] = "Consort, a General MIDI test";
    smf_writer_begin_track(writer);
    smf_writer_meta(writer, 0, 3, title, strlen(title));
    smf_writer_meta(writer, 0, 0x58, "\4\2\x18\x08", 4);
    smf_writer_tempo(writer, 0, 500000);
    smf_writer_sysex(writer, 0, gm_on, sizeof gm_on);
    smf_writer_sysex(writer, 0, volume, sizeof volume);
    for (unsigned i = 0; i < 8; i++)
        smf_writer_tempo(writer, 15 * BAR + i * EIGHTH, 500000 + i * 40000);
    smf_writer_end_track(writer, BARS * BAR);
}

void gm_piece_write(struct smf_writer *writer)
{
    static const struct {
        void (*play)(struct part *part);
        const char *name;
    } parts[GM_PIECE_PARTS] = {
        {piano, "Piano"},     {bass, "Bass"},     {strings, "Strings"},  {flute, "Flute"},
        {horn, "Horn"},       {guitar, "Guitar"}, {vibraphone, "Vibes"}, {organ, "Organ"},
        {lead, "Lead"},       {drums, "Drums"},   {harp, "Harp"},        {choir, "Choir"},
        {timpani, "Timpani"},
    };
    static struct part part;
    writer->uses_running_status = true;
    smf_writer_begin(writer, 1, GM_PIECE_PARTS + 1, QUARTER);
    write_conductor(writer);
    for (unsigned i = 0; i < GM_PIECE_PARTS; i++) {
        parts[i].play(&part);
        write_part(writer, &part, parts[i].name);
    }
}
