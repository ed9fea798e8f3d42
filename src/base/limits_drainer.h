#ifndef SL_BASE_LIMITS_DRAINER_H
#define SL_BASE_LIMITS_DRAINER_H

/* The bounds of the drainer; a part of base/limits.h, which includes it behind what it relates to.
 * */

#include <assert.h>

/* Drainer: configuration, and its entrance */
enum {
    SL_DRAINER_TXN_BATCH_MAX = 1 << 16, /* row changes of one downstream transaction */
    SL_DRAINER_BUDGET_BYTES_MIN = 16 << 20,
    SL_DRAINER_WORKERS_MAX = 128, /* connections that write downstream at one time */
    SL_SINK_CONNECTIONS_MAX = SL_DRAINER_WORKERS_MAX + 3, /* and for book, checkpoint, DDL */
    SL_DRAINER_CONNECTIONS_MAX = 256,                     /* sessions; one more is closed at once */
    SL_DRAINER_STREAMS_MAX = 16,                          /* calls open on one connection */
    SL_DRAINER_NOTIFY_CREDITS = 256, /* pumps that wait to be known; one more is told to retry */
    SL_DRAINER_HTTP_CREDITS = 64,    /* requests to the admin port being answered */
    SL_DRAINER_HEARTBEAT_MS = 1000,  /* between two updates of the registry, as the original */
    SL_DRAINER_TELL_MS = 10000,      /* between two lines about what goes wrong or how it goes */
    SL_DRAINER_SAMPLE_MS = 1000,     /* between two looks at what is counted, */
    SL_DRAINER_SAMPLES = 10,         /* of which so many make a rate */
};
static_assert((int)SL_DRAINER_WORKERS_MAX < (int)SL_THREADS_MAX, "a worker has a thread");

/* Drainer: actors and lines. The bytes of lines are those at the default budget. At others they are
 * in proportion to what is left of it beside the program: half is for what is decoded, an eighth
 * for windows that wait for that, the rest for what sources and the merge have (three blocks of
 * each pump), for SQL under way, and for what malloc cannot give back. */
