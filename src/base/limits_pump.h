#ifndef SL_BASE_LIMITS_PUMP_H
#define SL_BASE_LIMITS_PUMP_H

/* The bounds of the pump; a part of base/limits.h, which includes it behind what it relates to. */

#include <assert.h>

/* Pump: actors and lines */
enum {
    SL_PUMP_SHARDS_MAX = 16,         /* of one pump */
    SL_PUMP_CUT_ITEMS = 512,         /* of each kind from sorter to indexer at once */
    SL_PUMP_CUT_CREDITS = 4,         /* cuts of one shard on their way or being applied */
    SL_SETTLED_MAX = 1 << 15,        /* start ts of transactions settled lately, by hash; 8 bytes */
    SL_UNRESOLVED_MAX = 1 << 18,     /* prewrites without outcome of one shard; about 100 bytes */
    SL_PUMP_WRITE_CREDITS = 4096,    /* records between entrance and sorter */
    SL_PUMP_WRITE_BYTES = 64 << 20,  /* of their payloads */
    SL_PUMP_BATCH_ITEMS = 1024,      /* records made durable at once by one shard */
    SL_PUMP_BATCH_BYTES = 4 << 20,   /* of the log, unless one record alone is larger */
    SL_PUMP_WRITER_IDLE_MS = 20,     /* without a batch: then the shard writer tidies up */
    SL_PUMP_PREPARE_BYTES = 8 << 20, /* of the next segment filled in one idle moment */
    SL_PUMP_REOPEN_MS = 1000,        /* between two tries to open a log that failed */
    SL_PUMP_INDEX_RETRY_MS = 1000,   /* between two tries to apply a cut */
    SL_PUMP_CLOCK_MS = 1000,         /* between two looks at the timestamp door */
    SL_PUMP_TIDE_MS = 20,            /* between two marks to an idle pump's readers */
    SL_PUMP_FAKE_CREDITS = 2,        /* the clock's own records on their way */
    SL_PUMP_RESOLVE_CREDITS = 256,   /* outcomes that were found out, on their way */
    SL_PUMP_OUTCOME_BYTES_MAX = 64,  /* the record of one */
    SL_PUMP_ORPHANS_ITEMS = 64,      /* prewrites of one shard that are asked about at once */
    SL_PUMP_CONNECTIONS_MAX = 1024,  /* sessions; one more is closed at once */
    SL_PULLERS_MAX = 64,             /* PullBinlogs streams at one time */
    SL_PULL_AHEAD = 2,               /* batches a session asks for before it has sent one */
    SL_PULL_BATCH_ITEMS = 64,        /* entities of one batch */
    SL_PULL_BATCH_BYTES = 256 << 10, /* their sum, unless one alone is larger */
    SL_PULL_BLOCK_ITEMS = 256,       /* read from the index at once, of one shard */
    SL_PUMP_HTTP_CREDITS = 64,       /* requests to the admin port being answered */
    SL_PUMP_SESSION_QUESTIONS = 2048, /* asked by one session and not answered */
};
static_assert(SL_PUMP_CUT_ITEMS <= SL_INDEX_CUT_ITEMS_MAX, "a cut is one transaction");
static_assert((int)SL_PUMP_SHARDS_MAX <= (int)SL_INDEX_SHARDS_MAX, "a table per shard");
static_assert((SL_PULLERS_MAX + 1) * SL_PUMP_SHARDS_MAX <= (int)SL_INDEX_CURSORS_MAX,
              "a cursor per puller and shard, and for retention");

/* Pump: configuration, identity, answers over HTTP */
enum {
    SL_PD_URLS_MAX = 64,               /* of one cluster */
    SL_DATA_DIR_FILE_BYTES_MAX = 4096, /* of the small files that say what a data directory is */
    SL_STATUS_RECORD_BYTES_MAX = 64 << 20, /* the text of one record; what is beyond is cut off */
    SL_UNIX_PATH_BYTES_MAX = 108, /* of a unix socket, as Linux has it; terminator included */
};
static_assert((int)SL_NAME_BYTES_MAX + 6 <= (int)SL_NODE_ID_BYTES_MAX,
              "the name of a host and a port make a node id");
static_assert((int)SL_NODE_ID_BYTES_MAX < (int)SL_DATA_DIR_FILE_BYTES_MAX, "a node id fits");

/* Pump: its place in the cluster */
enum {
    SL_BIRTH_NOTIFY_MS = 3000, /* a drainer may take to answer Notify */
    SL_BIRTH_RETRY_MS = 1000,  /* between two rounds */
    SL_BIRTH_DEAD_MS = 30000,  /* a drainer whose record stands still so long is not waited for */
    SL_PUMP_LOOKUP_ENTRIES = 1 << 20, /* of a shard's index, to find a prewrite's commit */
    SL_PUMP_CLUSTER_TRIES = 100,      /* to reach the cluster at start, as the original */
    SL_PUMP_CLUSTER_RETRY_MS = 1000,  /* between two of them */
    SL_PUMP_LEAVE_MS = 1000,          /* between two looks whether all is consumed */
    SL_PUMP_TELL_MS = 10000,          /* between two lines about what is waited for */
    SL_PUMP_INFO_MS = 10000,          /* between two lines about how the pump does */
};

