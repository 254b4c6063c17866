#include "tests/bench/zita.h"

#include <cstring>
#include <sched.h>
#include <unistd.h>
#include <zita-convolver.h>

struct zita {
    Convproc engine;
    uint32_t period;
};

static bool load(Convproc &engine, float *const *path, uint32_t paths, uint32_t frames)
{
    for (uint32_t i = 0; i < paths; i++) {
        uint32_t in = paths == 4 ? i / 2 : i, out = paths == 4 ? i % 2 : i;
        if (engine.impdata_create(in, out, 1, path[i], 0, (int32_t)frames))
            return false;
    }
    return true;
}

struct zita *zita_create(float *const *path, uint32_t paths, uint32_t frames, uint32_t period,
                         struct zita_choice choice, int priority)
{
    zita *made = new zita;
    made->period = period;
    made->engine.set_options((choice.measures_plans ? Convproc::OPT_FFTW_MEASURE : 0) |
                             (choice.is_vectorised ? Convproc::OPT_VECTOR_MODE : 0));
    float density = paths == 4 ? 1.0f : 0.5f; // of the matrix of inputs and outputs
    bool is_good = !made->engine.configure(2, 2, frames, period, period, choice.longest_part,
                                           density) &&
                   load(made->engine, path, paths, frames) &&
                   !made->engine.start_process(priority, SCHED_FIFO);
    if (is_good)
        return made;
    delete made;
    return nullptr;
}

void zita_destroy(struct zita *zita)
{
    if (!zita)
        return;
    zita->engine.stop_process();
    while (!zita->engine.check_stop())
        usleep(1000);
    zita->engine.cleanup();
    delete zita;
}

void zita_run(struct zita *zita, const float *const in[2], float *const out[2], bool waits)
{
    for (uint32_t c = 0; c < 2; c++)
        memcpy(zita->engine.inpdata(c), in[c], zita->period * sizeof(float));
    zita->engine.process(waits);
    for (uint32_t c = 0; c < 2; c++)
        memcpy(out[c], zita->engine.outdata(c), zita->period * sizeof(float));
}
