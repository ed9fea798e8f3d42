#ifndef SL_BINLOG_SQL_STATEMENT_H
#define SL_BINLOG_SQL_STATEMENT_H

/* What DDL statements say of tables: the lists of RENAME TABLE and DROP TABLE, the source of CREATE
 * TABLE LIKE. Only what TiDB takes. */

#include "binlog/sql_scan.h"

/* One renaming. */
struct sql_renaming {
    struct sql_table_name from;
    struct sql_table_name to;
};

/* RENAME TABLE a TO b, ...; or ALTER TABLE a RENAME [TO|AS] b, which has one. False: it is neither.
 * At most SL_RENAMES_MAX. */
bool sql_renamings(const struct sql_text *sql, struct sl_arena *arena,
                   const struct sql_renaming **out, uint32_t *count);

/* DROP {TABLE | VIEW | SEQUENCE} [IF EXISTS] a, ...; at most SL_JOB_TABLES_MAX. */
struct sql_drop {
    const struct sql_table_name *tables;
    uint32_t                     count;
    bool                         if_exists;
};

/* False: it is none. */
bool sql_drop_list(const struct sql_text *sql, struct sl_arena *arena, struct sql_drop *out);

/* CREATE TABLE [IF NOT EXISTS] to LIKE from, or with the last two in parentheses. False: it is
 * none. */
bool sql_create_like(const struct sql_text *sql, struct sl_arena *arena, struct sql_renaming *out);

#endif
