#ifndef SL_BINLOG_SQL_TEXT_H
#define SL_BINLOG_SQL_TEXT_H

/* A buffer that SQL text grows in. It keeps its memory from statement to statement, so a sink in
 * steady state does not call malloc. Used by one thread at a time. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* All zero is an empty one that owns no memory. */
struct sl_sql {
    char  *text; /* owned; not terminated */
    size_t len;
    size_t room;
    bool   no_backslash_escapes; /* the session has that sql_mode: only ' is special in quotes */
};

/* Forget the text, keep the memory. */
static inline void sl_sql_clear(struct sl_sql *sql)
{
    sql->len = 0;
}

/* Free the memory; the buffer is as new. */
void sl_sql_done(struct sl_sql *sql);

/* Room for `more` bytes behind the text; where it begins. What is put there counts once len is
 * raised. */
char *sl_sql_reserve(struct sl_sql *sql, size_t more);

/* Append as it stands; text is NUL-terminated in the second. */
void sl_sql_put(struct sl_sql *sql, const char *text, size_t len);
void sl_sql_puts(struct sl_sql *sql, const char *text);
/* Append a name in back-quotes, with those in it doubled. */
void sl_sql_name(struct sl_sql *sql, struct sl_slice name);
/* Append `schema`.`name`. */
void sl_sql_table(struct sl_sql *sql, struct sl_slice schema, struct sl_slice name);
/* Append text in single quotes, with what is special in it escaped as the session reads it. */
void sl_sql_string(struct sl_sql *sql, struct sl_slice text);

#endif
