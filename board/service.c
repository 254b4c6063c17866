#include "board/service.h"

#include <systemd/sd-daemon.h>

void service_init(struct service *service)
{
    uint64_t watchdog_us = 0;
    *service = (struct service){.feed_ns = 0};
    // Three feeds fit into the time allowed, so that one may come late.
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        service->feed_ns = (int64_t)(watchdog_us / 3) * 1000;
}

void service_ready(const char *status) { sd_notifyf(0, "READY=1\nSTATUS=%s", status); }

void service_status(const char *status) { sd_notifyf(0, "STATUS=%s", status); }

void service_stopping(void) { sd_notify(0, "STOPPING=1"); }

bool service_watch(struct service *service, int64_t now_ns, uint64_t frame, bool is_waiting)
{
    if (service->feed_ns == 0 || now_ns - service->fed_ns < service->feed_ns)
        return false;
    if (frame == service->last_frame && !is_waiting)
        return false;
    service->fed_ns = now_ns;
    service->last_frame = frame;
    sd_notify(0, "WATCHDOG=1");
    return true;
}
