#ifndef SL_BINLOG_DDL_COLLATIONS_H
#define SL_BINLOG_DDL_COLLATIONS_H

/* What text compares by downstream. A charset that is written without a collation has another one
 * there: TiDB takes the binary one (utf8mb4_bin, latin1_bin, ...), MySQL and MariaDB take one that
 * folds case (utf8mb4_general_ci, utf8mb4_0900_ai_ci); and what a new database, table or column has
 * when nothing is written is whatever that server, database or table has. Two keys of TiDB that are
 * one downstream lose a row, so a statement that makes a database, a table or a column of text is
 * told the charset and the collation that TiDB's own description has. What names a collation
 * already is left alone.
 *
 * Differences that stay:
 *
 *     MariaDB has no utf8mb4_0900_*: utf8mb4_0900_ai_ci becomes utf8mb4_unicode_520_nopad_ci (an
 *         older edition of the same rules, without padding as well), any other utf8mb4_nopad_bin,
 *         which tells apart at least what the other one does.
 *     CREATE TABLE LIKE copies what its source has downstream.
 *     A TiDB with new_collations_enabled_on_first_bootstrap off compares bytes whatever the
 *         description says, and no description tells that it is off. */

#include <stdbool.h>

#include "base/arena.h"
#include "base/json.h"
#include "binlog/ddl.h"

/* TiDB's description of what a statement makes or changes; both NULL: none, only names of
 * collations are looked at. */
struct ddl_described {
    const struct sl_job_database *database;
    const struct sl_json         *info; /* TableInfo */
};

/* The statement with collations, in the arena; itself when it has all of them, or when the target
 * is TiDB. One that cannot be read is left alone: the tracker says what is wrong with it.
 * *is_other: a collation stands in it that the target has instead of TiDB's. */
struct sl_slice ddl_collations(struct sl_slice text, enum sl_ddl_target target,
                               const struct ddl_described *described, struct sl_arena *arena,
                               bool *is_other);

#endif
