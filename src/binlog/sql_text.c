#include "binlog/sql_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"

enum { ROOM_BYTES_MIN = 4096 };

void sl_sql_done(struct sl_sql *sql)
{
    free(sql->text);
    *sql = (struct sl_sql){.no_backslash_escapes = sql->no_backslash_escapes};
}

static void grow(struct sl_sql *sql, size_t more)
{
    size_t room = sql->room < ROOM_BYTES_MIN ? ROOM_BYTES_MIN : sql->room;

    SL_ASSERT(more <= (size_t)SL_SQL_BYTES_MAX && sql->len + more <= (size_t)SL_SQL_BYTES_MAX);
    while (room - sql->len < more)
        room = room > (size_t)SL_SQL_BYTES_MAX / 2 ? (size_t)SL_SQL_BYTES_MAX : room * 2;
    sql->text = realloc(sql->text, room);
    SL_ASSERT(sql->text != NULL);
    sql->room = room;
}

char *sl_sql_reserve(struct sl_sql *sql, size_t more)
{
    if (sql->room - sql->len < more)
        grow(sql, more);
    return sql->text + sql->len;
}

void sl_sql_put(struct sl_sql *sql, const char *text, size_t len)
{
    if (len == 0)
        return;
    memcpy(sl_sql_reserve(sql, len), text, len);
    sql->len += len;
}

void sl_sql_puts(struct sl_sql *sql, const char *text)
{
    sl_sql_put(sql, text, strlen(text));
}

void sl_sql_name(struct sl_sql *sql, struct sl_slice name)
{
    char *at = sl_sql_reserve(sql, 2 * name.len + 2);
    char *begin = at;

    *at++ = '`';
    for (size_t i = 0; i < name.len; i++) {
        if (name.bytes[i] == '`')
            *at++ = '`';
        *at++ = (char)name.bytes[i];
    }
    *at++ = '`';
    sql->len += (size_t)(at - begin);
}

void sl_sql_table(struct sl_sql *sql, struct sl_slice schema, struct sl_slice name)
{
    sl_sql_name(sql, schema);
    sl_sql_put(sql, ".", 1);
    sl_sql_name(sql, name);
}

/* What stands behind the backslash for a special byte; 0: it is not special. */
static const char escapes[256] = {
    ['\0'] = '0',  ['\n'] = 'n', ['\r'] = 'r',  [0x1a] = 'Z',
    ['\''] = '\'', ['"'] = '"',  ['\\'] = '\\',
};

static char *escape(char *at, struct sl_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char escape = escapes[text.bytes[i]];

        if (escape == 0) {
            *at++ = (char)text.bytes[i];
        } else {
            *at++ = '\\';
            *at++ = escape;
        }
    }
    return at;
}

static char *double_quotes(char *at, struct sl_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] == '\'')
            *at++ = '\'';
        *at++ = (char)text.bytes[i];
    }
    return at;
}

void sl_sql_string(struct sl_sql *sql, struct sl_slice text)
{
    char *begin = sl_sql_reserve(sql, 2 * text.len + 2);
    char *at = begin;

    *at++ = '\'';
    at = sql->no_backslash_escapes ? double_quotes(at, text) : escape(at, text);
    *at++ = '\'';
    sql->len += (size_t)(at - begin);
}
