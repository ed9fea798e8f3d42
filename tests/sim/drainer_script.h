#ifndef SL_TESTS_SIM_DRAINER_SCRIPT_H
#define SL_TESTS_SIM_DRAINER_SCRIPT_H

/* A script: what an upstream did, as its pumps and its DDL history tell it, and as applying it one
 * by one would have it. Drawn from a seed.
 *
 * Events are in the order of their effect. A transaction's place is that of its commit ts. A DDL
 * stands in front of the first transaction that may use it; its own binlog may commit later than
 * that transaction, since TiDB lets transactions use a schema before its binlog is there. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/prng.h"
#include "base/ts.h"
#include "lib/row_stream.h"

enum {
    SCRIPT_EVENTS_MAX = 2000,
    SCRIPT_STEPS_MAX = 24, /* of one transaction */
    SCRIPT_TABLES_MAX = 6,
    SCRIPT_PUMPS_MAX = 3,
};

/* All tables at one point. */
struct script_tables {
    uint32_t           count;
    struct model_table tables[SCRIPT_TABLES_MAX];
};

enum script_kind {
    SCRIPT_TXN,
    SCRIPT_DATABASE, /* CREATE DATABASE */
    SCRIPT_CREATE,
    SCRIPT_DROP,
    SCRIPT_TRUNCATE,
    SCRIPT_ALTER,
    SCRIPT_SKIPPED, /* a new version of a table that the downstream does not hear of */
};

/* A row of a transaction. */
struct script_step {
    uint32_t           table;   /* place in the tables of that moment */
    uint64_t           ordinal; /* as the planner numbers it */
    struct stream_step step;
};

struct script_event {
    enum script_kind kind;
    sl_ts            commit_ts; /* of its binlog */
    struct sl_buf   *record;    /* owned: a whole record, as a pump sends it */
    uint32_t         pump;
    bool             is_copied; /* another pump has it too */

    /* of a transaction */
    uint32_t            step_count;
    struct script_step *steps; /* owned; SCRIPT_STEPS_MAX of them */

    /* of a DDL */
    int64_t             job_id;
    int64_t             version;
    int64_t             old_table_id; /* of the table before */
    int                 type;         /* of the job */
    char               *query;        /* owned */
    char               *job;          /* owned: its JSON */
    struct model_table *shape;        /* owned: what becomes of the table, without rows */
};

/* When a pump is there. */
struct script_pump {
    sl_ts joins;   /* it takes nothing at or below */
    sl_ts leaves;  /* it takes nothing above, until it */
    sl_ts returns; /* INT64_MAX: never */
};

struct script {
    sl_ts               first_ts;
    sl_ts               step; /* from one commit to the next; even */
    uint32_t            pump_count;
    struct script_pump  pumps[SCRIPT_PUMPS_MAX];
    uint32_t            event_count;
    struct script_event events[SCRIPT_EVENTS_MAX];
    sl_ts               last_ts;
};

/* How to draw one. */
struct script_options {
    uint64_t seed;
    uint32_t events_min;
    uint32_t events_max; /* at most SCRIPT_EVENTS_MAX */
    sl_ts    first_ts;
    sl_ts    step;
};

/* Draw one into *script, whose old contents were freed. */
void script_draw(struct script *script, const struct script_options *options);
void script_free(struct script *script);

/* The effect of one event on all tables; false: it cannot be. */
bool script_apply(struct script_tables *tables, const struct script_event *event);
/* Of a DDL alone. */
void script_apply_ddl(struct script_tables *tables, const struct script_event *event);
/* The table of that name, or NULL. */
struct model_table *script_table(struct script_tables *tables, const char *name);

#endif