/* Pump: prewrites without outcome */
enum {
    SL_SORT_ORPHAN_MS = 1000,   /* until one is asked about, and asked about again */
    SL_SORT_ROLLBACK_LOOKS = 5, /* at a rollback, before TiKV is made to decide */
    SL_RESOLVE_MS = 5000,       /* for the answers about one batch */
    SL_RESOLVE_YOUNG_S = 600,   /* so old a transaction may be, and TiKV is only looked at */
    SL_RESOLVE_TELL = 60,       /* in so many look-ups one is told of in the log */
};
static_assert((int)SL_PUMP_ORPHANS_ITEMS * SL_PUMP_SHARDS_MAX <= (int)SL_TIKV_QUESTIONS_MAX,
              "all shards may be asked about at once");

/* Pump: pushing metrics */
enum {
    SL_PUSH_MS = 10000,            /* one push may take */
    SL_PUSH_PATH_BYTES_MAX = 1024, /* of the address of a series, terminator included */
};

/* Pump: retention */
enum {
    SL_GC_STRETCH_MS = 60000,            /* commit ts that are looked at as one */
    SL_GC_SCAN_ITEMS = 1 << 14,          /* index entries read in one turn */
    SL_GC_PERIOD_MS = 3600 * 1000,       /* between two rounds */
    SL_GC_MARGIN_MS = 600 * 1000,        /* what is younger than the gc point less this is kept */
    SL_GC_LOOK_MS = 600 * 1000,          /* between two looks for drainers that lag behind it */
    SL_GC_WARN_MS = 20 * 3600 * 1000,    /* before it reaches what a drainer has not read */
    SL_CHECKPOINT_MS = 3000,             /* between two checkpoints of the index */
    SL_SPACE_MS = 3000,                  /* between two looks at the free space */
    SL_SCRUB_STEP_BYTES = 1 << 20,       /* read of the log at one time, to look for damage */
    SL_SCRUB_STEP_MS = 100,              /* between two such steps */
    SL_SCRUB_PASS_MS = 24 * 3600 * 1000, /* from the end of a pass to the next one */
};

/* Pump: its entrance */
enum {
    SL_PULL_PEER_BYTES_MAX = 128, /* of a peer's address in logs, terminator included */
    SL_PUMP_SESSION_HELD = 2048,  /* writes a session holds that have not entered the line */
    SL_PUMP_AHEAD_MS = 60 * 1000, /* a commit ts may be above the newest timestamp known */
    SL_PUMP_SLOW_RPC_MS = 1000,   /* a WriteBinlog that takes so long is told of in the log */
};
static_assert((int)SL_VLOG_PAYLOAD_BYTES_MAX <= (int)SL_PUMP_WRITE_BYTES,
              "every record fits the write line");

/* Pump: large entities. What they take of memory follows from these, and from
 * SL_RECORD_REST_BYTES_MAX. */
enum {
    SL_SPOOLS_MAX = 4,              /* received at one time; others wait for their grant */
    SL_SPOOL_PIECE_BYTES = 1 << 20, /* as which they come, but for a lower bound of the tests */
    SL_SPOOL_PIECE_BYTES_MIN = 1 << 16,
    /* Of one entity, on their way to the disk: two are granted ahead, and a window. */
    SL_SPOOL_PIECES = 3,
    /* Calls open on one connection. Each may hold half a message that came unasked: so a connection
     * costs 64 MiB at most. More of a TiDB's sessions than this wait in it until one is answered,
     * which is soon: one batch takes as many records. */
    SL_PUMP_STREAMS_MAX = 1 << 10,
};
static_assert((int)SL_SPOOL_PIECE_BYTES_MIN >= (int)SL_H2_WINDOW_BYTES, "a window is one piece");
static_assert((int)SL_SPOOL_PIECE_BYTES < (int)SL_VLOG_PAYLOAD_BYTES_MAX,
              "the first is not the last");
static_assert((int)SL_PUMP_STREAMS_MAX <= (int)SL_PUMP_BATCH_ITEMS, "one batch answers them all");

/* Pump: its pullers */
enum {
    SL_PULL_BLOCKS = 2,      /* of one shard, read from the index and not sent yet */
    SL_PULL_FAKE_MS = 20,    /* a reader is told of a watermark at latest */
    SL_PULL_WARN_MS = 10000, /* between two warnings that a reader is ahead of the pump */
};
static_assert((int)SL_PULL_BLOCK_ITEMS <= (int)SL_MERGE_BLOCK_ITEMS_MAX, "the merge takes a block");

#endif
