#ifndef SL_BASE_LIMITS_H
#define SL_BASE_LIMITS_H

/* Every bound of the program, with the arithmetic that relates it to the others. Nothing queues,
 * retries, names or batches without a maximum that stands here. */

#include <assert.h>

#include "base/limits_sink.h"

/* A power of two, so that a ring index is a mask away. */
#define SL_IS_POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n)-1)) == 0)

/* Text */
enum {
    SL_WHY_BYTES_MAX = 512,   /* the reason of an error, terminator included */
    SL_PATH_BYTES_MAX = 4096, /* a file path, terminator included */
    SL_NAME_BYTES_MAX = 64,   /* an actor, a line, a variable of the environment; likewise */
    SL_ADDR_BYTES_MAX = 280,  /* "host:port" or "unix:/path", terminator included */
};

/* Sockets */
enum {
    SL_LISTEN_BACKLOG = 1024, /* connections that wait for an accept; Linux cuts it to somaxconn */
    SL_NET_WAIT_MAX = 1024,   /* sockets one thread waits for at one time */
};

/* Crash report and trace */
enum {
    SL_TRACE_ENTRIES = 1024,    /* ring of one thread; 32 bytes each */
    SL_TRACE_DUMP_ENTRIES = 64, /* per thread in a crash report */
    SL_TRACE_THREADS_MAX = 512, /* threads that can have a ring */
    SL_SIGNAL_STACK_BYTES = 65536,
};
static_assert(SL_IS_POWER_OF_TWO(SL_TRACE_ENTRIES), "the ring index is masked");

/* Buffers and memory */
enum {
    SL_BUF_BYTES_MAX = 1 << 30,     /* one refcounted buffer */
    SL_ARENA_BLOCK_BYTES = 1 << 16, /* smallest block an arena takes from the heap */
};

/* Containers and scratch memory */
enum {
    SL_HEAP_NODES_MAX = 1 << 27,       /* members of one heap */
    SL_MAP_NODES_MAX = 1 << 27,        /* members of one map */
    SL_ARENA_KEEP_BYTES_MAX = 1 << 24, /* largest block an arena keeps when it is reset */
};
static_assert(SL_IS_POWER_OF_TWO(SL_HEAP_NODES_MAX), "a heap grows by doubling");
static_assert(SL_IS_POWER_OF_TWO(SL_MAP_NODES_MAX), "a map grows by doubling");
static_assert((int)SL_ARENA_BLOCK_BYTES <= (int)SL_ARENA_KEEP_BYTES_MAX, "else no block is kept");

/* Configuration */
enum {
    SL_CONF_FILE_BYTES_MAX = 1 << 20,
    SL_CONF_KEYS_MAX = 256, /* rows of one configuration table */
    SL_CONF_VALUE_BYTES_MAX = 1 << 16,
    SL_CONF_LIST_ITEMS_MAX = 1024, /* members of an array value */
    SL_CONF_UNKNOWN_MAX = 16,      /* unknown keys named in one refusal */
};

/* Logs */
enum {
    SL_LOG_LINE_BYTES_MAX = 16384, /* longer lines are cut and marked */
    SL_LOG_SITE_LINES_PER_S = 10,  /* per call site; what is suppressed is counted and told */
};

/* Metrics */
enum {
    SL_METRIC_LABELS_MAX = 2,   /* labels of one family */
    SL_METRIC_SERIES_MAX = 256, /* series of one family; what is beyond goes to "other" */
    SL_METRIC_BUCKETS_MAX = 40, /* +Inf not counted */
};

/* State machines */
enum {
    SL_SM_STATES_MAX = 32, /* a state set is one 32-bit word */
};

/* Records */
enum {
    SL_RECORD_UNKNOWN_MAX = 8, /* fields of a newer protocol that one record may carry */
    /* All of a record but its prewrite value, when it comes in pieces: it is kept in memory. */
    SL_RECORD_REST_BYTES_MAX = 1 << 23,
};

