#ifndef SL_BINLOG_SQL_EDIT_H
#define SL_BINLOG_SQL_EDIT_H

/* SQL text being written, and changes to a text that is kept otherwise byte for byte. */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/* Text that grows in an arena. */
struct sql_out {
    struct sl_arena *arena;
    char            *bytes;
    size_t           len;
    size_t           room;
};

/* As it stands. */
void sql_put(struct sql_out *out, const char *text);
void sql_put_slice(struct sql_out *out, struct sl_slice text);
void sql_put_int(struct sql_out *out, int64_t value);
/* In back-quotes: a name; `a`.`b`, or `b` alone when schema is empty. */
void sql_put_name(struct sql_out *out, struct sl_slice name);
void sql_put_table(struct sql_out *out, struct sl_slice schema, struct sl_slice table);
/* In single quotes. */
void sql_put_text(struct sql_out *out, struct sl_slice text);
/* What has been written, with a terminator behind it. */
struct sl_slice sql_written(struct sql_out *out);

/* A stretch of a text that is replaced. */
struct sql_edit {
    size_t      at;
    size_t      len;
    const char *by;
};

/* Those of one text, in an arena. */
struct sql_edits {
    struct sql_edit *all;
    uint32_t         count;
    uint32_t         room;
};

/* Room for so many. */
struct sql_edits sql_edits_begin(struct sl_arena *arena, uint32_t room);
/* Replace len bytes from `at`, which no other edit touches, in any order; `by` is static. */
void sql_edit(struct sql_edits *edits, size_t at, size_t len, const char *by);
/* The text with all edits done, in the arena, with a terminator behind it. */
struct sl_slice sql_edited(struct sql_edits *edits, struct sl_slice text, struct sl_arena *arena);

#endif
