#include "net/osc_stage.h"

#include <errno.h>
#include <stddef.h>

#define BUSY_PACE_NS UINT64_C(1000000)   ///< before a full host is tried again
#define PATIENCE_NS UINT64_C(1000000000) ///< after which what a full host never took is dropped
#define LEAD_NS UINT64_C(20000000)       ///< in which this thread surely wakes up

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns) { return a_ns < b_ns ? a_ns : b_ns; }

static bool is_of_source(const struct osc_due *due, const void *source)
{
    return !due->is_setting && due->event.source == *(const int *)source;
}

static bool is_event(const struct osc_due *due, const void *context)
{
    (void)context;
    return !due->is_setting;
}

/// Whether it is the end of an earlier note on the key that `context`, a note, strikes now.
static bool ends_same_key(const struct osc_due *due, const void *context)
{
    const struct event *note = context;
    return due->ends_note && due->event.source == note->source &&
           due->event.channel == note->channel && due->event.note.key == note->note.key;
}

/// Plays the release that a guest owes, then closes its source and frees its place if they are to
/// go. Returns false when the host is full.
static bool settle(struct osc_stage *stage, struct osc_guest *guest)
{
    const struct osc_host *host = stage->host;

    if (guest->owes_release) {
        const struct event end = {.type = EVENT_RELEASE, .source = (uint16_t)guest->source};
        if (host->play(host->context, &end) != 0)
            return false;
        guest->owes_release = false;
    }
    if (guest->source && guest->is_done_playing)
        host->close_source(host->context, guest->source);
    if (guest->is_done_playing)
        guest->source = 0;
    guest->is_done_playing = false;
    if (guest->is_leaving)
        guest->is_present = false;
    return true;
}

/// Ends all notes of a guest, those that wait too.
static void release(struct osc_stage *stage, struct osc_guest *guest)
{
    if (guest->source) {
        osc_queue_remove(&stage->queue, is_of_source, &guest->source);
        guest->owes_release = true;
    }
    settle(stage, guest);
}

/// A source's stream has a hole, perhaps a note-off.
static void heal(struct osc_stage *stage, int source)
{
    struct osc_guest *guest = osc_guest_of_source(&stage->guests, source);

    if (guest)
        release(stage, guest);
}

void osc_stage_leave(struct osc_stage *stage, struct osc_guest *guest)
{
    guest->is_leaving = true;
    guest->is_done_playing = true;
    guest->lease_ends_ns = 0;
    release(stage, guest);
}

struct osc_guest *osc_stage_seat(struct osc_stage *stage, const struct osc_sender *sender,
                                 uint64_t now_ns)
{
    struct osc_guest *guest = osc_guest_find(&stage->guests, sender);

    if (!guest)
        guest = osc_guest_seat(&stage->guests, sender, now_ns);
    if (guest)
        return guest;
    struct osc_guest *quietest = osc_guest_quietest(&stage->guests, now_ns);
    if (quietest)
        osc_stage_leave(stage, quietest);
    return osc_guest_seat(&stage->guests, sender, now_ns);
}

int osc_stage_open_source(struct osc_stage *stage, struct osc_guest *guest)
{
    char name[OSC_SENDER_NAME_MAX];

    if (guest->owes_release || guest->is_done_playing)
        return -EAGAIN; // a note now would be ended by the release that is still to come
    if (guest->source)
        return 0;
    osc_sender_name(&guest->sender, name);
    const int source = stage->host->open_source(stage->host->context, name);
    if (source <= 0 || source >= SOURCES_MAX)
        return -ENOSPC;
    guest->source = source;
    return 0;
}

/// The time between an event and its sound.
static uint64_t latency_ns(const struct osc_host *host)
{
    struct param_value latency = {0};

    host->get(host->context, PARAM_AUDIO_LATENCY, &latency);
    return (uint64_t)(param_clamp(param_row(PARAM_AUDIO_LATENCY), latency.number) * 1e6);
}

