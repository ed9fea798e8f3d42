#ifndef SL_ACTORS_DRAINER_SINK_H
#define SL_ACTORS_DRAINER_SINK_H

/* A sink: one downstream. Whatever can say "durably accepted up to this timestamp" can be one: it
 * keeps a checkpoint, runs DDL, and applies changes through any number of workers.
 *
 *     dispatcher ─changes─► worker[m]     apply: the answer means durable
 *                ─DDL─────► checkpointer  ddl: everything before is applied, nothing behind it is
 *                ─ts──────► checkpointer  save: everything at or below is applied
 *
 * An implementation is a table of blocking calls. The object belongs to the checkpointer, each
 * worker object to the actor that opened it; they share nothing that changes.
 *
 * Errors of apply, ddl, save and describe: the transient ones pass by themselves, and the same call
 * is made again after a pause; so are the refused ones, more seldom, because somebody must do
 * something first, and the reason says what. SL_STOPPED: another drainer has taken over. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/drainer/messages.h"
#include "base/err.h"
#include "base/ts.h"
#include "binlog/ddl.h"
#include "binlog/table.h"

struct sl_drainer_metrics;
struct sl_env;
struct sl_sink_table;

/* How far a downstream is. */
struct sl_checkpoint {
    sl_ts   commit_ts; /* everything at or below it is applied; 0: there is none */
    int64_t schema_version;
    bool    is_consistent; /* nothing above it is applied */
    /* Jobs that were run although their own binlogs are above commit_ts (planner.c). */
    int64_t  early[SL_EARLY_JOBS_MAX];
    uint32_t early_count;
};

struct sl_sink;

/* A worker's end of a sink. */
struct sl_sink_worker {
    struct sl_sink *sink;
};

/* What an implementation brings. */
struct sl_sink_ops {
    /* Takes whole transactions in order through one worker, and needs no keys: describe is NULL. */
    bool is_ordered;
    void (*close)(struct sl_sink *sink);
    enum sl_err (*load)(struct sl_sink *sink, struct sl_checkpoint *out, struct sl_why *why);
    enum sl_err (*save)(struct sl_sink *sink, const struct sl_checkpoint *checkpoint,
                        struct sl_why *why);
    /* SL_NOT_FOUND: it has no such table. *out is an owned reference. */
    enum sl_err (*describe)(struct sl_sink *sink, const struct sl_table *table,
                            struct sl_sink_table **out, struct sl_why *why);
    /* Make the DDL take effect once, whatever happened at an earlier try, also of a drainer that
     * died; save the checkpoint before it, with that schema version, and after it. One that is
     * early is remembered. */
    enum sl_err (*ddl)(struct sl_sink *sink, const struct sl_window_ddl *ddl,
                       int64_t schema_version, struct sl_why *why);
    enum sl_err (*worker_open)(struct sl_sink *sink, uint32_t number, struct sl_sink_worker **out,
                               struct sl_why *why);
    void (*worker_close)(struct sl_sink_worker *worker);
    /* Apply the parts in their order; all or, to be tried again as it is, nothing that counts. One
     * that is open comes alone, and is committed with the last of its transaction: closing the
     * worker before that undoes it. */
    enum sl_err (*apply)(struct sl_sink_worker *worker, struct sl_row_part *const *parts,
                         uint32_t count, struct sl_why *why);
    /* From any thread: what any of the calls above waits for, and all that follows, fails as lost.
     * For a stop that has waited long enough. NULL: none of them waits for anybody. */
    void (*cancel)(struct sl_sink *sink);
};

/* The sink; the implementation's own state lies around it. Whoever opened it may set where its
 * times are measured and by which clock; with NULL nothing is. */
struct sl_sink {
    const struct sl_sink_ops        *ops;
    const struct sl_drainer_metrics *metrics;
    const struct sl_env             *env;
};

/* Close, free and null. *sink may be NULL. */
void sl_sink_free(struct sl_sink **sink);

#endif
