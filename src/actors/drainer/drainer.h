#ifndef SL_ACTORS_DRAINER_DRAINER_H
#define SL_ACTORS_DRAINER_DRAINER_H

/* A drainer as a whole: what is opened before the first actor runs, and what all its actors share.
 *
 *     sl_drainer_open(&options)      cluster, downstream, checkpoint, schema
 *     sl_drainer_listen(drainer)
 *     sl_run or sl_runtime_* with sl_drainer_topology and a pointer to the struct sl_drainer
 *     sl_drainer_close(&drainer)
 *
 * Opening is plain sequential code: a failure there is one line and an exit code. */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/env.h"
#include "base/limits.h"
#include "base/ts.h"
#include "net/node.h"
#include "runtime/msg.h"

struct sl_filter;
struct sl_schema;
struct sl_schema_source;
struct sl_sink;

/* What a drainer must know. Borrowed for its life. */
struct sl_drainer_options {
    const struct sl_env    *env;
    const char             *data_dir;
    const char             *pd_urls; /* see net/cluster.h */
    const char             *schema_source; /* see net/schema_source.h */
    sl_ts                   initial_commit_ts; /* without a checkpoint; -1: now */
    uint32_t                workers;           /* 1..SL_DRAINER_WORKERS_MAX */
    uint32_t                txn_batch;         /* row changes of one downstream transaction */
    bool                    keeps_transactions; /* one upstream transaction is one downstream's */
    const struct sl_filter *filter;             /* NULL: everything passes */
    bool                    skips_ddl;
    const sl_ts            *ignored; /* commit ts of transactions to be left out */
    uint32_t                ignored_count;
};

/* The parts of a drainer that may have to wait for something. */
enum sl_drainer_part {
    SL_DRAINER_PART_REGISTRY,
    SL_DRAINER_PART_MERGE,
    SL_DRAINER_PART_SCHEMA,
    SL_DRAINER_PART_APPLY,
    SL_DRAINER_PART_CHECKPOINT,
    SL_DRAINER_PARTS,
};

/* How a part, or the drainer, does; the worst is what counts. */
enum sl_drainer_health {
    SL_DRAINER_RUNNING,
    SL_DRAINER_WAITING,  /* for another program, which may come by itself */
    SL_DRAINER_RETRYING, /* what failed may succeed */
    SL_DRAINER_HELD,     /* somebody must do something */
};

/* Constant while actors run, but for what is said to belong to one of them. */
struct sl_drainer {
    struct sl_drainer_options options;
    uint64_t                  cluster_id;
    sl_ts                     start_ts; /* everything at or below it was applied before */
    int64_t                   start_schema_version;
    struct sl_schema         *schema;        /* planner; as of start_ts */
    struct sl_schema_source  *schema_source; /* historian */
    struct sl_sink           *sink;          /* checkpointer; workers open their own */
    /* Written by root before whoever uses them is started. */
    struct sl_ref root_ref;
    struct sl_ref collector_ref;
    struct sl_ref merger_ref;
    struct sl_ref planner_ref;
    struct sl_ref historian_ref;
    struct sl_ref decoder_ref[SL_DRAINER_DECODERS_MAX];
    uint32_t      decoders;
    struct sl_ref dispatcher_ref;
    struct sl_ref worker_ref[SL_DRAINER_WORKERS_MAX];
    struct sl_ref checkpointer_ref;
    /* Facts for status; each has one writer. Relaxed: nothing is ordered by them. */
    _Atomic int64_t  newest_ts;  /* from the timestamp door; collector */
    _Atomic int64_t  applied_ts; /* everything at or below it is applied; dispatcher */
    _Atomic int64_t  saved_ts;   /* and the checkpoint says so; checkpointer */
    _Atomic uint64_t copies;     /* equal transactions that came twice; merger */
    _Atomic uint64_t rows;       /* applied; dispatcher */
};

/* Open all of it. *out is owned: sl_drainer_close. Blocks. The reason says what, where and what to
 * do. */
enum sl_err sl_drainer_open(const struct sl_drainer_options *options, struct sl_drainer **out,
                            struct sl_why *why);
/* After the runtime is freed: close all, null the pointer. *drainer may be NULL. */
void sl_drainer_close(struct sl_drainer **drainer);

/* Say how a part does, and why when it is not well. Any thread. */
void sl_drainer_note(struct sl_drainer *drainer, enum sl_drainer_part part,
                     enum sl_drainer_health health, const char *reason);
/* Pump node_id is input number `input` of the merge; NULL: nobody is any more. Merger. */
void sl_drainer_name_source(struct sl_drainer *drainer, uint32_t input, const char *node_id);
/* What was received of an input, and, when its stream is not well, why. Any thread. */
void sl_drainer_note_source(struct sl_drainer *drainer, uint32_t input, sl_ts last,
                            const char *reason);

#endif