/// A note just struck ends when its duration is over, and no longer when an earlier one's is.
static void time_note(struct osc_stage *stage, const struct osc_due *note, uint64_t now_ns)
{
    struct osc_due end = *note;

    osc_queue_remove(&stage->queue, ends_same_key, &note->event);
    if (!note->duration_ms)
        return;
    end.due_ns = note->due_ns ? note->due_ns : now_ns + latency_ns(stage->host);
    end.due_ns += note->duration_ms * UINT64_C(1000000);
    end.asked_ns = end.due_ns;
    end.duration_ms = 0;
    end.ends_note = true;
    end.event.type = EVENT_PART_NOTE_OFF;
    end.event.note.velocity = 0;
    if (!osc_queue_push(&stage->queue, &end))
        heal(stage, note->event.source);
}

/// Hands the first of the queue to the host. Returns false when the host is full.
static bool perform_first(struct osc_stage *stage, uint64_t frame, uint64_t now_ns)
{
    const struct osc_host *host = stage->host;
    struct osc_due due = *osc_queue_first(&stage->queue);

    due.event.frame = frame;
    const int error = due.is_setting ? host->set(host->context, due.index, &due.value, frame)
                                     : host->play(host->context, &due.event);
    const bool is_kept = now_ns < due.asked_ns + PATIENCE_NS || due.event.type == EVENT_PANIC;
    if (error == -EAGAIN && is_kept)
        return false;

    osc_queue_pop(&stage->queue);
    if (due.is_setting && error != 0)
        stage->refused(stage->context, &due, error);
    else if (error != 0)
        heal(stage, due.event.source);
    else if (!due.is_setting && due.event.type == EVENT_PART_NOTE_ON)
        time_note(stage, &due, now_ns);
    return true;
}

/// Performs what is due. Returns when there is more to do.
static uint64_t perform(struct osc_stage *stage, uint64_t now_ns)
{
    const struct osc_due *first = osc_queue_first(&stage->queue);
    uint64_t due_ns = 0, frame = EVENT_NOW;

    if (!first)
        return UINT64_MAX;
    const uint64_t lead_ns = LEAD_NS + latency_ns(stage->host);
    for (; first; first = osc_queue_first(&stage->queue)) {
        if (first->due_ns > now_ns + lead_ns)
            return first->due_ns - lead_ns;
        // What is due together gets one frame, however the clocks are adjusted meanwhile.
        if (first->due_ns != due_ns) {
            due_ns = first->due_ns;
            frame = stage->host->frame_at(stage->host->context, due_ns);
        }
        if (frame == EVENT_NOW && due_ns > now_ns)
            return due_ns; // no sample clock: as near as this thread can
        if (!perform_first(stage, frame, now_ns))
            return now_ns + BUSY_PACE_NS;
    }
    return UINT64_MAX;
}

int osc_stage_push(struct osc_stage *stage, const struct osc_due *due, uint64_t now_ns)
{
    const bool is_taken = osc_queue_push(&stage->queue, due);

    if (!is_taken && !due->is_setting)
        heal(stage, due->event.source);
    perform(stage, now_ns);
    return is_taken ? 0 : -EAGAIN;
}

void osc_stage_panic(struct osc_stage *stage, const struct osc_sender *sender, uint64_t now_ns)
{
    const struct osc_due panic = {
        .sender = *sender, .asked_ns = now_ns, .event = {.type = EVENT_PANIC}};

    osc_queue_remove(&stage->queue, is_event, NULL);
    if (!osc_queue_push(&stage->queue, &panic)) {
        osc_queue_pop(&stage->queue); // full of settings: one of them gives way
        osc_queue_push(&stage->queue, &panic);
    }
    perform(stage, now_ns);
}

uint64_t osc_stage_turn(struct osc_stage *stage, uint64_t now_ns)
{
    uint64_t next_ns = UINT64_MAX;

    for (unsigned i = 0; i < OSC_GUESTS_MAX; i++) {
        struct osc_guest *guest = &stage->guests.guest[i];
        if (!guest->is_present)
            continue;
        const uint64_t silent_at_ns = guest->heard_ns + OSC_SILENCE_NS;
        if (guest->source && now_ns >= silent_at_ns && !guest->is_done_playing) {
            guest->is_done_playing = true;
            release(stage, guest);
        }
        if (!settle(stage, guest))
            next_ns = earlier(next_ns, now_ns + BUSY_PACE_NS);
        else if (guest->source)
            next_ns = earlier(next_ns, silent_at_ns);
    }
    return earlier(next_ns, perform(stage, now_ns));
}
