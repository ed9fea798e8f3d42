/* TiDB's unified log format. */

#include <string.h>

#include "base/assert.h"
#include "base/log_parts.h"

static bool needs_quotes(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((unsigned char)bytes[i] <= 0x20 || memchr("\\\"[]=", bytes[i], 5) != NULL)
            return true;
    }
    return false;
}

static void put_string(struct log_line *line, const char *bytes, size_t count)
{
    bool quoted = needs_quotes(bytes, count);

    if (quoted)
        line_mark(line, "\"");
    line_put_escaped(line, bytes, count);
    if (quoted)
        line_mark(line, "\"");
}

/* A string may be shown in part; half a key or a number would mislead, and the field goes. */
static void put_field(struct log_line *line, const struct sl_field *field)
{
    size_t start = line->used;

    if (!line_begin(line))
        return;
    line_mark(line, " [");
    put_string(line, field->key, strlen(field->key));
    line_mark(line, "=");
    if (!line->cut && field->kind == SL_FIELD_STR)
        put_string(line, field->str.bytes, field->str.len);
    else if (line->cut || !line_put_scalar(line, field)) {
        line->used = start;
        return;
    }
    line_mark(line, "]");
}

static void put_head(struct log_line *line, const struct log_record *record)
{
    const char *level = sl_log_level_name(record->level);
    char        time[LOG_TIME_BYTES];

    log_time_zone_format(time, "%Y/%m/%d %H:%M:%S", " ", record);
    line_mark(line, "[");
    (void)line_put(line, time, strlen(time));
    line_mark(line, "] [");
    (void)line_put(line, level, strlen(level));
    line_mark(line, "] [");
    line_put_source(line, record);
    line_mark(line, "]");
}

size_t log_text_encode(const struct log_record *record, char *out, size_t size)
{
    struct log_line line = {.out = out, .size = size};
    struct sl_field suppressed = sl_field_u64("suppressed", record->suppressed);

    SL_ASSERT(size >= LOG_LINE_BYTES_MIN);
    put_head(&line, record);
    if (record->message[0] != '\0' && line_begin(&line)) {
        line_mark(&line, " [");
        put_string(&line, record->message, strlen(record->message));
        line_mark(&line, "]");
    }
    if (record->suppressed > 0)
        put_field(&line, &suppressed);
    for (const struct sl_field *field = record->fields; field->kind != SL_FIELD_END; field++)
        put_field(&line, field);
    line_mark(&line, line.cut ? " [cut=true]\n" : "\n");
    return line.used;
}
