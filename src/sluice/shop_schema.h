#ifndef SL_SLUICE_SHOP_SCHEMA_H
#define SL_SLUICE_SHOP_SCHEMA_H

/* The tables of the shop as its DDL jobs make and change them, and the jobs as lines of a history
 * (ddl.h). First come the jobs that make the tables, then those that change them, round and round.
 * Ids and versions go on from the end of the history. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ts.h"
#include "sluice/ddl.h"

/* Its tables. */
enum shop_table_number { SHOP_STOCK, SHOP_ORDERS, SHOP_PAYMENTS, SHOP_TABLES };

enum { SHOP_COLUMNS_MAX = 8, SHOP_LINE_BYTES_MAX = 16 * 1024 };

/* A column. Text is static. */
struct shop_column {
    int64_t     id;
    const char *name;
    const char *def;    /* default, as text; NULL: none */
    uint32_t    length; /* of a varchar; 0: a bigint */
    bool        not_null;
};

/* A table. The first column is its key. */
struct shop_table {
    const char        *name;
    int64_t            id; /* 0: not made yet */
    int64_t            last_column_id;
    int64_t            last_index_id;
    const char        *index_column; /* of its index; NULL: it has none */
    struct shop_column columns[SHOP_COLUMNS_MAX];
    uint32_t           column_count;
};

/* All of it. */
struct shop_schema {
    int64_t           version;
    int64_t           last_id; /* of databases, tables and jobs */
    int64_t           database_id;
    struct shop_table tables[SHOP_TABLES];
    uint32_t          next; /* the job to come */
};

/* What a job does to the columns of a table. */
struct shop_step {
    int      table; /* -1: none */
    uint32_t column;
    enum { SHOP_KEEPS, SHOP_ADDS, SHOP_DROPS } does;
};

/* Nothing made yet. */
struct shop_schema shop_schema_behind(const struct ddl_end *end);
/* Does the job to come make what is not there yet? */
bool shop_schema_is_making(const struct shop_schema *schema);

/* Of the job to come: its id, its text (static), and what it does to a table's columns. */
int64_t          shop_job_id(const struct shop_schema *schema);
const char      *shop_job_query(const struct shop_schema *schema);
struct shop_step shop_job_step(const struct shop_schema *schema);
/* Change the schema as the job does, and write its line, with its end, into out of
 * SHOP_LINE_BYTES_MAX; its length. The job is then no longer the one to come. */
size_t shop_job_run(struct shop_schema *schema, sl_ts start_ts, sl_ts end_ts, char *out);

#endif
