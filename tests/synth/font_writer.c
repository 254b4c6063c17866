#define _GNU_SOURCE
#include "tests/synth/font_writer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char table_name[FONT_TABLES][5] = {"phdr", "pbag", "pmod", "pgen", "inst",
                                                "ibag", "imod", "igen", "shdr"};
static const size_t record_bytes[FONT_TABLES] = {38, 4, 10, 4, 22, 4, 10, 4, 46};

// ---- bytes ----

static void put(struct font_bytes *to, const void *bytes, size_t count)
{
    if (to->count + count > to->room) {
        to->room = 2 * (to->count + count);
        to->at = realloc(to->at, to->room);
        assert(to->at);
    }
    if (count)
        memcpy(to->at + to->count, bytes, count);
    to->count += count;
}

static void put_u16(struct font_bytes *to, unsigned value)
{
    put(to, (uint8_t[]){value & 255, value >> 8 & 255}, 2);
}

static void put_u32(struct font_bytes *to, size_t value)
{
    put_u16(to, value & 0xffff);
    put_u16(to, value >> 16 & 0xffff);
}

static void put_name(struct font_bytes *to, const char *name)
{
    char text[20] = {0};
    strncpy(text, name, sizeof text - 1);
    put(to, text, sizeof text);
}

static void put_chunk(struct font_bytes *to, const char *name, const struct font_bytes *inside)
{
    put(to, name, 4);
    put_u32(to, inside->count);
    put(to, inside->at, inside->count);
    if (inside->count & 1)
        put(to, "", 1);
}

static unsigned records(const struct font_writer *writer, enum font_table table)
{
    return (unsigned)(writer->tables[table].count / record_bytes[table]);
}

// ---- what a font is made of ----

void font_writer_finish(struct font_writer *writer)
{
    for (int i = 0; i < FONT_TABLES; i++)
        free(writer->tables[i].at);
    free(writer->smpl.at);
    free(writer->file.at);
    memset(writer, 0, sizeof *writer);
}

int font_writer_sample(struct font_writer *writer, const char *name, const int16_t *frames,
                       uint32_t count, uint32_t loop_start, uint32_t loop_end, uint32_t rate_hz,
                       uint8_t root_key)
{
    static const uint8_t silence[46 * 2];
    struct font_bytes *to = &writer->tables[SHDR];
    uint32_t start = (uint32_t)(writer->smpl.count / 2);
    put(&writer->smpl, frames, count * sizeof *frames);
    put(&writer->smpl, silence, sizeof silence); // as the format asks
    put_name(to, name);
    put_u32(to, start);
    put_u32(to, start + count);
    put_u32(to, start + loop_start);
    put_u32(to, start + loop_end);
    put_u32(to, rate_hz);
    put(to, (uint8_t[]){root_key, 0}, 2);
    put_u16(to, 0);
    put_u16(to, 1); // mono
    return (int)records(writer, SHDR) - 1;
}

void font_writer_instrument(struct font_writer *writer, const char *name)
{
    writer->level = INST;
    put_name(&writer->tables[INST], name);
    put_u16(&writer->tables[INST], records(writer, IBAG));
}

void font_writer_preset(struct font_writer *writer, const char *name, uint16_t bank,
                        uint16_t program)
{
    struct font_bytes *to = &writer->tables[PHDR];
    writer->level = PHDR;
    put_name(to, name);
    put_u16(to, program);
    put_u16(to, bank);
    put_u16(to, records(writer, PBAG));
    put(to, (uint8_t[12]){0}, 12);
}

void font_writer_zone(struct font_writer *writer)
{
    struct font_bytes *to = &writer->tables[writer->level + 1];
    put_u16(to, records(writer, writer->level + 3));
    put_u16(to, records(writer, writer->level + 2));
}

void font_writer_gen(struct font_writer *writer, uint16_t id, int amount)
{
    struct font_bytes *to = &writer->tables[writer->level + 3];
    put_u16(to, id);
    put_u16(to, (uint16_t)amount);
}

int font_writer_range(int low, int high) { return low | high << 8; }

void font_writer_mod(struct font_writer *writer, uint16_t source, uint16_t destination, int amount,
                     uint16_t amount_source, uint16_t transform)
{
    struct font_bytes *to = &writer->tables[writer->level + 2];
    put_u16(to, source);
    put_u16(to, destination);
    put_u16(to, (uint16_t)amount);
    put_u16(to, amount_source);
    put_u16(to, transform);
}

// ---- the file ----

static void end_tables(struct font_writer *writer)
{
    static const uint8_t zeros[46];
    font_writer_preset(writer, "EOP", 0, 0);
    font_writer_zone(writer);
    font_writer_instrument(writer, "EOI");
    font_writer_zone(writer);
    put(&writer->tables[PMOD], zeros, 10);
    put(&writer->tables[PGEN], zeros, 4);
    put(&writer->tables[IMOD], zeros, 10);
    put(&writer->tables[IGEN], zeros, 4);
    put(&writer->tables[SHDR], zeros, 46);
}

void font_writer_end(struct font_writer *writer)
{
    end_tables(writer);
    font_writer_seal(writer);
}

void font_writer_seal(struct font_writer *writer)
{
    struct font_bytes riff = {0}, info = {0}, data = {0}, hydra = {0}, version = {0};
    put(&riff, "sfbk", 4);
    put_u16(&version, 2);
    put_u16(&version, 1);
    put(&info, "INFO", 4);
    put_chunk(&info, "ifil", &version);
    put_chunk(&info, "isng", &(struct font_bytes){(uint8_t *)"EMU8000", 8, 0});
    put_chunk(&info, "INAM", &(struct font_bytes){(uint8_t *)"Test", 5, 0});
    put_chunk(&riff, "LIST", &info);
    put(&data, "sdta", 4);
    put_chunk(&data, "smpl", &writer->smpl);
    put_chunk(&riff, "LIST", &data);
    put(&hydra, "pdta", 4);
    for (int i = 0; i < FONT_TABLES; i++)
        put_chunk(&hydra, table_name[i], &writer->tables[i]);
    put_chunk(&riff, "LIST", &hydra);
    writer->file.count = 0;
    put_chunk(&writer->file, "RIFF", &riff);
    free(riff.at);
    free(info.at);
    free(data.at);
    free(hydra.at);
    free(version.at);
}

struct font *font_writer_load_bytes(const uint8_t *bytes, size_t count, char *error,
                                    size_t error_bytes)
{
    char path[64];
    int fd = memfd_create("font", MFD_CLOEXEC);
    assert(fd >= 0);
    for (size_t done = 0; done < count;) {
        ssize_t written = write(fd, bytes + done, count - done);
        assert(written > 0);
        done += (size_t)written;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct font *font = font_load(path, NULL, NULL, error, error_bytes);
    close(fd);
    return font;
}

struct font *font_writer_load(const struct font_writer *writer)
{
    char error[512] = "";
    struct font *font =
        font_writer_load_bytes(writer->file.at, writer->file.count, error, sizeof error);
    if (!font)
        fprintf(stderr, "%s\n", error);
    return font;
}
