#ifndef SL_ACTORS_PUMP_PUMP_H
#define SL_ACTORS_PUMP_PUMP_H

/* A pump as a whole: what is opened before the first actor runs, and what all its actors share.
 *
 *     sl_pump_open(&options)         data-dir, index, logs: recovered; doors
 *     sl_pump_listen(pump)
 *     sl_run or sl_runtime_* with sl_pump_topology and a pointer to the struct sl_pump
 *     sl_pump_close(&pump)
 *
 * Opening is plain sequential code: recovery needs no concurrency, and a failure there is one line
 * and an exit code. When it returns, every record that the logs hold is in the index. */

#include "actors/pump/board.h"
#include "actors/pump/metrics.h"
#include "base/env.h"
#include "net/registry.h"
#include "net/tso.h"
#include "runtime/msg.h"
#include "storage/index.h"
#include "storage/large.h"
#include "storage/vlog.h"

struct sl_pump_config;
struct sl_sorter;
struct sl_socket;

/* What a pump must know. Borrowed for its life. */
struct sl_pump_options {
    const struct sl_env *env;
    const char          *data_dir;
    const char *node_id; /* configured; "": the directory knows, or it is made of the next two */
    const char *host_name;
    const char *addr;         /* host:port to listen on */
    const char *advertise;    /* host:port that others are told; port 0: the one listened on */
    const char *socket;       /* "unix:/path" to listen on too; NULL: none */
    const char *pd_urls;      /* see net/cluster.h */
    uint32_t    shards;       /* of a new directory: 1..SL_PUMP_SHARDS_MAX */
    bool        shards_asked; /* configured so: a directory with another number is refused */
    uint64_t    segment_bytes;
    bool        no_sync;         /* sync-log = false */
    sl_nanos    slow_write;      /* a write that takes longer is told of in the log; 0: none is */
    enum sl_index_engine engine; /* SL_INDEX_PLAIN in simulation */
    uint64_t             index_cache_bytes; /* 0: default */
    uint64_t             message_bytes_max; /* of one WriteBinlog request */
    uint64_t             large_bytes; /* a larger request goes to a file of its own as it comes;
                                         0: SL_VLOG_PAYLOAD_BYTES_MAX, also the most;
                                         at least SL_SPOOL_PIECE_BYTES_MIN */
    uint64_t             stop_write_bytes; /* refuse records at this much free space or less */
    uint32_t             fake_interval_ms;
    uint32_t             tide_ms; /* between two marks to an idle pump's readers; 0:
                                     SL_PUMP_TIDE_MS. What other pumps have waits as long */
    uint32_t             heartbeat_ms;
    int64_t              gc_ms;     /* retention, against the timestamp door */
    const char          *push_addr; /* of a Pushgateway; NULL: none */
    uint32_t             push_ms;   /* between two pushes */
};

/* One share-nothing slice. Each member belongs to the actor named while actors run. */
struct sl_pump_shard {
    struct sl_vlog        *vlog;   /* shard_writer */
    struct sl_large       *large;  /* spooler */
    struct sl_sorter      *sorter; /* sorter */
    struct sl_index_shard *index;  /* indexer; pullers open cursors on it */
    /* Written by root before whoever uses them is started. */
    struct sl_ref spooler_ref;
    struct sl_ref writer_ref;
    struct sl_ref sorter_ref;
    struct sl_ref indexer_ref;
};

/* Constant while actors run, but for what is said to belong to one of them. */
struct sl_pump {
    struct sl_pump_options     options; /* with the number of shards that the directory has */
    char                       node_id[SL_NODE_ID_BYTES_MAX];
    struct sl_file            *lock; /* of the directory */
    uint64_t                   cluster_id;
    bool                       has_tikv; /* so rollbacks are verified, and orphans resolved */
    char                       advertise[SL_ADDR_BYTES_MAX];
    char                       listening[SL_ADDR_BYTES_MAX];     /* with the port that it has */
    struct sl_vlog_options     vlog_options[SL_PUMP_SHARDS_MAX]; /* for readers */
    struct sl_vlog_watch       vlog_watch;
    char                       log_dir[SL_PUMP_SHARDS_MAX][SL_PATH_BYTES_MAX];
    char                       large_dir[SL_PUMP_SHARDS_MAX][SL_PATH_BYTES_MAX];
    struct sl_index_db        *index;
    struct sl_pump_shard       shard[SL_PUMP_SHARDS_MAX];
    struct sl_socket          *listener;      /* gateway */
    struct sl_socket          *unix_listener; /* gateway; NULL: none */
    struct sl_ref              clock_ref;     /* as the refs above */
    struct sl_ref              admin_ref;
    struct sl_ref              root_ref;
    struct sl_ref              registrar_ref;
    struct sl_ref              resolver_ref; /* nobody: there is no TiKV */
    struct sl_ref              retention_ref;
    struct sl_pump_board       board;
    struct sl_metric_registry *metric_registry;
    struct sl_pump_metrics     metrics; /* anybody adds */
};

/* What a checked configuration (config.h) says; borrows from both. */
struct sl_pump_options sl_pump_options_of(const struct sl_pump_config *config,
                                          const struct sl_env *env, const char *host_name);

/* Open all of it. *out is owned: sl_pump_close. Blocks for as long as recovery takes. The reason
 * says what, where and what to do. */
enum sl_err sl_pump_open(const struct sl_pump_options *options, struct sl_pump **out,
                         struct sl_why *why);
/* Take the addresses: whoever connects from here on waits for sl_run. The reason says what to do.
 */
enum sl_err sl_pump_listen(struct sl_pump *pump, struct sl_why *why);
/* After the runtime is freed: a last checkpoint, close all, null the pointer. *pump may be NULL. */
void sl_pump_close(struct sl_pump **pump);

/* Look at the free space and put it on the board. Blocks. */
enum sl_err sl_pump_look_at_space(struct sl_pump *pump, struct sl_why *why);
/* Make the gc point durable, then public. Blocks. */
enum sl_err sl_pump_publish_gc(struct sl_pump *pump, sl_ts point, struct sl_why *why);

/* Flags of a record in the log (struct sl_vlog_record). */
enum sl_pump_record_flag {
    SL_PUMP_VERIFIED = 1, /* a commit or rollback that this pump wrote, after TiKV had said so */
};

/* How the log calls a record. */
enum sl_vlog_type sl_pump_vlog_type(int32_t record_type, sl_ts start_ts, sl_ts commit_ts);

/* The shard of a transaction: a prewrite and its commit always meet. */
uint32_t sl_pump_shard_of(const struct sl_pump *pump, sl_ts start_ts);
/* Everything at or below this is complete and can be pulled: the least watermark of all shards. */
sl_ts sl_pump_max_commit_ts(const struct sl_pump *pump);

#endif
