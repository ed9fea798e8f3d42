#ifndef SL_ACTORS_DRAINER_WINDOW_H
#define SL_ACTORS_DRAINER_WINDOW_H

/* A window: a bounded run of transactions that go through the drainer together, in commit ts order.
 * It has one owner at a time, the message it travels in; each actor on its way fills the part that
 * is its own:
 *
 *     merger       seq, last_ts, txns: which records
 *     planner      plans: which rows with which versions of their tables; ddls: what is to be run
 *                  between them
 *     decoder      changes
 *     dispatcher   what has been handed to workers, and what is done
 *
 * The planner makes windows of its own out of the merger's, bounded by what their rows will take
 * when they are decoded: so a large transaction is several of them. Each but its last is open; they
 * have the last_ts of what is before the transaction, so that nothing says it is applied before it
 * is.
 *
 * One without transactions only says how far all is complete. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/ts.h"
#include "binlog/change.h"
#include "binlog/table.h"

struct sl_ddl_action;
struct sl_row_keys;

/* One transaction of a window. */
struct sl_window_txn {
    sl_ts           commit_ts;
    sl_ts           start_ts;
    struct sl_slice bytes; /* the record */
    struct sl_buf  *owner; /* owned reference: what keeps it alive */
};

/* Rows of one mutation of a transaction. */
struct sl_window_plan {
    uint32_t           txn;
    struct sl_row_walk rows;          /* begins with the first one */
    uint64_t           row_count;     /* so many of them */
    struct sl_table   *table;         /* owned reference: as the stream has made it */
    struct sl_table   *written_as;    /* owned reference: as the mutation was written */
    uint64_t           first_ordinal; /* of the first one in the transaction, before filters */
    bool               is_old;        /* written by a TiDB of before November 2019 */
    uint32_t           kinds_skipped; /* bit 1 << enum sl_event_kind: rows that are left out */
};

/* A DDL between the rows of a window: it is run when all before it is applied, and before all
 * behind it. */
struct sl_window_ddl {
    struct sl_ddl_action *action; /* owned */
    int64_t               job_id;
    int64_t               schema_version; /* of the job */
    sl_ts                 before;         /* everything at or below is applied when it is run */
    sl_ts                 after;          /* and when it has taken effect */
    uint32_t              at_plan;        /* the first plan behind it */
    uint32_t              at_change;      /* the first change behind it; decoder */
    bool                  is_early;       /* its own binlog is still to come */
};

/* A decoded row with its place in the stream. */
struct sl_window_change {
    struct sl_change          change;
    uint32_t                  txn;
    uint64_t                  ordinal; /* rises with the rows of the record, before filters */
    const struct sl_row_keys *keys;    /* the dispatcher's; NULL: the sink needs none */
};

/* See above. */
struct sl_window {
    uint64_t seq;     /* 0, 1, ... without gaps */
    sl_ts    last_ts; /* everything at or below is in this window or before it */
    bool passes_past; /* nothing above last_ts was there for a drainer before this one to apply */
    int64_t              schema_version; /* of the newest job that was run at its end */
    uint64_t             bytes;          /* of the records; planner: of the rows, when decoded */
    bool                 is_open;        /* its last transaction goes on in the next window */
    uint32_t             txn_count;
    struct sl_window_txn txns[SL_WINDOW_TXNS];

    /* planner */
    uint32_t               plan_count;
    uint32_t               plan_room;
    struct sl_window_plan *plans; /* owned */
    uint32_t               ddl_count;
    struct sl_window_ddl  *ddls; /* owned */

    /* decoder */
    struct sl_arena          arena; /* of values and texts */
    uint32_t                 change_count;
    uint32_t                 change_room;
    struct sl_window_change *changes; /* owned */
    enum sl_err              err;     /* not SL_OK: it cannot be applied, why says why */
    struct sl_why            why;

    /* dispatcher */
    uint32_t next_change; /* the first one not handed out */
    uint32_t next_ddl;    /* the first one not run */
    uint32_t parts_open;  /* handed to workers, not applied yet */
    bool     is_handed_out;
};

/* An empty one. Owned: sl_window_free. */
struct sl_window *sl_window_new(uint64_t seq);
/* Frees all that it owns and nulls the pointer. *window may be NULL. */
void sl_window_free(struct sl_window **window);

/* The next plan, zeroed, which the caller fills. */
struct sl_window_plan *sl_window_add_plan(struct sl_window *window);
/* Take back all plans behind the first `count` ones. */
void sl_window_drop_plans(struct sl_window *window, uint32_t count);
/* The next DDL, zeroed but for its place behind the plans so far. */
struct sl_window_ddl *sl_window_add_ddl(struct sl_window *window);
/* Room for so many changes more. */
void sl_window_reserve(struct sl_window *window, uint64_t count);

#endif