/* Runtime: actors, lines, threads */
enum {
    SL_SLOTS_MAX = 1 << 14,        /* living and dying actors */
    SL_CLASSES_MAX = 48,           /* classes of one topology */
    SL_LINES_MAX = 48,             /* lines of one topology, instances not counted */
    SL_LINE_INPUTS_MAX = 4096,     /* instances of one line */
    SL_LINE_PATH_MAX = 8,          /* actors on one line, entrance included */
    SL_LINE_CREDITS_MAX = 1 << 16, /* of one instance */
    SL_MAILBOX_ITEMS_MAX = 1 << 20,
    SL_SYSTEM_MAIL = 1, /* SL_MSG_STOP; the rest of the system mail has places of its own */
    SL_SPAWN_ARGS_BYTES_MAX = 256,
    SL_TURN_MESSAGES_MAX = 64, /* handled in one turn, then the next actor's turn comes */
    SL_TURN_AHEAD = 8,         /* of these taken at once, so that their memory can be fetched */
    SL_THREADS_MAX = 256,      /* that run actors, timer thread and outside callers included */
    SL_DISK_THREADS = 2,       /* default size of the disk pool */
    SL_IO_LOOPS_MAX = 16,
    /* How often an idle thread looks at its queue before it sleeps: about 6 us, as much as going to
     * sleep and being woken costs in processor time. */
    SL_SPIN_LOOKS = 300,
    SL_IO_TURNS_MAX = 64, /* turns an event loop runs between two looks at its sockets */
};

/* The turn budget is a multiple of what is taken at once: nothing taken is left at its end. */
static_assert(SL_TURN_MESSAGES_MAX % SL_TURN_AHEAD == 0, "a turn ends between two takes");

/* A mailbox must be able to hold the largest single line. */
static_assert(SL_LINE_CREDITS_MAX <= SL_MAILBOX_ITEMS_MAX, "one line fits a mailbox");

/* Runtime: memory of messages */
enum {
    SL_MSG_CLASS_BYTES_MIN = 64, /* smallest size class; each next one doubles */
    SL_MSG_CLASSES = 5,          /* up to 1 KiB; larger messages come from the heap */
    SL_MAGAZINE_ITEMS = 64,      /* messages that move between a thread and the depot at once */
};

/* Runtime: time */
enum {
    SL_STUCK_COMPUTE_MS = 1000, /* a handler of the compute or io lane running longer is reported */
    SL_STUCK_BLOCKING_MS = 60000, /* the same for the lanes that may wait */
    SL_WATCHDOG_PERIOD_MS = 250,
    SL_TIMER_DELAY_MS_MAX = 1000 * 60 * 60 * 24 * 20, /* the longest delay of one timer: 20 days */
    SL_BACKOFF_MS_MIN = 1,
    SL_BACKOFF_MS_MAX = 60000,
    SL_SUPERVISED_MAX = 64, /* children of one supervisor */
};

/* Configuration: texts and nesting */
enum {
    SL_CONF_DEPTH_MAX = 32,      /* names and indexes above one value of a file */
    SL_CONF_KEY_BYTES_MAX = 256, /* a dotted key in a message, terminator included */
    SL_DURATION_TEXT_BYTES = 32, /* any duration as text, terminator included */
};

/* Logs and metrics: files, values from outside */
enum {
    SL_LOG_FILE_BYTES_MAX = 300 << 20, /* a log file is rotated before it grows beyond */
    SL_METRIC_FAMILIES_MAX = 256,      /* rows of all tables of one registry */
    SL_METRIC_LABEL_BYTES_MAX = 256,   /* a label value, terminator included */
};
static_assert(SL_LOG_LINE_BYTES_MAX < SL_LOG_FILE_BYTES_MAX, "a file holds at least one line");

