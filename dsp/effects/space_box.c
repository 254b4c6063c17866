// Early reflections: the image sources of a box, seen by two microphones.
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dsp/effects/space_inside.h"

enum { ORDERS = 16 }; ///< reflections at walls that one path may make

static const double sound_speed = 343; ///< metres per second
static const double jitter = 0.02;     ///< of a path's length: no hall is a perfect box

uint32_t space_roll(struct space_dice *dice)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (uint32_t)(dice->state >> 32);
}

double space_mixing_seconds(const struct space_box *box)
{
    // The square root of the volume in cubic metres, in milliseconds (Polack 1993), within reason.
    double volume = box->metres[0] * box->metres[1] * box->metres[2];
    double seconds = 1e-3 * sqrt(volume);
    return seconds < 0.008 ? 0.008 : seconds > 0.1 ? 0.1 : seconds;
}

// ---- geometry ----

struct point {
    double axis[3];
};

static struct point source_place(const struct space_box *box, int source)
{
    double aside = source ? 0.12 : -0.12;
    return (struct point){
        {0.23 * box->metres[0], (0.5 + aside) * box->metres[1], 0.31 * box->metres[2]}};
}

static struct point microphone_place(const struct space_box *box, int microphone)
{
    double aside = fmin(0.25, 0.1 * box->metres[1]);
    return (struct point){{0.61 * box->metres[0],
                           0.5 * box->metres[1] + (microphone ? aside : -aside),
                           0.37 * box->metres[2]}};
}

/// The place of image `n` of a coordinate: ..., -1 behind the first wall, 0 itself, 1, ...
static double image(double place, double length, int n)
{
    return n % 2 ? (n + 1) * length - place : n * length + place;
}

static double distance(struct point a, struct point b)
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += (a.axis[i] - b.axis[i]) * (a.axis[i] - b.axis[i]);
    return sqrt(sum);
}

/// A cardioid that looks towards the sources and 45 degrees outwards.
static double cardioid(struct point microphone, struct point from, int which)
{
    double ahead = microphone.axis[0] - from.axis[0];
    double aside = from.axis[1] - microphone.axis[1];
    double cosine = (ahead + (which ? aside : -aside)) * M_SQRT1_2 / distance(microphone, from);
    return 0.5 + 0.5 * cosine;
}

// ---- paths ----

struct render {
    const struct space_box *box;
    uint32_t rate_hz, frames;
    float *order[ORDERS + 1]; ///< what arrives after so many walls
    struct point source, microphone;
    double direct_metres;
    int which; ///< microphone
};

static void add_path(struct render *render, struct point from, int order, double shift)
{
    double metres = distance(from, render->microphone) * (1 + jitter * shift);
    double seconds = (metres - render->direct_metres) / sound_speed;
    double until = render->box->until_seconds;
    if (seconds <= 0 || seconds >= until)
        return;
    double fade = seconds < until / 2 ? 1 : pow(cos(M_PI * (seconds / until - 0.5)), 2);
    double gain = fade * pow(render->box->wall_gain, order) / metres *
                  cardioid(render->microphone, from, render->which);
    double at = seconds * render->rate_hz;
    uint32_t frame = (uint32_t)at;
    if (frame + 1 >= render->frames)
        return;
    // Walls of wood, glass and plaster: now and then one that turns the phase.
    gain = shift > 0.6 ? -gain : gain;
    render->order[order][frame] += (float)(gain * (1 - (at - frame)));
    render->order[order][frame + 1] += (float)(gain * (at - frame));
}

static void add_paths(struct render *render)
{
    struct space_dice dice = {0x9e3779b97f4a7c15u};
    for (int x = -ORDERS; x <= ORDERS; x++)
        for (int y = -ORDERS; y <= ORDERS; y++)
            for (int z = -ORDERS; z <= ORDERS; z++) {
                int order = abs(x) + abs(y) + abs(z), n[3] = {x, y, z};
                double shift = space_roll(&dice) * 0x1p-31 - 1;
                struct point from;
                for (int i = 0; i < 3; i++)
                    from.axis[i] = image(render->source.axis[i], render->box->metres[i], n[i]);
                if (order > 0 && order <= ORDERS)
                    add_path(render, from, order, shift);
            }
}

/// Each wall takes some treble: what has met n walls has passed n filters.
static void gather(struct render *render, float *to)
{
    double step =
        1 - exp(-2 * M_PI * fmin(render->box->wall_hz, 0.45 * render->rate_hz) / render->rate_hz);
    for (int order = ORDERS; order > 0; order--) {
        double low = 0;
        for (uint32_t i = 0; i < render->frames; i++) {
            low += step * (render->order[order][i] - low);
            render->order[order - 1][i] += (float)low;
        }
    }
    for (uint32_t i = 0; i < render->frames; i++)
        to[i] += render->order[0][i];
}

int space_add_reflections(float *to, uint32_t frames, uint32_t rate_hz, const struct space_box *box,
                          int source, int microphone)
{
    uint32_t needed = (uint32_t)(box->until_seconds * rate_hz) + 64;
    struct render render = {
        .box = box,
        .rate_hz = rate_hz,
        .frames = needed < frames ? needed : frames,
        .source = source_place(box, source),
        .microphone = microphone_place(box, microphone),
        .which = microphone,
    };
    render.direct_metres = distance(render.source, render.microphone);
    float *memory = calloc((size_t)render.frames * (ORDERS + 1), sizeof *memory);
    if (!memory)
        return -ENOMEM;
    for (int i = 0; i <= ORDERS; i++)
        render.order[i] = memory + (size_t)i * render.frames;
    add_paths(&render);
    gather(&render, to);
    free(memory);
    return 0;
}
