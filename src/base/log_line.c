#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/log_parts.h"
#include "base/units.h"
#include "base/utf8.h"

/* ---- putting ---- */

bool line_begin(struct log_line *line)
{
    if (line->used >= line->size - LINE_RESERVE)
        line->cut = true;
    return !line->cut;
}

void line_mark(struct log_line *line, const char *text)
{
    size_t count = strlen(text);

    SL_ASSERT(count <= line->size - line->used);
    memcpy(line->out + line->used, text, count);
    line->used += count;
}

bool line_put(struct log_line *line, const char *bytes, size_t count)
{
    if (line->cut || line->used + count > line->size - LINE_RESERVE) {
        line->cut = true;
        return false;
    }
    memcpy(line->out + line->used, bytes, count);
    line->used += count;
    return true;
}

static bool put_escape(struct log_line *line, char c)
{
    char text[7];

    switch (c) {
    case '"': return line_put(line, "\\\"", 2);
    case '\\': return line_put(line, "\\\\", 2);
    case '\n': return line_put(line, "\\n", 2);
    case '\r': return line_put(line, "\\r", 2);
    case '\t': return line_put(line, "\\t", 2);
    default: (void)snprintf(text, sizeof text, "\\u%04x", (unsigned)c & 0xff);
    }
    return line_put(line, text, 6);
}

void line_put_escaped(struct log_line *line, const char *bytes, size_t count)
{
    size_t done = 0;

    while (done < count && !line->cut) {
        size_t n = sl_utf8_length(bytes + done, count - done);
        char   c = bytes[done];

        if (n == 0)
            (void)line_put(line, "\\ufffd", 6);
        else if (n == 1 && ((unsigned char)c < 0x20 || c == '"' || c == '\\'))
            (void)put_escape(line, c);
        else
            (void)line_put(line, bytes + done, n);
        done += n == 0 ? 1 : n;
    }
}

static bool is_source_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

void line_put_source(struct log_line *line, const struct log_record *record)
{
    const char *slash = strrchr(record->file, '/');
    char        number[16];

    for (const char *c = slash != NULL ? slash + 1 : record->file; *c != '\0'; c++) {
        if (is_source_char(*c))
            (void)line_put(line, c, 1);
    }
    (void)snprintf(number, sizeof number, ":%d", record->line);
    (void)line_put(line, number, strlen(number));
}

/* ---- values ---- */

bool line_put_scalar(struct log_line *line, const struct sl_field *field)
{
    char text[SL_DURATION_TEXT_BYTES];

    switch (field->kind) {
    case SL_FIELD_I64: (void)snprintf(text, sizeof text, "%" PRId64, field->i64); break;
    case SL_FIELD_U64: (void)snprintf(text, sizeof text, "%" PRIu64, field->u64); break;
    case SL_FIELD_BOOL: return line_put(line, field->flag ? "true" : "false", field->flag ? 4 : 5);
    case SL_FIELD_NANOS:
        sl_duration_format(field->nanos > INT64_MAX ? INT64_MAX : (int64_t)field->nanos, text);
        break;
    case SL_FIELD_STR:
    case SL_FIELD_END: SL_UNREACHABLE("not a scalar");
    }
    return line_put(line, text, strlen(text));
}

/* ---- time ---- */

void log_time_format(char *out, const char *pattern, int64_t wall, int32_t utc_offset_s)
{
    time_t           local = (time_t)(wall / SL_NANOS_PER_S) + utc_offset_s;
    struct tm        parts;
    const struct tm *split = gmtime_r(&local, &parts);
    size_t           used;

    SL_ASSERT(wall >= 0);
    SL_ASSERT(split != NULL);
    used = strftime(out, LOG_TIME_BYTES, pattern, split);
    SL_ASSERT(used > 0);
    (void)snprintf(out + used, LOG_TIME_BYTES - used, ".%03d",
                   (int)(wall % SL_NANOS_PER_S / SL_NANOS_PER_MS));
}

void log_time_zone_format(char *out, const char *pattern, const char *space,
                          const struct log_record *record)
{
    int    minutes = record->utc_offset_s / 60;
    int    east = minutes < 0 ? -minutes : minutes;
    size_t used;

    log_time_format(out, pattern, record->wall, record->utc_offset_s);
    used = strlen(out);
    (void)snprintf(out + used, LOG_TIME_BYTES - used, "%s%c%02d:%02d", space,
                   minutes < 0 ? '-' : '+', east / 60, east % 60);
}