/* HTTP/2: one connection */
enum {
    /* Open at one time: TiDB has one connection and a call for each session that commits. A stream
     * without data takes about 650 bytes with its call, nghttp2's part included; with a message
     * that comes unasked up to a window more, so an owner who counts bytes may want fewer. */
    SL_H2_STREAMS_MAX = 1 << 14,
    SL_H2_WINDOW_BYTES = 65535, /* initial window of a stream: HTTP/2's own, so that it holds
                                         before any SETTINGS arrive */
    SL_H2_CONNECTION_WINDOW_BYTES = 1 << 30,
    SL_H2_HEADER_LIST_BYTES_MAX = 1 << 14, /* names, values and 32 for each field, RFC 9113 6.5.2 */
    SL_H2_CONTINUATIONS_MAX = 8,           /* frames behind one HEADERS */
    SL_H2_ACKS_MAX = 1000,                 /* answers to PING and SETTINGS the peer has not read */
    SL_H2_OUTBOUND_FRAMES_MAX = 1 << 16,   /* headers and control frames the peer has not read */
    SL_H2_FLOOD_BURST = 1 << 15,           /* frames without use that are borne at once, */
    SL_H2_FLOOD_PER_S = 256,               /* and per second of idling */
    SL_H2_QUEUE_BYTES = 1 << 20,           /* from here on a stream's send queue is full */
    SL_H2_CONNECTION_QUEUE_BYTES = 64 << 20, /* the same for all streams of a connection */
    SL_H2_CHUNK_COST_BYTES = 64,             /* what a queued message counts beside its bytes */
    SL_H2_HEAD_BYTES_MAX = 8,                /* bytes put in front of a queued buffer */
    SL_H2_GATHER_BYTES = 1 << 14,            /* small frames written together */
    SL_H2_GATHER_FRAME_BYTES_MAX = 1 << 12,  /* larger frames are written from where they lie */
};

/* A client may give up all its calls at once, and start as many more. */
static_assert(SL_H2_FLOOD_BURST >= 2 * SL_H2_STREAMS_MAX, "cancelling everything is no flood");
/* A server may answer all of them, with window updates and resets, before the peer reads on. */
static_assert(SL_H2_OUTBOUND_FRAMES_MAX >= 4 * SL_H2_STREAMS_MAX, "answering everything is none");
static_assert(SL_H2_ACKS_MAX < SL_H2_FLOOD_BURST, "else the burst is never reached");
static_assert((int)SL_H2_GATHER_FRAME_BYTES_MAX <= (int)SL_H2_GATHER_BYTES, "a small frame fits");

/* gRPC: one connection */
enum {
    SL_GRPC_PREFIX_BYTES = 5, /* in front of every message: flag, length in 4 bytes */
    /* A message up to here is taken as it comes: it fits a stream's initial window. */
    SL_GRPC_UNASKED_BYTES_MAX = SL_H2_WINDOW_BYTES - SL_GRPC_PREFIX_BYTES,
    SL_GRPC_PIECE_BYTES_MIN = 1 << 12, /* of a message that is received in pieces */
    SL_GRPC_PIECE_BYTES_MAX = 1 << 24,
    SL_GRPC_SLICE_SHARE = 16, /* a message is a slice of the input if at least 1/16 of it */
    SL_GRPC_STALL_S = 10,     /* a granted message that sees no byte for so long is given up */
    SL_GRPC_TIMEOUT_DIGITS = 8,
};
static_assert((int)SL_GRPC_PREFIX_BYTES <= (int)SL_H2_HEAD_BYTES_MAX, "a prefix is a head");

/* Channels: clients that may block */
enum {
    SL_CHANNEL_CONNECT_S = 5, /* until a connection stands; then it is given up */
    SL_CHANNEL_PING_S = 20,   /* silence while calls are open, until the peer is asked */
    SL_CHANNEL_PONG_S = 10,   /* until its answer; then the connection is given up */
    SL_CHANNEL_WAITS_MAX = 2, /* sockets of one channel */
};

/* Doors to a live cluster: etcd and PD */
enum {
    SL_ENDPOINTS_MAX = 32,                /* URLs of one service */
    SL_DOOR_MESSAGE_BYTES_MAX = 32 << 20, /* one answer */
    SL_ETCD_KEY_BYTES_MAX = 512,          /* a key that we ask for, terminator included */
    SL_ETCD_SYNC_S = 30,                  /* between two looks at the list of members */
    SL_ETCD_SYNC_WAIT_MS = 1000,          /* for that list */
    SL_PD_OPEN_WAIT_MS = 3000,            /* for one member, when a cluster is opened */
    SL_PD_REFRESH_S = 60,                 /* between two looks at the members */
    SL_PD_REFRESH_WAIT_MS = 1000,         /* for one of them */
    SL_PD_TSO_WAIT_MS = 5000,             /* for timestamps, through changes of the leader */
    SL_PD_TSO_PAUSE_MS = 500,             /* between two tries */
};

