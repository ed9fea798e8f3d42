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
    SL_BUF_BYTES_MAX = 1 << 30,      /* one refcounted buffer */
    SL_ENV_OS_BLOCK_BYTES = 1 << 18, /* of malloc: from here on it is the system's own, */
    SL_ENV_OS_HEAPS = 4,             /* below it is of one of so many heaps */
    SL_ARENA_BLOCK_BYTES = 1 << 16,  /* smallest block an arena takes from the heap */
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
    SL_TIKV_LOCK_PAUSE_MS = 20, /* the same for a key that is locked */
    SL_TIKV_LOCK_PAUSE_MS_MAX = 3000,
    SL_TIKV_SCAN_PAIRS = 256, /* of a snapshot, in one answer */
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
    SL_KNOBS_MAX = 8,       /* of one program */
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
    SL_HISTORY_MARGIN = 256,          /* jobs that may end before one that was there first */
    SL_HISTORY_BYTES_MAX = 256 << 20, /* of its answer; only old TiDB answers with all jobs */
    SL_HISTORY_ASK_S = 60,            /* for one answer */
    SL_RENAMES_MAX = 1 << 12,         /* of one statement */
    SL_TABLE_COLUMNS_MAX = 1 << 13,
    SL_TABLE_INDEXES_MAX = 1 << 11,
    SL_TABLE_ELEMENTS_MAX = 1 << 16, /* of one ENUM */
    SL_TABLE_PARTITIONS_MAX = 1 << 15,
    SL_SCHEMA_VERSIONS_KEPT = 2, /* of a table: online DDL has no more than neighbours in use */
    SL_SCHEMA_STORE_BYTES_MAX = 512 << 20, /* all tables as bytes */
    SL_DDL_BYTES_MAX = 8 << 20,            /* the text of one DDL */
    SL_DDL_DISTINCT_MAX = 64,              /* objects of one DDL that are told from each other */
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
    SL_LOAD_ROWS_MAX = 1 << 20,                      /* of one */
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

/* Passwords in configuration files */
enum {
    SL_PASSWORD_BYTES_MAX = 1024,   /* as it is typed, terminator included */
    SL_CIPHERTEXT_BYTES_MAX = 2048, /* as it stands in a file, likewise */
};
static_assert((SL_PASSWORD_BYTES_MAX + 32) / 3 * 4 + 8 < SL_CIPHERTEXT_BYTES_MAX,
              "every password can be encrypted");

/* The program binlogctl */
enum {
    SL_CTL_PROBE_MS = 2000,        /* a node may take to say how it is */
    SL_CTL_ACTION_MS = 10000,      /* a node may take to answer that it will stop */
    SL_CTL_ALIVE_MS = 10000,       /* a node whose record is younger is not given up: it runs */
    SL_CTL_POLL_MS = 200,          /* between two looks at the registry while waiting */
    SL_CTL_KNOBS_BYTES_MAX = 2048, /* of what is set at one time, as JSON */
    SL_CTL_DIGITS_MAX = 18,        /* of a number that is set: it fits 64 bits */
    SL_CTL_WORD_BYTES_MAX = 64,    /* one word of a node about itself, terminator included */
};

/* The parts that stand on these. */
#include "base/limits_drainer.h"
#include "base/limits_pump.h"

#endif
