#ifndef SL_ACTORS_DRAINER_DRAINER_H
#define SL_ACTORS_DRAINER_DRAINER_H

/* A drainer as a whole: what its actors share.
 *
 *     sl_drainer_open(&options)      what is its own: the data directory
 *     sl_drainer_listen(drainer)
 *     sl_run or sl_runtime_* with sl_drainer_topology and a pointer to the struct sl_drainer:
 *         first the front runs, and the opener reaches what others have: cluster, downstream,
 *         checkpoint, schema
 *     sl_drainer_close(&drainer) */

#include <stdbool.h>

#include "actors/drainer/config.h"
#include "actors/drainer/front.h"
#include "base/env.h"
#include "base/limits.h"
#include "base/ts.h"
#include "binlog/change.h"
#include "binlog/ddl.h"
#include "net/node.h"
#include "runtime/msg.h"

struct sl_event_filter;
struct sl_filter;
struct sl_schema;
struct sl_schema_source;
struct sl_sink;
struct sl_spool;

/* What a drainer must know. Borrowed for its life. */
struct sl_drainer_options {
    const struct sl_env            *env;
    const struct sl_drainer_config *config; /* checked */
    const char                     *host_name;
    bool                            asks_pumps;     /* over HTTP, for what they have removed */
    bool                            tells_progress; /* a line in the log now and then */
    const struct sl_filter         *filter;         /* NULL: everything passes */
    const struct sl_event_filter   *event_filter;   /* likewise */
};

/* Constant while the actors run that look at it, but for what is said to belong to one of them. */
struct sl_drainer {
    struct sl_drainer_options options;
    char                      node_id[SL_NODE_ID_BYTES_MAX];
    char                      advertise[SL_ADDR_BYTES_MAX];
    struct sl_file           *lock;    /* of the data directory */
    struct sl_spool          *spool;   /* spooler */
    uint32_t                  workers; /* that are started */
    uint32_t                  decoders;
    uint32_t                  part_rows; /* row changes of one part, at the start */
    /* Written by the opener, before anybody else of those behind the front is started. */
    uint64_t                 cluster_id;
    sl_ts                    start_ts; /* everything at or below it was applied before */
    int64_t                  start_schema_version;
    bool                     start_is_consistent;      /* and nothing above start_ts was */
    int64_t                  early[SL_EARLY_JOBS_MAX]; /* jobs that were run before their binlogs */
    uint32_t                 early_count;
    struct sl_schema        *schema;        /* planner; as of start_ts */
    struct sl_schema_source *schema_source; /* historian */
    struct sl_sink          *sink;          /* checkpointer; workers open their own ends */
    struct sl_zone          *zone;          /* in which it reads TIMESTAMPs */
    enum sl_ddl_target       ddl_target;
    /* The planner's, owned: what a reload has brought (planner_filter.c). NULL: those of the
     * options. */
    struct sl_filter       *filter;
    struct sl_event_filter *event_filter;
    /* Written by root before whoever uses them is started. */
    struct sl_ref           spooler_ref;
    struct sl_ref           merger_ref;
    struct sl_ref           planner_ref;
    struct sl_ref           historian_ref;
    struct sl_ref           decoder_ref[SL_DRAINER_DECODERS_MAX];
    struct sl_ref           worker_ref[SL_DRAINER_WORKERS_MAX];
    struct sl_ref           checkpointer_ref;
    struct sl_drainer_front front;
    /* Root's, written while no worker lives: a transaction was interrupted, so the stream has begun
     * again in this process; the first success of a worker says that it is well. */
    bool is_resumed;
    /* Root's: it has ended because somebody must do something (exit-when-held), and for what. */
    bool          ended_held;
    struct sl_why held_why;
};

/* Make it, with its data directory. *out is owned: sl_drainer_close. The reason says what, where
 * and what to do. */
enum sl_err sl_drainer_open(const struct sl_drainer_options *options, struct sl_drainer **out,
                            struct sl_why *why);
/* Take the address: whoever connects from here on waits for sl_run. The reason says what to do. */
enum sl_err sl_drainer_listen(struct sl_drainer *drainer, struct sl_why *why);
/* After the runtime is freed: close all, null the pointer. *drainer may be NULL. */
void sl_drainer_close(struct sl_drainer **drainer);

#endif
