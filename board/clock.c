#include "board/clock.h"

#include <time.h>

static const int64_t STALE_NS = 500000000;

int clock_init(struct clock *clock) { return snapshot_init(&clock->mapping, sizeof(struct dll)); }

void clock_finish(struct clock *clock) { snapshot_finish(&clock->mapping); }

RT void clock_publish(struct clock *clock, const struct dll *dll)
{
    snapshot_write(&clock->mapping, dll);
}

RT void clock_stop(struct clock *clock)
{
    snapshot_write(&clock->mapping, &(struct dll){.period_frames = 0});
}

RT int64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); // answered in user space, no system call
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static struct dll mapping(const struct clock *clock)
{
    struct dll dll;
    snapshot_read(&clock->mapping, &dll);
    return dll;
}

bool clock_is_running(const struct clock *clock, int64_t now_ns)
{
    struct dll dll = mapping(clock);
    return dll_is_running(&dll) && now_ns - dll.time_ns < STALE_NS;
}

uint64_t clock_frame_at(const struct clock *clock, int64_t time_ns)
{
    struct dll dll = mapping(clock);
    return dll_frame_at(&dll, time_ns);
}

int64_t clock_time_at(const struct clock *clock, uint64_t frame)
{
    struct dll dll = mapping(clock);
    return dll_time_at(&dll, frame);
}

uint32_t clock_period_frames(const struct clock *clock)
{
    struct dll dll = mapping(clock);
    return dll_is_running(&dll) ? dll.period_frames : 0;
}

double clock_rate_hz(const struct clock *clock)
{
    struct dll dll = mapping(clock);
    return dll_is_running(&dll) ? dll_rate_hz(&dll) : 0.0;
}