/* TiKV: what became of transactions */
enum {
    SL_TIKV_QUESTIONS_MAX = 1024,     /* asked at once */
    SL_TIKV_REGIONS_MAX = 256,        /* remembered */
    SL_TIKV_STORES_MAX = 256,         /* of one cluster that are asked */
    SL_TIKV_KEY_BYTES_MAX = 1 << 16,  /* a primary key; TiDB's are below 4 KiB */
    SL_TIKV_REQUEST_S = 60,           /* one request, as the original bounds it */
    SL_TIKV_PD_MS = 1000,             /* one question to PD on the way */
    SL_TIKV_ROUTE_PAUSE_MS = 2,       /* before the first try on another route, doubled */
    SL_TIKV_ROUTE_PAUSE_MS_MAX = 500, /* up to this */
    SL_TIKV_PAUSE_MS = 100,           /* the same when somebody did not answer or was busy */
    SL_TIKV_PAUSE_MS_MAX = 2000,
};
static_assert(SL_TIKV_STORES_MAX * SL_CHANNEL_WAITS_MAX <= SL_NET_WAIT_MAX, "all are waited for");
static_assert((int)SL_TIKV_QUESTIONS_MAX <= (int)SL_H2_STREAMS_MAX, "one store may be asked all");

/* HTTP: one connection to the admin port */
enum {
    SL_HTTP_URL_BYTES_MAX = 1 << 11,
    SL_HTTP_HEADER_BYTES_MAX = 1 << 14, /* request line and header fields with their line ends */
    SL_HTTP_BODY_BYTES_MAX = 1 << 16,
    /* A body on the wire, chunk framing and trailers included, to the body itself. */
    SL_HTTP_FRAMING_FACTOR = 8,
    SL_HTTP_HELD_BYTES_MAX = 1 << 16, /* of later requests, while one is being answered */
    SL_HTTP_NAME_BYTES_MAX = 24,      /* of the names and values of fields that are looked at */
    SL_HTTP_ANSWER_BYTES_MAX = 512,   /* header of an answer, "100 Continue" before it included */
    SL_HTTP_CONTENT_TYPE_BYTES_MAX = 128,
    SL_HTTP_PARAMS_MAX = 4, /* placeholders of one route */
    SL_HTTP_IDLE_S = 120,   /* from an answer to the next request */
    SL_HTTP_HEAD_S = 10,    /* from the first byte of a request to the end of its header */
    SL_HTTP_BODY_S = 30,    /* from there to the end of its body */
    SL_HTTP_ANSWER_S = 60,  /* from an answer to the moment its last byte is written */
};
static_assert((int)SL_HTTP_URL_BYTES_MAX < (int)SL_HTTP_HEADER_BYTES_MAX, "414 comes before 431");
static_assert(2 * SL_HTTP_CONTENT_TYPE_BYTES_MAX < SL_HTTP_ANSWER_BYTES_MAX, "a header fits");

/* HTTP/1.1, client side */
enum {
    SL_HTTP_ASKS_MAX = 256,          /* connections open at one time */
    SL_HTTP_ASK_BYTES_MAX = 1 << 21, /* one answer, head included */
};

/* JSON */
enum {
    SL_JSON_BYTES_MAX = 1 << 20, /* one document */
    SL_JSON_DEPTH_MAX = 32,      /* objects and arrays within each other */
};

/* Schema: what TiDB's DDL jobs may hold. Its own limits are lower, but can be configured. */
enum {
    SL_JOB_BYTES_MAX = 64 << 20,      /* the JSON of one job */
    SL_JOB_TABLES_MAX = 1 << 16,      /* made or renamed by one job */
    SL_SCHEMA_READ_BYTES = 1 << 16,   /* of a file of jobs, at once; doubled for longer lines */
    SL_HISTORY_PAGE = 256,            /* jobs that a TiDB is asked for at once */
    SL_HISTORY_BYTES_MAX = 256 << 20, /* of its answer; only old TiDB answers with all jobs */
    SL_HISTORY_ASK_S = 60,            /* for one answer */
    SL_RENAMES_MAX = 1 << 12,         /* of one statement */
    SL_TABLE_COLUMNS_MAX = 1 << 13,
    SL_TABLE_INDEXES_MAX = 1 << 11,
    SL_TABLE_ELEMENTS_MAX = 1 << 16, /* of one ENUM */
    SL_TABLE_PARTITIONS_MAX = 1 << 15,
    SL_SCHEMA_VERSIONS_KEPT = 2, /* of a table: online DDL has no more than neighbours in use */
    SL_DDL_BYTES_MAX = 8 << 20,  /* the text of one DDL */
    SL_DDL_DISTINCT_MAX = 64,    /* objects of one DDL that are told from each other */
};

