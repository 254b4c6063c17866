#include "config/scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_DIGITS_MAX = 15 };

struct scan {
    const char *at, *end; // what is still to be read; *end is readable nowhere
    char *out;            // where the copy goes on
    unsigned line, depth, keys;
    bool is_fatal; // nothing after this can be trusted
    const char *name;
    struct config_report *report;
};

static char peek(const struct scan *scan, size_t ahead)
{
    return scan->at + ahead < scan->end ? scan->at[ahead] : '\0';
}

static void copy(struct scan *scan)
{
    scan->line += *scan->at == '\n';
    *scan->out++ = *scan->at++;
}

/// Moves on, leaving only the line breaks.
static void blank(struct scan *scan)
{
    if (*scan->at == '\n')
        copy(scan);
    else
        scan->at++;
}

static void fail(struct scan *scan, unsigned line, const char *message)
{
    config_report_add(scan->report, scan->name, line, "%s", message);
    scan->is_fatal = true;
}

static void skip_line_comment(struct scan *scan)
{
    while (scan->at < scan->end && *scan->at != '\n')
        scan->at++;
}

static void skip_block_comment(struct scan *scan)
{
    const unsigned first_line = scan->line;
    scan->at += 2;
    *scan->out++ = ' ';
    while (scan->at < scan->end && !(*scan->at == '*' && peek(scan, 1) == '/'))
        blank(scan);
    if (scan->at >= scan->end)
        fail(scan, first_line, "this comment is never closed: */ is missing");
    else
        scan->at += 2;
}

static void copy_string(struct scan *scan)
{
    copy(scan);
    while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\n') {
        if (*scan->at == '\\' && peek(scan, 1) != '\n' && scan->at + 1 < scan->end)
            copy(scan);
        copy(scan);
    }
    if (scan->at < scan->end && *scan->at == '"')
        copy(scan);
    else
        fail(scan, scan->line, "this text is not closed: a quote is missing");
}

static bool is_hex(const char *word, size_t bytes)
{
    return bytes > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
}

/// Whether an integer of `bytes` at `word` leaves the 32 bits that libconfig keeps of it.
static bool is_long_integer(const char *word, size_t bytes)
{
    char digits[32];
    const bool is_hexadecimal = is_hex(word, bytes);
    for (size_t i = is_hexadecimal ? 2 : *word == '-' || *word == '+'; i < bytes; i++)
        if (!(is_hexadecimal ? isxdigit((unsigned char)word[i]) : isdigit((unsigned char)word[i])))
            return false;
    if (bytes >= sizeof digits)
        return true;
    memcpy(digits, word, bytes);
    digits[bytes] = '\0';
    const long long number = strtoll(digits, NULL, is_hexadecimal ? 16 : 10);
    return number > INT_MAX || number < INT_MIN;
}

static bool is_in_word(char c) { return isalnum((unsigned char)c) || (c && strchr("+-_.*", c)); }

/// A word is a name or a number.
static void copy_word(struct scan *scan)
{
    const char *word = scan->at;
    while (is_in_word(peek(scan, 0)))
        copy(scan);
    const size_t bytes = (size_t)(scan->at - word);
    const bool is_number = !isalpha((unsigned char)*word) && *word != '*';
    // Decimal numbers beyond 64 bits end at the largest; hexadecimal ones would wrap.
    if (is_hex(word, bytes) && bytes > strlen("0x") + HEX_DIGITS_MAX)
        fail(scan, scan->line, "this number is too large");
    else if (is_number && is_long_integer(word, bytes))
        *scan->out++ = 'L';
}

static void copy_mark(struct scan *scan)
{
    const char mark = *scan->at;
    if (mark == '\0')
        fail(scan, scan->line, "a zero byte: this is not a text file");
    else if (mark == '@')
        fail(scan, scan->line, "@include is not taken: all settings stand in one file");
    else if (strchr("{[(", mark) && ++scan->depth > SCAN_DEPTH_MAX)
        fail(scan, scan->line, "groups lie too deep inside one another");
    else if (strchr("=:", mark) && ++scan->keys > SCAN_KEYS_MAX)
        fail(scan, scan->line, "too many settings for one file");
    if (strchr("}])", mark) && scan->depth > 0)
        scan->depth--;
    copy(scan);
}

static void scan_all(struct scan *scan)
{
    while (scan->at < scan->end && !scan->is_fatal) {
        const char c = *scan->at, next = peek(scan, 1);
        if (c == '#' || (c == '/' && next == '/'))
            skip_line_comment(scan);
        else if (c == '/' && next == '*')
            skip_block_comment(scan);
        else if (c == '"')
            copy_string(scan);
        else if (is_in_word(c))
            copy_word(scan);
        else
            copy_mark(scan);
    }
    *scan->out = '\0';
}

char *scan_text(const char *text, size_t bytes, const char *name, struct config_report *report)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (bytes > SCAN_BYTES_MAX) {
        config_report_add(report, name, 0, "larger than 1 MiB: this is not a config file");
        return errno = EFBIG, NULL;
    }
    // A word of two bytes or more grows by one at most.
    char *clean = malloc(2 * bytes + 1);
    if (!clean) {
        config_report_add(report, name, 0, "out of memory");
        return NULL;
    }
    const bool has_mark = bytes >= 3 && memcmp(text, byte_order_mark, 3) == 0;
    struct scan scan = {.at = text + (has_mark ? 3 : 0),
                        .end = text + bytes,
                        .out = clean,
                        .line = 1,
                        .name = name,
                        .report = report};
    scan_all(&scan);
    if (!scan.is_fatal)
        return clean;
    free(clean);
    return errno = EINVAL, NULL;
}
