#define _GNU_SOURCE
#include "dsp/gpu/job.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "Consort";
enum { CELL_ALIGN = 64, CELL_BYTES_MAX = 64 << 20 };

static size_t rounded(size_t bytes) { return (bytes + CELL_ALIGN - 1) & ~(size_t)(CELL_ALIGN - 1); }

static bool is_possible(uint32_t cells, uint64_t cell_bytes)
{
    return cells >= 1 && cells <= GPU_CELLS_MAX && cell_bytes >= CELL_ALIGN &&
           cell_bytes <= CELL_BYTES_MAX && cell_bytes % CELL_ALIGN == 0;
}

static size_t total_of(uint32_t cells, size_t cell_bytes)
{
    return rounded(sizeof(struct gpu_head)) + cells * cell_bytes;
}

// ---- The memory ----

static int map(struct gpu_area *area, int file, uint32_t cells, size_t cell_bytes)
{
    size_t total = total_of(cells, cell_bytes);
    void *memory = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return -errno;
    *area = (struct gpu_area){.head = memory,
                              .cell_base = (unsigned char *)memory + total - cells * cell_bytes,
                              .cells = cells,
                              .cell_bytes = cell_bytes,
                              .total_bytes = total};
    return 0;
}

/// A file that nobody can shrink under our hands: an access beyond its end would kill us.
static int make_file(size_t bytes)
{
    int file = memfd_create("consort-gpu", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return -errno;
    if (ftruncate(file, (off_t)bytes) == 0 &&
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return file;
    int code = -errno;
    close(file);
    return code;
}

int gpu_area_create(struct gpu_area *area, uint32_t cells, size_t cell_bytes, int *file)
{
    size_t bytes = rounded(cell_bytes);
    if (!is_possible(cells, bytes))
        return -EINVAL;
    *file = make_file(total_of(cells, bytes));
    if (*file < 0)
        return *file;
    int code = map(area, *file, cells, bytes);
    if (code != 0) {
        close(*file);
        return code;
    }
    gpu_area_reset(area);
    return 0;
}

void gpu_area_reset(struct gpu_area *area)
{
    struct gpu_head *head = area->head;
    memset(head, 0, sizeof *head);
    memcpy(head->magic, MAGIC, sizeof MAGIC);
    head->version = GPU_JOB_VERSION;
    head->head_bytes = sizeof *head;
    head->cells = area->cells;
    head->cell_bytes = area->cell_bytes;
    head->total_bytes = area->total_bytes;
    area->sent = area->taken = area->answered = area->heard = 0;
}

static bool is_ours(const struct gpu_head *head, uint64_t file_bytes)
{
    return memcmp(head->magic, MAGIC, sizeof MAGIC) == 0 && head->version == GPU_JOB_VERSION &&
           head->head_bytes == sizeof *head && head->total_bytes == file_bytes &&
           is_possible(head->cells, head->cell_bytes) &&
           total_of(head->cells, head->cell_bytes) == file_bytes;
}

int gpu_area_attach(struct gpu_area *area, int file)
{
    struct stat about;
    *area = (struct gpu_area){0};
    if (fstat(file, &about) != 0)
        return -errno;
    if (about.st_size < (off_t)sizeof(struct gpu_head))
        return -EPROTO;
    struct gpu_head *head = mmap(NULL, sizeof *head, PROT_READ, MAP_SHARED, file, 0);
    if (head == MAP_FAILED)
        return -errno;
    bool is_good = is_ours(head, (uint64_t)about.st_size);
    uint32_t cells = head->cells;
    size_t cell_bytes = head->cell_bytes;
    munmap(head, sizeof *head);
    return is_good ? map(area, file, cells, cell_bytes) : -EPROTO;
}

void gpu_area_finish(struct gpu_area *area)
{
    if (area->head)
        munmap(area->head, area->total_bytes);
    *area = (struct gpu_area){0};
}

float *gpu_area_cell(const struct gpu_area *area, uint32_t cell)
{
    return (float *)(void *)(area->cell_base + cell * area->cell_bytes);
}

// ---- The rings ----

/// Places in use between a counter of ours and one of the other side, or -EPROTO.
static int in_use(uint32_t written, uint32_t read)
{
    return written - read <= GPU_RING ? (int)(written - read) : -EPROTO;
}

static uint32_t read_counter(struct gpu_counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_acquire);
}

static void publish(struct gpu_counter *counter, uint32_t *ours)
{
    atomic_store_explicit(&counter->value, ++*ours, memory_order_release);
}

int gpu_area_send(struct gpu_area *area, const struct gpu_job *job)
{
    int used = in_use(area->sent, read_counter(&area->head->taken));
    if (used < 0 || used == GPU_RING)
        return used < 0 ? used : -EAGAIN;
    area->head->jobs[area->sent % GPU_RING] = *job;
    publish(&area->head->sent, &area->sent);
    return 0;
}

int gpu_area_take(struct gpu_area *area, struct gpu_job *job)
{
    int used = in_use(read_counter(&area->head->sent), area->taken);
    if (used <= 0)
        return used;
    *job = area->head->jobs[area->taken % GPU_RING];
    publish(&area->head->taken, &area->taken);
    return 1;
}

int gpu_area_answer(struct gpu_area *area, const struct gpu_answer *answer)
{
    int used = in_use(area->answered, read_counter(&area->head->heard));
    if (used < 0 || used == GPU_RING)
        return used < 0 ? used : -EAGAIN;
    area->head->answers[area->answered % GPU_RING] = *answer;
    publish(&area->head->answered, &area->answered);
    return 0;
}

int gpu_area_hear(struct gpu_area *area, struct gpu_answer *answer)
{
    int used = in_use(read_counter(&area->head->answered), area->heard);
    if (used <= 0)
        return used;
    *answer = area->head->answers[area->heard % GPU_RING];
    publish(&area->head->heard, &area->heard);
    return 1;
}

// ---- What is in them ----

size_t gpu_job_cell_bytes(const struct gpu_mac_shape *shape)
{
    return (shape->inputs + shape->outputs) * gpu_mac_shape_floats(shape) * sizeof(float);
}

static int check_open(const struct gpu_area *area, const struct gpu_job *job,
                      const struct gpu_mac_shape *bank)
{
    if (bank || !gpu_mac_shape_is_valid(&job->shape))
        return -EINVAL;
    return gpu_job_cell_bytes(&job->shape) <= area->cell_bytes ? 0 : -EINVAL;
}

int gpu_job_check(const struct gpu_area *area, const struct gpu_job *job,
                  const struct gpu_mac_shape *bank)
{
    if (job->cell >= area->cells || job->bank >= GPU_BANKS_MAX)
        return -EINVAL;
    switch (job->kind) {
    case GPU_JOB_OPEN:
        return check_open(area, job, bank);
    case GPU_JOB_LOAD:
    case GPU_JOB_BLOCK:
    case GPU_JOB_FEED:
    case GPU_JOB_CLOSE:
        return bank ? 0 : -ENOENT;
    default:
        return -EINVAL;
    }
}

static void clean_text(char text[GPU_NAME_BYTES])
{
    text[GPU_NAME_BYTES - 1] = '\0';
    for (char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

static float clean_number(float value) { return isfinite(value) ? value : NAN; }

void gpu_area_read_report(const struct gpu_area *area, struct gpu_report *report)
{
    *report = area->head->report;
    clean_text(report->name);
    clean_text(report->driver);
    report->error_db = clean_number(report->error_db);
    report->round_trip_us = clean_number(report->round_trip_us);
    report->round_trip_worst_us = clean_number(report->round_trip_worst_us);
    report->is_software = report->is_software != 0;
}