/* Registry */
enum {
    SL_NODE_ID_BYTES_MAX = 256,     /* terminator included */
    SL_NODE_LABEL_BYTES_MAX = 1024, /* the label as JSON, terminator included */
    SL_NODE_LABELS_MAX = 32,        /* names in one label */
    SL_NODE_JSON_BYTES_MAX = 16384, /* one record */
    SL_NODES_MAX = 1024,            /* records of one kind */
    SL_REGISTRY_WAIT_MS_MAX = 5000, /* one operation, as the original bounds it */
};

/* Any byte may be written as six: \u001f. The names and numbers of a record take less than 512. */
static_assert(6 * (SL_NODE_ID_BYTES_MAX + SL_ADDR_BYTES_MAX) + SL_NODE_LABEL_BYTES_MAX + 512 <=
                  SL_NODE_JSON_BYTES_MAX,
              "whatever a record holds can be written");
static_assert((int)SL_NODE_JSON_BYTES_MAX <= (int)SL_JSON_BYTES_MAX, "a record is a document");
static_assert(SL_NODES_MAX * (SL_NODE_JSON_BYTES_MAX + SL_ETCD_KEY_BYTES_MAX) <=
                  SL_DOOR_MESSAGE_BYTES_MAX,
              "all records fit an answer");

/* Rows */
enum {
    SL_DECIMAL_DIGITS_MAX = 81,     /* of one decimal: nine words of nine */
    SL_BINARY_JSON_DEPTH_MAX = 100, /* objects and arrays within each other, as TiDB bounds it */
};

/* Zones */
enum {
    SL_ZONE_NAME_BYTES_MAX = 64,      /* terminator included */
    SL_ZONE_FILE_BYTES_MAX = 1 << 16, /* of the tz database; the largest take less than 4 KiB */
};

/* Timestamps */
enum {
    SL_TSO_COUNT_MAX = 1 << 16, /* asked for at once */
    SL_TSO_WINDOW_MS = 3000,    /* how far ahead of use the local door promises durably */
};
/* Merge */
enum {
    SL_MERGE_SOURCES_MAX = 1024,        /* a pump's shards or a cluster's pumps */
    SL_MERGE_BLOCK_ITEMS_MAX = 1 << 16, /* descriptors of one block */
};

/* Index */
enum {
    SL_INDEX_SHARDS_MAX = 64,
    SL_INDEX_CURSORS_MAX = 1100,          /* open at one time: pullers times shards */
    SL_INDEX_CUT_ITEMS_MAX = 4096,        /* of each kind in one cut */
    SL_INDEX_CACHE_BYTES = 16 << 20,      /* default size of WiredTiger's cache */
    SL_INDEX_PLAIN_BYTES_MAX = 256 << 20, /* the file of the plain engine */
};
/* A cut stays in the cache until it is committed; an item takes less than 256 bytes there. */
static_assert(3 * SL_INDEX_CUT_ITEMS_MAX * 256 <= SL_INDEX_CACHE_BYTES / 4, "a cut fits the cache");
/* Storage: the value log. A segment must hold the largest record; the smallest size, for tests
 * only, holds small ones and refuses the rest. */
