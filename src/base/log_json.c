/* One flat JSON object a line; base/log.h shows it. */

#include <string.h>

#include "base/assert.h"
#include "base/log_parts.h"

static void put_string(struct log_line *line, const char *bytes, size_t count)
{
    line_mark(line, "\"");
    line_put_escaped(line, bytes, count);
    line_mark(line, "\"");
}

static bool is_taken(const char *key)
{
    static const char *const taken[] = {"time", "level", "source", "message"};

    for (unsigned i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(key, taken[i]) == 0)
            return true;
    }
    return false;
}

static bool put_value(struct log_line *line, const struct sl_field *field)
{
    bool quoted = field->kind == SL_FIELD_NANOS;

    if (field->kind == SL_FIELD_STR) {
        put_string(line, field->str.bytes, field->str.len);
        return true;
    }
    if (quoted)
        line_mark(line, "\"");
    if (!line_put_scalar(line, field))
        return false;
    if (quoted)
        line_mark(line, "\"");
    return true;
}

/* A string may be shown in part; half a key or a number would mislead, and the field goes. */
static void put_field(struct log_line *line, const struct sl_field *field)
{
    size_t start = line->used;

    if (!line_begin(line))
        return;
    line_mark(line, ",\"");
    line_put_escaped(line, field->key, strlen(field->key));
    line_mark(line, is_taken(field->key) ? "_\":" : "\":");
    if (line->cut || !put_value(line, field))
        line->used = start;
}

static void put_head(struct log_line *line, const struct log_record *record)
{
    const char *level = sl_log_level_name(record->level);
    char        time[LOG_TIME_BYTES];

    log_time_zone_format(time, "%Y-%m-%dT%H:%M:%S", "", record);
    line_mark(line, "{\"time\":");
    put_string(line, time, strlen(time));
    line_mark(line, ",\"level\":");
    put_string(line, level, strlen(level));
    line_mark(line, ",\"source\":\"");
    line_put_source(line, record);
    line_mark(line, "\"");
}

size_t log_json_encode(const struct log_record *record, char *out, size_t size)
{
    struct log_line line = {.out = out, .size = size};
    struct sl_field suppressed = sl_field_u64("suppressed", record->suppressed);

    SL_ASSERT(size >= LOG_LINE_BYTES_MIN);
    put_head(&line, record);
    if (line_begin(&line)) {
        line_mark(&line, ",\"message\":");
        put_string(&line, record->message, strlen(record->message));
    }
    if (record->suppressed > 0)
        put_field(&line, &suppressed);
    for (const struct sl_field *field = record->fields; field->kind != SL_FIELD_END; field++)
        put_field(&line, field);
    line_mark(&line, line.cut ? ",\"cut\":true}\n" : "}\n");
    return line.used;
}
