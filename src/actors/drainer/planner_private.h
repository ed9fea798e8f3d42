#ifndef SL_ACTORS_DRAINER_PLANNER_PRIVATE_H
#define SL_ACTORS_DRAINER_PLANNER_PRIVATE_H

/* What the files of the planner share: planner.c takes windows and makes windows, planner_ddl.c
 * sees to jobs, planner_rows.c cuts the rows of transactions into windows of a bounded size,
 * planner_filter.c changes the filters between two transactions. */

#include "actors/drainer/drainer.h"
#include "actors/drainer/messages.h"
#include "actors/drainer/verdict.h"
#include "actors/drainer/window.h"
#include "binlog/change.h"
#include "binlog/record.h"
#include "binlog/schema.h"
#include "runtime/actor.h"

/* Where in a transaction's rows the planner is; all zero: in none. */
struct planner_rows {
    bool                is_open;
    bool                is_old; /* its TiDB writes no ddl_schema_state yet */
    struct sl_prewrite  prewrite;
    uint64_t            place; /* of the next mutation in the record */
    bool                is_checking;
    bool                is_skipped; /* it is checked only to count its rows */
    struct sl_row_check check;      /* of the mutation under way */
    /* What is left of it; table is NULL when there is none under way. Not its place in a window. */
    struct sl_window_plan left;
};

/* What the rows are planned by. */
struct planner_tools {
    struct sl_schema        *schema;
    struct sl_verdicts      *verdicts;
    struct sl_metric_series *skipped;   /* counts the rows of tables that are left out */
    uint64_t                 bytes_max; /* of one window */
};

struct planner {
    struct sl_drainer        *drainer;
    struct sl_schema         *schema;                   /* the drainer's */
    struct sl_drainer_window *queue[SL_WINDOW_CREDITS]; /* owned, oldest first: the merger's */
    uint32_t                  queue_count;
    uint32_t                  at;        /* transaction of the oldest window that is planned next */
    sl_ts                     before;    /* the commit ts before it */
    bool                      has_begun; /* something of it is planned, or waits for its jobs */
    struct planner_rows       rows;      /* its rows */
    struct sl_window         *out;       /* owned: the window being made; NULL: none */
    uint64_t                  out_seq;
    uint32_t                  first_plan;  /* of the present transaction in it, */
    uint64_t                  first_bytes; /* and what it had before */
    uint64_t                  bytes_max;   /* of one, within its line */
    bool                      is_line_full;
    bool                      must_go_on; /* there is more to do than fits one turn */
    uint32_t               looks; /* in vain, for the job that made a table of this transaction */
    struct sl_timer        retry;
    struct sl_timer        tick;
    int64_t                known; /* all jobs up to this schema version were asked for */
    bool                   is_asked;
    struct sl_drainer_job *answer; /* owned: of the question for this transaction; NULL: none */
    int64_t                early[SL_EARLY_JOBS_MAX]; /* jobs whose binlogs are still to come */
    uint32_t               early_count;
    struct sl_verdicts     verdicts;
    /* Owned: what is to take effect with the next transaction. */
    struct sl_filter       *next_filter;
    struct sl_event_filter *next_event_filter;
};

/* ---- planner_ddl.c ---- */

/* ignore-txn-commit-ts names it. */
bool planner_is_ignored(const struct planner *p, sl_ts commit_ts);
/* Plan the DDL of a record. SL_AGAIN: its job must come first, with the jobs of lower versions that
 * were not seen yet: they are in front of it. */
enum sl_err planner_ddl(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                        const struct sl_record *record);
/* Put every job that a transaction may have seen in front of it: TiDB lets transactions use what a
 * DDL made before the binlog of that DDL commits. SL_AGAIN: they must come first. */
enum sl_err planner_catch_up(struct sl_ctx *ctx, struct planner *p, struct sl_window *w,
                             int64_t schema_version);

/* ---- planner_filter.c ---- */

/* Decide by those in effect, from `before` on. */
void planner_filter_begin(struct planner *p);
/* Take the filters of the message; those that have not taken effect yet never will. */
void planner_filter_take(struct planner *p, struct sl_drainer_filter *msg);
/* Between two transactions the next filters take effect, if there are any. */
void planner_filter_change(struct planner *p);
/* No more is decided; filters that have not taken effect yet do so for the next planner. */
void planner_filter_end(struct planner *p);

/* ---- planner_rows.c ---- */

/* Begin with the rows of a transaction. */
void planner_rows_begin(struct planner_rows *rows, const struct sl_prewrite *prewrite, bool is_old);
/* Forget where it is. */
void planner_rows_end(struct planner_rows *rows);

/* Plan rows of the window's last transaction into the window. SL_OK: all are planned, nothing is
 * under way any more. SL_FULL: the window has as much as it may. SL_AGAIN: it took long, and there
 * is more to do. Else the transaction cannot be applied, and the window's reason says why. */
enum sl_err planner_rows_plan(struct planner_rows *rows, const struct planner_tools *tools,
                              struct sl_window *window);

#endif
