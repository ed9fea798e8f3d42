/* Statements of the MySQL sink that are put together, run, and their one row fetched. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/drainer/sink_mysql_private.h"
#include "base/assert.h"

void sink_put(struct sl_sql *sql, const char *format, ...)
{
    va_list args;
    int     count;

    va_start(args, format);
    count = vsnprintf(NULL, 0, format, args);
    va_end(args);
    SL_ASSERT(count >= 0);
    va_start(args, format);
    vsnprintf(sl_sql_reserve(sql, (size_t)count + 1), (size_t)count + 1, format, args);
    va_end(args);
    sql->len += (size_t)count;
}

enum sl_err sink_run(struct sl_mysql *conn, struct sl_sql *sql, uint64_t *affected,
                     struct sl_why *why)
{
    enum sl_err err = sl_mysql_exec(conn, sql->text, sql->len, affected, why);

    sl_sql_clear(sql);
    return err;
}

struct fetched {
    char **cells;
    size_t count;
    bool   has_row;
};

static enum sl_err take_row(void *arg, const struct sl_mysql_cell *cells, size_t count,
                            struct sl_why *why)
{
    struct fetched *f = arg;

    (void)why;
    if (f->has_row)
        return SL_OK;
    f->has_row = true;
    SL_ASSERT(count >= f->count); /* statements are ours; SHOW has more columns for views */
    for (size_t i = 0; i < f->count; i++) {
        f->cells[i] = cells[i].text != NULL ? strndup(cells[i].text, cells[i].len) : NULL;
        SL_ASSERT(cells[i].text == NULL || f->cells[i] != NULL);
    }
    return SL_OK;
}

enum sl_err sink_fetch(struct sl_mysql *conn, struct sl_sql *sql, char **cells, size_t count,
                       struct sl_why *why)
{
    struct fetched f = {.cells = cells, .count = count};
    enum sl_err    err;

    memset(cells, 0, count * sizeof *cells);
    err = sl_mysql_query(conn, sql->text, sql->len, take_row, &f, why);
    sl_sql_clear(sql);
    if (err == SL_OK && !f.has_row)
        return sl_fail(why, SL_NOT_FOUND, "no row");
    if (err != SL_OK) {
        for (size_t i = 0; i < count; i++)
            free(cells[i]);
        memset(cells, 0, count * sizeof *cells);
    }
    return err;
}
