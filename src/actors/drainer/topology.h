#ifndef SL_ACTORS_DRAINER_TOPOLOGY_H
#define SL_ACTORS_DRAINER_TOPOLOGY_H

/* READ FIRST: the actors of a drainer and the lines between them.
 *
 *     pump ─► source ─BLOCK─► merger ─WINDOW─► planner ─DECODE─► decoder[n] ─► dispatcher
 *              │ piece         ▲ fence          │ job                             │  ▲ applied
 *           spooler         collector        historian                          PART │
 *                                                                                ▼  │
 *                                    checkpointer ◄─ SAVE, DDL, DESCRIBE       worker[m]
 *
 *     root: starts and stops all the others, in order; passes on what a reload of the configuration
 *         brings (reload.h).
 *     opener: reaches what the drainer stands on; when it has ended, those behind the front start.
 *     collector: owns the doors of registry and timestamps: says up to where the merge may go, and
 *         which pumps there are.
 *     source: one per pump; its PullBinlogs stream.
 *     spooler: writes transactions that are too large for memory to files, as they come.
 *     merger: one order out of all sources; cuts it into windows.
 *     planner: gives each row the table version it is decoded with; filters; knows the schema;
 *         makes windows whose decoded size is bounded.
 *     historian: owns the door to TiDB's DDL jobs.
 *     decoder[n]: rows to changes, in parallel.
 *     dispatcher: the windows in their order again; hands changes to workers so that no two of them
 *         have one key at one time; knows which windows are done.
 *     worker[m]: a connection to the downstream each.
 *     checkpointer: what must not interleave with rows: the checkpoint, DDL, what the downstream's
 *         tables look like.
 *     gateway, session, registrar, admin, pusher: front.h.
 *
 * A window keeps its credit from the planner until all of it is applied: so the credits and bytes
 * of DECODE bound what is decoded, those of BLOCK and WINDOW what waits for it. */

#include <stdint.h>

#include "actors/drainer/front.h"
#include "runtime/topology.h"

struct sl_drainer;

/* What root gives its children when it starts them. */
struct sl_drainer_args {
    struct sl_drainer *drainer;
    uint32_t           number; /* of those that there are several of */
};

/* The lines: indexes for sl_line. Input 0 unless said otherwise. */
enum sl_drainer_line {
    /* source -> merger; input: the source's number in the merge. The front's are before it. */
    SL_LINE_BLOCK = SL_DRAINER_FRONT_LINES,
    SL_LINE_SPOOL_PIECE, /* source -> spooler; input likewise */
    SL_LINE_FENCE,       /* merger -> collector */
    SL_LINE_WINDOW,      /* merger -> planner */
    SL_LINE_DECODE,      /* planner -> decoder -> dispatcher */
    SL_LINE_JOB,         /* planner -> historian */
    SL_LINE_PART,        /* dispatcher -> worker; input: the worker's number */
    SL_LINE_KEEP,        /* dispatcher -> checkpointer */
    SL_LINE_RELOAD,      /* outside -> root -> planner, dispatcher */
    SL_DRAINER_LINES,
};

/* The classes behind the front. Those that root starts get struct sl_drainer_args, a source what
 * source.h says. */
#define SL_DRAINER_CLASSES(X)      \
    X(sl_drainer_root_class)       \
    X(sl_drainer_opener_class)     \
    X(sl_drainer_collector_class)  \
    X(sl_drainer_source_class)     \
    X(sl_drainer_spooler_class)    \
    X(sl_drainer_merger_class)     \
    X(sl_drainer_planner_class)    \
    X(sl_drainer_historian_class)  \
    X(sl_drainer_decoder_class)    \
    X(sl_drainer_dispatcher_class) \
    X(sl_drainer_worker_class)     \
    X(sl_drainer_checkpointer_class)
#define SL_DRAINER_CLASS(name) extern const struct sl_actor_class name;
SL_DRAINER_CLASSES(SL_DRAINER_CLASS)
#undef SL_DRAINER_CLASS

/* The table of the program drainer, for the default budget. Its root takes a struct sl_drainer *
 * (drainer.h). */
extern const struct sl_topology sl_drainer_topology;

/* The same table for another budget. */
struct sl_drainer_wiring {
    struct sl_topology      topology; /* points to the lines */
    struct sl_topology_line lines[SL_DRAINER_LINES];
};

/* Make it: the bytes of all lines in proportion to the bytes that the process may take. out must
 * not be moved. */
void sl_drainer_wire(struct sl_drainer_wiring *out, uint64_t budget_bytes);

#endif
