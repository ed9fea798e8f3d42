#ifndef SL_ACTORS_PUMP_TOPOLOGY_H
#define SL_ACTORS_PUMP_TOPOLOGY_H

/* READ FIRST: the actors of a pump and the lines between them.
 *
 *                 ┌► spooler[k] ┐    what is too large to be held
 *                 │             ▼
 *     TiDB ─► session ─► shard_writer[k] ─► sorter[k] ─► indexer[k] ◄─watch─ puller ◄─next─ session
 *               ▲  written  │                 ▲                                │ batch ─► drainer
 *               └───────────┘                 └─ mark ─ shard_writer[other]    reads log and index
 *
 *     root: starts and stops all the others, in order.
 *     gateway: accepts connections; a session per connection (gRPC or HTTP, by its first bytes).
 *     shard_writer[k]: makes records durable, a batch per sync; hands each to its sorter, then
 *         answers its asker.
 *     spooler[k]: writes large entities to files of their own as they come; a reference to the file
 *         goes through the shard_writer as any record.
 *     sorter[k]: pairs commits with prewrites, knows the watermark; tells the indexer in cuts.
 *     indexer[k]: applies cuts, then lets readers see the new watermark.
 *     puller: one per PullBinlogs stream; merges the shards, joins commits with prewrites.
 *     clock: owns the timestamp door: fakes while idle, the newest timestamp, answers who asks.
 *     resolver: asks TiKV what became of prewrites without outcome; only where there is one.
 *     registrar: owns the registry: birth, heartbeats, state, notifies drainers.
 *     admin: answers HTTP.
 *     pusher: sends metrics to a Pushgateway, when there is one.
 *     retention: removes what is old; watches the disk.
 */

#include <stdint.h>

#include "runtime/topology.h"

struct sl_pump;

/* What root gives its children when it starts them. */
struct sl_pump_args {
    struct sl_pump *pump;
    uint32_t        shard; /* of those that have one */
};

/* The lines: indexes for sl_line. Input 0 unless said otherwise. */
enum sl_pump_line {
    SL_LINE_WRITE,   /* session -> shard_writer -> sorter */
    SL_LINE_FAKE,    /* clock -> shard_writer -> sorter */
    SL_LINE_MARK,    /* shard_writer -> sorter; input: the shard it comes from */
    SL_LINE_CUT,     /* sorter -> indexer; input: the shard */
    SL_LINE_WATCH,   /* puller -> indexer */
    SL_LINE_NEXT,    /* session -> puller */
    SL_LINE_HTTP,    /* session -> admin */
    SL_LINE_TS,      /* session -> clock */
    SL_LINE_PUBLISH, /* root -> registrar */
    SL_LINE_LEAVE,   /* admin -> root */
    SL_LINE_TRIM,    /* retention -> indexer, shard_writer, spooler */
    SL_LINE_GC,      /* admin -> retention */
    SL_LINE_TIDE,    /* clock -> sorter */
    SL_LINE_RESOLVE, /* resolver -> shard_writer -> sorter */
    SL_LINE_ORPHANS, /* resolver -> sorter */
    SL_LINE_SPOOL,   /* session -> spooler -> shard_writer -> sorter; a credit per entity */
    SL_LINE_PIECE,   /* session -> spooler */
    SL_PUMP_LINES,
};

/* The classes. Those that root starts get struct sl_pump_args, the others what their file says. */
#define SL_PUMP_CLASSES(X)        \
    X(sl_pump_root_class)         \
    X(sl_pump_gateway_class)      \
    X(sl_pump_session_class)      \
    X(sl_pump_spooler_class)      \
    X(sl_pump_shard_writer_class) \
    X(sl_pump_sorter_class)       \
    X(sl_pump_indexer_class)      \
    X(sl_pump_puller_class)       \
    X(sl_pump_clock_class)        \
    X(sl_pump_resolver_class)     \
    X(sl_pump_registrar_class)    \
    X(sl_pump_retention_class)    \
    X(sl_pump_admin_class)        \
    X(sl_pump_pusher_class)
#define SL_PUMP_CLASS(name) extern const struct sl_actor_class name;
SL_PUMP_CLASSES(SL_PUMP_CLASS)
#undef SL_PUMP_CLASS

/* The table of the program pump. Its root takes a struct sl_pump * (pump.h) as argument. */
extern const struct sl_topology sl_pump_topology;

#endif