enum {
    SL_VLOG_SEGMENT_BYTES_MIN = 1 << 16,
    SL_VLOG_SEGMENT_BYTES_DEFAULT = 1 << 28,
    SL_VLOG_SEGMENT_BYTES_MAX = 1 << 30,
    SL_VLOG_SEGMENTS_MAX = 1 << 20, /* of one log at one time */
    SL_VLOG_NUMBER_MAX = 99999999,  /* of a segment: eight digits of its file name */
    SL_VLOG_PAYLOAD_BYTES_MAX =
        1 << 24,                        /* of one record; larger entities have files of their own */
    SL_VLOG_BATCH_BYTES_MAX = 5 << 22,  /* one append, headers included: 20 MiB */
    SL_VLOG_BATCH_KEEP_BYTES = 1 << 22, /* a larger batch buffer is given back after use */
    SL_VLOG_SPARES_MAX = 2,             /* removed segments kept to be written again */
    SL_VLOG_WINDOW_BYTES = 1 << 20,     /* read at once when reading in order */
    SL_VLOG_READER_FILES_MAX = 8,       /* segments one reader holds open */
    SL_VLOG_SHARDS_MAX = 256,           /* of one pump */
};
static_assert(SL_VLOG_PAYLOAD_BYTES_MAX + 4096 <= SL_VLOG_BATCH_BYTES_MAX,
              "a batch takes a record");
static_assert(SL_VLOG_BATCH_BYTES_MAX + 4096 <= SL_VLOG_SEGMENT_BYTES_DEFAULT, "a segment a batch");

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
    SL_BIRTH_NOTIFY_MS = 3000,   /* a drainer may take to answer Notify */
    SL_BIRTH_RETRY_MS = 1000,    /* between two rounds */
    SL_BIRTH_DEAD_MS = 30000,    /* a drainer whose record stands still so long is not waited for */
    SL_PUMP_CLUSTER_TRIES = 100, /* to reach the cluster at start, as the original */
    SL_PUMP_CLUSTER_RETRY_MS = 1000, /* between two of them */
    SL_PUMP_LEAVE_MS = 1000,         /* between two looks whether all is consumed */
    SL_PUMP_TELL_MS = 10000,         /* between two lines about what is waited for */
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
    SL_GC_STRETCH_MS = 60000,      /* commit ts that are looked at as one */
    SL_GC_SCAN_ITEMS = 1 << 14,    /* index entries read in one turn */
    SL_GC_PERIOD_MS = 3600 * 1000, /* between two rounds */
    SL_GC_MARGIN_MS = 600 * 1000,  /* what is younger than the gc point less this is kept */
    SL_CHECKPOINT_MS = 3000,       /* between two checkpoints of the index */
    SL_SPACE_MS = 3000,            /* between two looks at the free space */
};

