#include "dsp/base/dll.h"

#include <math.h>

/// An update this far from its prediction is a gap, not jitter.
static const double GAP_NS = 0.5e9;

void dll_init(struct dll *dll, uint32_t period_frames, double rate_hz, double bandwidth_hz)
{
    double period_s = period_frames / rate_hz;
    double omega = 2.0 * M_PI * bandwidth_hz * period_s;
    *dll = (struct dll){
        .nominal_ns = period_s * 1e9,
        .gain_time = fmin(1.0, M_SQRT2 * omega),
        .gain_period = fmin(1.0, omega * omega),
        .period_frames = period_frames,
    };
    dll_reset(dll);
}

RT void dll_reset(struct dll *dll)
{
    dll->updates = 0;
    dll->period_ns = dll->nominal_ns;
    dll->fraction_ns = 0.0;
}

static void start(struct dll *dll, uint64_t frame, int64_t time_ns)
{
    dll_reset(dll);
    dll->frame = frame;
    dll->time_ns = time_ns;
    dll->updates = 1;
}

/// Moves the filtered time on. Only the whole part grows with uptime, so that nothing is lost to
/// rounding after a year.
static void advance(struct dll *dll, double by_ns)
{
    double sum_ns = dll->fraction_ns + by_ns;
    double whole_ns = floor(sum_ns);
    dll->time_ns += (int64_t)whole_ns;
    dll->fraction_ns = sum_ns - whole_ns;
}

RT void dll_update(struct dll *dll, uint64_t frame, int64_t time_ns)
{
    if (dll->updates == 0 || frame != dll->frame + dll->period_frames) {
        start(dll, frame, time_ns);
        return;
    }
    double error_ns = (double)(time_ns - dll->time_ns) - dll->fraction_ns - dll->period_ns;
    if (fabs(error_ns) > GAP_NS) {
        start(dll, frame, time_ns);
        return;
    }
    // Gains of the least-squares line through n points (Kalata, "The tracking index", 1984).
    double n = dll->updates < UINT32_MAX ? ++dll->updates : dll->updates;
    double gain_time = fmax(dll->gain_time, 2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)));
    double gain_period = fmax(dll->gain_period, 6.0 / (n * (n + 1.0)));
    dll->frame = frame;
    advance(dll, dll->period_ns + gain_time * error_ns);
    dll->period_ns += gain_period * error_ns;
}

RT bool dll_is_running(const struct dll *dll) { return dll->updates > 0; }

RT uint64_t dll_frame_at(const struct dll *dll, int64_t time_ns)
{
    if (!dll_is_running(dll))
        return 0;
    double since_ns = (double)(time_ns - dll->time_ns) - dll->fraction_ns;
    double frames = floor(since_ns / dll->period_ns * dll->period_frames);
    if (frames < 0.0 && -frames > (double)dll->frame)
        return 0;
    return dll->frame + (uint64_t)(int64_t)frames;
}

RT int64_t dll_time_at(const struct dll *dll, uint64_t frame)
{
    if (!dll_is_running(dll))
        return 0;
    double periods = (double)(int64_t)(frame - dll->frame) / dll->period_frames;
    return dll->time_ns + (int64_t)llround(dll->fraction_ns + periods * dll->period_ns);
}

RT double dll_rate_hz(const struct dll *dll) { return dll->period_frames / dll->period_ns * 1e9; }
