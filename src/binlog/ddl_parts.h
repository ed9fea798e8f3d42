#ifndef SL_BINLOG_DDL_PARTS_H
#define SL_BINLOG_DDL_PARTS_H

/* Small questions about jobs and texts that ddl.c asks. */

#include <stdbool.h>

#include "base/arena.h"
#include "binlog/job.h"
#include "binlog/sql_scan.h"
#include "binlog/table.h"

/* A copy in the arena, with a terminator behind it. */
struct sl_slice ddl_keep(struct sl_arena *arena, struct sl_slice text);

/* The statement of the text that is the job's, when there are several; else the text itself. `old`
 * is its table, or NULL. query is in the arena. */
enum sl_err ddl_statement_of(const struct sl_job *job, const struct sl_table *old,
                             struct sl_slice query, struct sl_arena *arena, struct sql_text *out,
                             struct sl_why *why);

/* Does the statement say IF EXISTS or IF NOT EXISTS? */
bool ddl_has_if(const struct sql_text *sql);

/* A view's text without DEFINER = user: the downstream need not know that user. */
struct sl_slice ddl_without_definer(const struct sql_text *sql, struct sl_arena *arena);

/* Has the TableInfo columns of a table, not of a view or sequence? */
bool ddl_has_columns(const struct sl_json *info);

/* Does TiDB keep to CHECK constraints of a table of the job? Its definition has those: none before
 * 7.2, and none where TiDB is not told to. */
bool ddl_has_checks(const struct sl_job *job);

/* Have all its columns of text the table's own charset and collation, which borrow from it? Then
 * CONVERT TO leaves the downstream's columns as TiDB's are, also those that were made while the
 * table had another charset. */
enum sl_err ddl_converts(const struct sl_json *info, bool *converts, struct sl_slice *charset,
                         struct sl_slice *collation, struct sl_why *why);

/* Has a column of `old` (may be NULL: it is taken to be so) another name in the TableInfo? */
enum sl_err ddl_renames_column(const struct sl_table *old, const struct sl_json *info,
                               bool *renames, struct sl_why *why);

#endif
