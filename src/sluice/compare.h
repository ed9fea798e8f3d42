#ifndef SL_SLUICE_COMPARE_H
#define SL_SLUICE_COMPARE_H

/* Is a downstream equal to what it should hold, table by table and row by row?
 *
 * What it should hold comes as text, in the form of a recording's files expected/T.tsv: a line of
 * column names, then a line per row, cells separated by tabs, in any order of rows. Values are what
 * the server's text protocol says in time zone +00:00, except: binary strings as their hexadecimal
 * digits, BIT as a decimal number, FLOAT without digits and ZEROFILL numbers as the sum with 0 (a
 * MariaDB shows six digits of a FLOAT and pads). NULL is \N; backslash, tab, newline and NUL are
 * escaped as \\ \t \n \0.
 *
 * A table that is there and was not expected differs too; the server's own schemas, and that of the
 * checkpoint, are no tables of anybody. One table at a time is held in memory, on both sides. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "net/mysql.h"

struct compare;

/* What came of it. */
struct compare_result {
    uint32_t tables; /* expected */
    uint64_t rows;   /* in them */
    uint32_t differing;
};

/* Expects no table yet. *out: compare_free. */
struct compare *compare_new(const struct sl_env *env);
void            compare_free(struct compare **compare); /* *compare may be NULL */

/* Expect the tables of a recording's folder expected/: each file SCHEMA.TABLE.tsv or .tsv.zst, but
 * for the cells that downstream-differences.tsv there lists. Files are read when tables are
 * compared. Blocks. */
enum sl_err compare_expect_folder(struct compare *compare, const char *folder, struct sl_why *why);
/* Expect one table; name is SCHEMA.TABLE. Expecting it again replaces it. Takes *text. */
void compare_expect_table(struct compare *compare, const char *name, struct sl_buf **text);

/* Compare with the tables of a server. Says what differs through `tell`, a line per table. SL_OK
 * also when something differs. Fails as sl_mysql_open does, or as reading the files. Blocks. */
enum sl_err compare_run(struct compare *compare, const struct sl_mysql_options *server,
                        void (*tell)(void *context, const char *line), void    *context,
                        struct compare_result *out, struct sl_why *why);

/* "equal (2 tables, 7 rows)" or "differs (1 of 2 tables)", cut at `size`. */
void compare_verdict(const struct compare_result *result, char *out, size_t size);

#endif