enum {
    SL_DRAINER_BUDGET_BYTES = 512 << 20, /* the default */
    SL_DRAINER_LINE_BYTES_MAX = 1 << 30, /* of one line at any budget */
    SL_DRAINER_PROGRAM_BYTES = 24 << 20, /* at rest; of a small budget half */
    SL_DRAINER_SOURCES_MAX = 64,         /* pumps, and pumps that have left and may return */
    SL_DRAINER_BLOCK_ITEMS = 256,        /* transactions from source to merger at once */
    SL_DRAINER_BLOCK_CREDITS = 4,        /* blocks of one source on their way or being merged */
    SL_DRAINER_BLOCK_BYTES = 8 << 20,    /* of their records; what is larger alone is spooled, */
    SL_SPOOL_BYTES = 16 << 20,           /* at the latest from here on */
    SL_PIECE_BYTES = 1 << 20,            /* as which it comes, */
    SL_PIECE_CREDITS = 4,                /* so many at one time */
    SL_SPOOL_RETRY_MS = 1000,            /* between two tries to write one */
    SL_SOURCE_BLOCKS = 32,               /* a source holds while its line is full */
    SL_SOURCE_RETRY_MS = 1000,           /* from the end of a stream to the next, as the original */
    SL_PURGE_ASK_MS = 1000,              /* a pump may take to say what it has removed, */
    SL_PURGE_ANSWER_BYTES_MAX = 4 << 20, /* in its /metrics */
    SL_SOURCE_SILENT_MS = 15000,         /* without a word it is told that a pump is waited for */
    SL_WINDOW_TXNS = 256,                /* transactions of one window */
    SL_WINDOW_BYTES = 1 << 20,           /* of their records; one alone may be larger */
    SL_WINDOW_CREDITS = 64,           /* windows that wait for the planner, and behind it as many */
    SL_WINDOW_LINE_BYTES = 64 << 20,  /* of the records of the former */
    SL_WINDOW_PLAN_BYTES = 4 << 20,   /* of the rows of one behind it when decoded, at most */
    SL_WINDOW_SHARE = 16,             /* and of the line: so that several are on their way */
    SL_DECODE_LINE_BYTES = 256 << 20, /* of the rows of the latter */
    SL_ROW_CHECK_BYTES = 16 << 20,    /* of a mutation that are looked through in one turn */
    SL_DRAINER_MARK_MS = 200,         /* between two windows that only say how far all is */
    SL_FENCE_MS = 5,                  /* between two fences while transactions wait for one, */
    SL_FENCE_IDLE_MS = 100,           /* while none does, */
    SL_FENCE_SLOW_MS = 1000,          /* and while a pump is waited for */
    SL_COLLECTOR_RETRY_MS = 1000,     /* between two tries at the registry */
    SL_HISTORIAN_RETRY_MS = 50,       /* between two looks for a DDL job */
    SL_HISTORIAN_GRACE = 20,          /* looks for a version that a living TiDB may yet tell */
    SL_HISTORIAN_PATIENCE = 40,       /* looks, then it is said that one is missing */
    SL_PLANNER_LOOKS_MAX = 200,       /* for the job of a table; then the stream is held */
    SL_DRAINER_DECODERS_MAX = 16,
    SL_PART_CREDITS = 8,             /* parts of one worker on their way or being applied */
    SL_KEEP_CREDITS = 3,             /* a description, a checkpoint, a DDL */
    SL_DRAINER_RELOAD_CREDITS = 4,   /* filters and knobs of two reloads on their way */
    SL_SAVE_MS = 1000,               /* between two checkpoints, */
    SL_SAVE_SOON_MS = 100,           /* when rows were applied and none are in flight */
    SL_APPLY_RETRY_MS_MIN = 5,       /* between the first two tries at the downstream, */
    SL_APPLY_RETRY_MS = 1000,        /* between later ones, each twice as long, */
    SL_APPLY_TRIES_QUIET = 3,        /* before it is said that one fails */
    SL_APPLY_HELD_MS = 5000,         /* and when somebody must mend something first */
    SL_DRAINER_STOP_MS = 3000,       /* what is in flight may take at a stop */
    SL_DRAINER_OPEN_RETRY_MS = 1000, /* between two tries to reach what a start stands on */
    SL_PART_ROWS_MAX = 1 << 14,      /* row changes of one part */
    SL_EARLY_JOBS_MAX = 64,          /* run before their binlogs came */
    SL_JOBS_ASKED_MAX = 1 << 16,     /* of one answer about versions */
    SL_ROW_LANES = 16,               /* for tables without a key; stands in progress tables */
    SL_KEY_PARTS_MAX = 16,           /* columns of one key */
    SL_KEYS_MAX = 128,               /* of one table, upstream's and downstream's */
    SL_CAUSALITY_ROOM_MIN = 1 << 12, /* keys in flight that the table begins with */
};
static_assert((long)SL_DRAINER_BLOCK_BYTES * (SL_DRAINER_BUDGET_BYTES_MIN / 2) /
                      (SL_DRAINER_BUDGET_BYTES - SL_DRAINER_PROGRAM_BYTES) >=
                  (long)SL_H2_WINDOW_BYTES,
              "at any budget a line takes what comes unasked");
static_assert((int)SL_PIECE_BYTES <= (int)SL_GRPC_PIECE_BYTES_MAX, "a piece is one of gRPC");
static_assert(SL_IS_POWER_OF_TWO(SL_CAUSALITY_ROOM_MIN), "a place is a mask away");
static_assert((int)SL_DRAINER_SOURCES_MAX < (int)SL_MERGE_SOURCES_MAX, "and the fence");
static_assert((int)SL_DRAINER_BLOCK_ITEMS <= (int)SL_MERGE_BLOCK_ITEMS_MAX, "the merge takes one");
static_assert((SL_SOURCE_BLOCKS - 2) * SL_DRAINER_BLOCK_ITEMS * 9 > (int)SL_H2_WINDOW_BYTES,
              "what a window lets come fits: no record takes less than 9 bytes of it");

#endif
