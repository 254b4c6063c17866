#include <jack/jack.h>
#include <jack/midiport.h>

#include "board/jack_inside.h"

/// What the sample clock follows once settled: crystals drift over minutes, not seconds.
static const double CLOCK_BANDWIDTH_HZ = 0.1;

RT static void push(struct audio *audio, struct input *input, const struct event *event)
{
    if (engine_push(audio->engine, audio->ring, event))
        return;
    atomic_fetch_add_explicit(&audio->lost_events, 1, memory_order_relaxed);
    // It may have been the end of a note.
    atomic_store_explicit(&input->must_release, true, memory_order_relaxed);
}

RT bool jack_process_release(struct audio *audio, const struct input *input)
{
    struct event event = {.frame = audio->frame, .source = input->source, .type = EVENT_RELEASE};
    return engine_push(audio->engine, audio->ring, &event);
}

RT static void begin_input(struct audio *audio, struct input *input, jack_nframes_t frames)
{
    int state = atomic_load_explicit(&input->state, memory_order_acquire);
    input->count = input->next = 0;
    if (state == INPUT_RELEASING && jack_process_release(audio, input))
        atomic_store_explicit(&input->state, INPUT_RELEASED, memory_order_release);
    if (state != INPUT_PLAYING)
        return;
    if (atomic_exchange(&input->must_release, false) && !jack_process_release(audio, input))
        atomic_store(&input->must_release, true);
    input->buffer = jack_port_get_buffer(input->port, frames);
    input->count = jack_midi_get_event_count(input->buffer);
}

/// The input whose next message comes first, NULL when all are read. JACK keeps each input in
/// order; the ring wants them in order together.
RT static struct input *earliest(struct audio *audio, jack_midi_event_t *message)
{
    struct input *found = NULL;
    for (int i = 0; i < INPUTS; i++) {
        struct input *input = &audio->inputs[i];
        jack_midi_event_t candidate;
        while (input->next < input->count &&
               jack_midi_event_get(&candidate, input->buffer, input->next) != 0)
            input->next++;
        if (input->next < input->count && (!found || candidate.time < message->time)) {
            found = input;
            *message = candidate;
        }
    }
    return found;
}

RT static void translate(struct audio *audio, struct input *input, const jack_midi_event_t *message)
{
    int count = midi_translate(message->buffer, message->size, audio->events);
    if (count < 0)
        atomic_fetch_add_explicit(&audio->lost_events, 1, memory_order_relaxed);
    for (int i = 0; i < count; i++) {
        audio->events[i].frame = audio->frame + message->time;
        audio->events[i].source = input->source;
        push(audio, input, &audio->events[i]);
    }
}

RT static void read_midi(struct audio *audio, jack_nframes_t frames)
{
    for (int i = 0; i < INPUTS; i++)
        begin_input(audio, &audio->inputs[i], frames);
    jack_midi_event_t message;
    for (struct input *input; (input = earliest(audio, &message)); input->next++)
        translate(audio, input, &message);
}

RT static void keep_time(struct audio *audio, jack_nframes_t frames, int64_t now_ns)
{
    jack_nframes_t jack_frame = jack_last_frame_time(audio->client);
    bool has_gap = jack_frame != audio->jack_frame;
    audio->jack_frame = jack_frame + frames;
    if (atomic_exchange(&audio->has_gap, false) || has_gap)
        dll_reset(&audio->dll);
    if (audio->dll.period_frames != frames)
        dll_init(&audio->dll, frames, audio->rate_hz, CLOCK_BANDWIDTH_HZ);
    dll_update(&audio->dll, audio->frame, now_ns);
    clock_publish(audio->clock, &audio->dll);
}

RT static void render(struct audio *audio, jack_nframes_t frames)
{
    float *const out[2] = {jack_port_get_buffer(audio->out[0], frames),
                           jack_port_get_buffer(audio->out[1], frames)};
    for (jack_nframes_t done = 0; done < frames;) {
        uint32_t count = frames - done < audio->max_frames ? frames - done : audio->max_frames;
        float *const piece[2] = {out[0] + done, out[1] + done};
        engine_run(audio->engine, piece, count);
        done += count;
    }
    if (audio->recorder)
        recorder_feed(audio->recorder, out, frames);
}

RT int jack_process_period(jack_nframes_t frames, void *data)
{
    struct audio *audio = data;
    int64_t begin_ns = clock_now_ns();
    rt_set(true);
    rt_flush_denormals();
    keep_time(audio, frames, begin_ns);
    read_midi(audio, frames);
    render(audio, frames);
    audio->frame += frames;
    float load =
        load_meter_add(&audio->meter, begin_ns, clock_now_ns() - begin_ns, audio->dll.nominal_ns);
    atomic_store_explicit(&audio->load, load, memory_order_relaxed);
    atomic_store_explicit(&audio->period_frames, frames, memory_order_relaxed);
    atomic_fetch_add_explicit(&audio->callbacks, 1, memory_order_relaxed);
    rt_set(false);
    return 0;
}