/* Pump: its entrance */
enum {
    SL_PULL_PEER_BYTES_MAX = 128, /* of a peer's address in logs, terminator included */
    SL_PUMP_SESSION_HELD = 2048,  /* writes a session holds that have not entered the line */
    SL_PUMP_AHEAD_MS = 60 * 1000, /* a commit ts may be above the newest timestamp known */
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

/* Listeners: connections and their gateway */
enum {
    SL_GATEWAY_ACCEPTS = 64,              /* accepted before others have their turn */
    SL_GATEWAY_RETRY_MS = 100,            /* after an accept that failed */
    SL_CONNECTION_READ_BYTES = 1 << 16,   /* an input buffer */
    SL_CONNECTION_READ_ROOM = 1 << 12,    /* with less room left in it, a new one is taken */
    SL_CONNECTION_READ_BUDGET = 1 << 18,  /* read before others have their turn */
    SL_CONNECTION_WRITE_BUDGET = 1 << 20, /* written likewise */
    SL_CONNECTION_SNIFF_S = 10,           /* for the first bytes, which say what it speaks */
    SL_CONNECTION_PING_S = 2 * 60 * 60,   /* of silence, then a sign of life is asked for, */
    SL_CONNECTION_PONG_S = 20,            /* and has so long */
    SL_CONNECTION_STOP_S = 10,            /* what is under way may take at a stop */
    SL_CONNECTION_LINGER_MS = 1000,       /* the peer may take to close when all is said */
};
static_assert((int)SL_CONNECTION_READ_ROOM < (int)SL_CONNECTION_READ_BYTES,
              "else each read takes a buffer");
/* Regular expressions of filters */
enum {
    SL_PATTERN_BYTES_MAX = 1 << 12,
    SL_PATTERN_STEPS_MAX = 1000000, /* of one search; then it is given up */
    SL_PATTERN_HEAP_KIB = 4096,     /* likewise */
};

/* Drainer: configuration, and its entrance */
enum {
    SL_DRAINER_TXN_BATCH_MAX = 1 << 16, /* row changes of one downstream transaction */
    SL_DRAINER_BUDGET_BYTES_MIN = 16 << 20,
    SL_DRAINER_WORKERS_MAX = 128,     /* connections that write downstream at one time */
    SL_DRAINER_CONNECTIONS_MAX = 256, /* sessions; one more is closed at once */
    SL_DRAINER_STREAMS_MAX = 16,      /* calls open on one connection */
    SL_DRAINER_NOTIFY_CREDITS = 256,  /* pumps that wait to be known; one more is told to retry */
    SL_DRAINER_HTTP_CREDITS = 64,     /* requests to the admin port being answered */
    SL_DRAINER_HEARTBEAT_MS = 1000,   /* between two updates of the registry, as the original */
    SL_DRAINER_TELL_MS = 10000,       /* between two lines about what goes wrong or how it goes */
    SL_DRAINER_SAMPLE_MS = 1000,      /* between two looks at what is counted, */
    SL_DRAINER_SAMPLES = 10,          /* of which so many make a rate */
};
static_assert((int)SL_DRAINER_WORKERS_MAX < (int)SL_THREADS_MAX, "a worker has a thread");

/* The program sluice: recordings, and the calls that it has open */
enum {
    SL_CORPUS_BYTES_MAX = 1 << 30, /* of one recording, unpacked; it is held in one buffer */
    SL_CORPUS_RECORDS_MAX = 1 << 24,
    SL_WRITER_PUMPS_MAX = 256,
    SL_WRITER_CONNECTIONS_MAX = 64,                                  /* to one pump */
    SL_WRITER_CHANNELS_MAX = SL_NET_WAIT_MAX / SL_CHANNEL_WAITS_MAX, /* to all pumps */
    SL_WRITER_CALLS_MAX = 256, /* open at one time on one connection */
    SL_WRITER_WAIT_MS = 100,   /* the longest time in which no signal is looked at */
    SL_LOAD_CALLERS_MAX = 1 << 14,
    SL_LOAD_SIZE_MAX = SL_BUF_BYTES_MAX - (1 << 20), /* payload of one generated prewrite */
    SL_DDL_HISTORY_BYTES_MAX = 1 << 26,              /* of the file that load appends to */
    SL_REPLAY_AHEAD_MAX = 4096, /* how many records prewrites may run ahead of commits */
};
static_assert((int)SL_WRITER_CALLS_MAX < (int)SL_H2_STREAMS_MAX, "a connection takes the calls");
static_assert((int)SL_LOAD_CALLERS_MAX <= (int)SL_TSO_COUNT_MAX, "one question serves all callers");
static_assert((int)SL_CORPUS_BYTES_MAX <= (int)SL_BUF_BYTES_MAX, "a recording is one buffer");
/* Storage: the savepoint */
enum { SL_SAVEPOINT_BYTES_MAX = 4096 };
/* Storage: large entities */
enum {
    SL_LARGE_CHUNK_BYTES = 1 << 20, /* verified as one; what a reader holds */
    SL_LARGE_CHUNKS_MAX = 1 << 12,  /* of one file: 4 GiB, more than any gRPC message */
    SL_LARGE_SYNC_BYTES = 64 << 20, /* written to a file, then it is synced */
    SL_LARGE_FILES_MAX = 1 << 16,   /* of one folder at one time */
    SL_LARGE_RECORD_BYTES = 48,     /* of a reference, beside what it repeats of the record */
};
static_assert(SL_RECORD_REST_BYTES_MAX + SL_LARGE_RECORD_BYTES <= SL_VLOG_PAYLOAD_BYTES_MAX,
              "a reference is a payload");

/* Drainer: actors and lines */
enum {
    SL_DRAINER_SOURCES_MAX = 64,      /* pumps, and pumps that have left and may return */
    SL_DRAINER_BLOCK_ITEMS = 256,     /* transactions from source to merger at once */
    SL_DRAINER_BLOCK_CREDITS = 4,     /* blocks of one source on their way or being merged */
    SL_DRAINER_BLOCK_BYTES = 8 << 20, /* of their records */
    SL_SOURCE_BLOCKS = 32,            /* a source holds while its line is full */
    SL_SOURCE_RETRY_MS = 1000,        /* from the end of a stream to the next, as the original */
    SL_WINDOW_TXNS = 256,             /* transactions of one window */
    SL_WINDOW_BYTES = 1 << 20,        /* of their records; one alone may be larger */
    SL_WINDOW_CREDITS = 64,           /* windows between merger and downstream */
    SL_WINDOW_LINE_BYTES = 64 << 20,  /* of their records */
    SL_DRAINER_MARK_MS = 200,         /* between two windows that only say how far all is */
    SL_FENCE_MS = 5,                  /* between two fences while transactions wait for one, */
    SL_FENCE_IDLE_MS = 100,           /* while none does, */
    SL_FENCE_SLOW_MS = 1000,          /* and while a pump is waited for */
    SL_COLLECTOR_RETRY_MS = 1000,     /* between two tries at the registry */
    SL_HISTORIAN_RETRY_MS = 50,       /* between two looks for a DDL job */
    SL_HISTORIAN_PATIENCE = 40,       /* looks, then it is said that one is missing */
    SL_DRAINER_DECODERS_MAX = 16,
    SL_PART_CREDITS = 8,             /* parts of one worker on their way or being applied */
    SL_KEEP_CREDITS = 3,             /* a description, a checkpoint, a DDL */
    SL_SAVE_MS = 1000,               /* between two checkpoints */
    SL_APPLY_RETRY_MS_MIN = 5,       /* between the first two tries at the downstream, */
    SL_APPLY_RETRY_MS = 1000,        /* between later ones, each twice as long, */
    SL_APPLY_TRIES_QUIET = 3,        /* before it is said that one fails */
    SL_APPLY_HELD_MS = 5000,         /* and when somebody must mend something first */
    SL_DRAINER_STOP_MS = 4000,       /* what is in flight may take at a stop */
    SL_DRAINER_OPEN_TRIES = 100,     /* to reach what a start stands on, as the original */
    SL_DRAINER_OPEN_RETRY_MS = 1000, /* between two of them */
    SL_PART_ROWS_MAX = 1 << 14,      /* row changes of one part */
    SL_EARLY_JOBS_MAX = 64,          /* run before their binlogs came */
    SL_JOBS_ASKED_MAX = 1 << 16,     /* of one answer about versions */
    SL_ROW_LANES = 16,               /* for tables without a key; stands in progress tables */
    SL_KEY_PARTS_MAX = 16,           /* columns of one key */
    SL_KEYS_MAX = 128,               /* of one table, upstream's and downstream's */
    SL_CAUSALITY_ROOM_MIN = 1 << 12, /* keys in flight that the table begins with */
};
static_assert(SL_IS_POWER_OF_TWO(SL_CAUSALITY_ROOM_MIN), "a place is a mask away");
static_assert((int)SL_DRAINER_SOURCES_MAX < (int)SL_MERGE_SOURCES_MAX, "and the fence");
static_assert((int)SL_DRAINER_BLOCK_ITEMS <= (int)SL_MERGE_BLOCK_ITEMS_MAX, "the merge takes one");
static_assert((SL_SOURCE_BLOCKS - 2) * SL_DRAINER_BLOCK_ITEMS * 9 > (int)SL_H2_WINDOW_BYTES,
              "what a window lets come fits: no record takes less than 9 bytes of it");
/* Passwords in configuration files */
SL_PASSWORD_BYTES_MAX = 1024,       /* as it is typed, terminator included */
    SL_CIPHERTEXT_BYTES_MAX = 2048, /* as it stands in a file, likewise */
    static_assert((SL_PASSWORD_BYTES_MAX + 32) / 3 * 4 + 8 < SL_CIPHERTEXT_BYTES_MAX,
                  "every password can be encrypted");

/* The program binlogctl */
SL_CTL_PROBE_MS = 2000,         /* a node may take to say how it is */
    SL_CTL_ACTION_MS = 10000,   /* a node may take to answer that it will stop */
    SL_CTL_ALIVE_MS = 10000,    /* a node whose record is younger is not given up: it runs */
    SL_CTL_POLL_MS = 200,       /* between two looks at the registry while waiting */
    SL_CTL_WORD_BYTES_MAX = 64, /* one word of a node about itself, terminator included */

#endif
