/// A bank of decaying modes: thousands of two-pole resonators that one signal drives.
///
/// A mode is a complex number that turns and shrinks, z' = r e^(i w) z + gain e^(i phase) x, and
/// is heard as its real part. Turning by a rotation is stable for every r < 1 and has its pitch to
/// full precision at 27 Hz, where the coefficient of a direct-form two-pole is too coarse.
///
/// The bank runs in blocks of 16 frames. Within a block the modes are heard through a table of
/// their powers and gather the input through the same table, both as products in single
/// precision; only once a block are they turned, in double precision. So rounding does not pile up
/// over the seconds that a mode rings (the sum is within -130 dB of one in double precision, where
/// a rotation each sample in single precision ends at -63 to -81 dB), there is no chain from sample
/// to sample, and what the input does to the output within its own block is one short convolution
/// for many modes.
///
/// Modes that share a damper form a string. A string has two controls: a loss added to that of its
/// modes, and the share of the input that drives it. They move in straight lines, a step a block.
///
/// Layout: groups of 32 modes side by side, strings of whole groups, slices of whole strings.
/// Slices do not know each other: any thread may run any of them, and their sum has one order.
/// The output is the same bit for bit however periods are cut and slices are spread, and the same
/// for all vector widths that have a fused multiply-add; kernels without one (SSE2, plain C on
/// x86) agree with each other bit for bit and with those to the last bits of single precision.
///
/// Plain struct. Owner: the resonance. Thread: audio; init and finish any other.
#ifndef CONSORT_DSP_EFFECTS_MODES_H
#define CONSORT_DSP_EFFECTS_MODES_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/base/rt.h"

enum {
    MODES_BLOCK = 16,        ///< frames from one turn to the next
    MODES_LANES = 32,        ///< modes in a group
    MODES_PLACES = 16,       ///< in the stereo field; lanes i and i + 16 share one
    MODES_SLICE_GROUPS = 16, ///< aimed at; a longer string makes a longer slice
    MODES_MAX = 1 << 16,
    MODES_STRINGS_MAX = 256,
};

/// What a mode is made of.
struct mode {
    double frequency_hz; ///< above 0, below half the sample rate
    double loss_per_s;   ///< of amplitude, above 0: e^(-loss t); T60 is 6.9 / loss
    double gain;         ///< of one sample into the mode
    double phase_rad;    ///< of that sample: 0 a cosine, -pi/2 a sine
    uint32_t string;     ///< 0..strings-1; modes come in the order of their strings
};

/// 32 modes of one string.
struct modes_group {
    _Alignas(64) float power_re[MODES_BLOCK][MODES_LANES]; ///< (r e^(i w))^k
    float power_im[MODES_BLOCK][MODES_LANES];
    float gain_re[MODES_LANES], gain_im[MODES_LANES];
    double turn_re[MODES_LANES], turn_im[MODES_LANES]; ///< the 16th power
    double re[MODES_LANES], im[MODES_LANES];           ///< the modes at the start of the block
    bool is_resting;                                   ///< all are exactly zero
};

/// A control on its way. It arrives at `target` exactly.
struct modes_glide {
    double now, target, step;
    uint32_t left_blocks;
};

struct modes_string {
    _Alignas(64) float fade[MODES_BLOCK]; ///< e^(-added loss k)
    float intake[MODES_BLOCK];            ///< the same times the drive
    double fade_block;                    ///< of a whole block
    struct modes_glide loss, drive;
    uint32_t first_group, groups;
    float echo[2][MODES_BLOCK]; ///< response to a sample within its block, before fade and drive
};

/// Strings that one thread runs, and what they sound like together.
struct modes_slice {
    uint32_t first_string, strings;
    float echo[2][MODES_BLOCK];
    float pan[2][MODES_PLACES]; ///< how much of each place goes left and right
    float *out[2];
};

typedef void modes_kernel(struct modes_group *group, const struct modes_string *string,
                          const float *reversed, float *heard, uint32_t blocks, bool is_whole);

struct modes {
    double rate_hz;
    uint32_t max_frames;
    uint32_t groups, strings, slices, count; ///< `count` modes in use
    uint32_t at;                             ///< frames of the current block already heard
    uint32_t frames;                         ///< of the period being run
    uint32_t glide_blocks;                   ///< in which a control moves
    bool is_quiet;                           ///< the period and the block it began in are zero
    struct modes_group *group;
    struct modes_string *string;
    struct modes_slice *slice;
    float *in;       ///< from the start of the current block
    float *reversed; ///< the same, each block back to front
    modes_kernel *kernel;
};

/// Instruction sets a bank may run on; the bank takes the best one by itself.
enum modes_width { MODES_PLAIN, MODES_NARROW, MODES_AVX2, MODES_AVX512, MODES_WIDTHS };

/// Allocates. `strings` 1..MODES_STRINGS_MAX, `count` 1..MODES_MAX, `max_frames` 1..8192. At
/// first strings have no added loss and are driven in full. Returns 0, -ENOMEM, or -EINVAL for a
/// count, a mode or an order out of range. `modes_finish` welcomes a bank that init refused.
int modes_init(struct modes *modes, double rate_hz, uint32_t max_frames, uint32_t strings,
               const struct mode *mode, uint32_t count);
void modes_finish(struct modes *modes);

/// Runs on another instruction set, for tests and benchmarks. Returns false, and changes nothing,
/// where this processor or compiler lacks it.
bool modes_use(struct modes *modes, enum modes_width width);
const char *modes_width_name(enum modes_width width);

/// Blocks in which a control moves, from the next `modes_string_set` on; at first 20 ms' worth.
RT void modes_set_glide(struct modes *modes, double seconds);

/// Heads for an added loss per second (more than minus the least loss of its modes; the caller
/// sees to it that no mode grows) and a drive 0..1, from the next block on. RT safe.
RT void modes_string_set(struct modes *modes, uint32_t string, double loss_per_s, double drive);

/// A period, in three steps: the input (finite numbers) comes in, slices first..last-1 run (in any
/// order, on any thread, each once), and their sum overwrites `out`. RT safe.
RT void modes_feed(struct modes *modes, const float *in, uint32_t frames);
RT void modes_run(struct modes *modes, uint32_t first, uint32_t last);
RT void modes_sum(struct modes *modes, float *const out[2]);

/// Whether every mode is exactly zero.
RT bool modes_are_resting(const struct modes *modes);

/// Silences all modes at once and lets the controls arrive.
RT void modes_clear(struct modes *modes);

#endif
