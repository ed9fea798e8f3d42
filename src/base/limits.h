#ifndef SL_BASE_LIMITS_H
#define SL_BASE_LIMITS_H

/* Every bound of the program, with the arithmetic that relates it to the others. Nothing queues, retries, names or
 * batches without a maximum that stands here. */

#include <assert.h>

/* A power of two, so that a ring index is a mask away. */
#define SL_IS_POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n)-1)) == 0)

/* Text */
enum {
    SL_WHY_BYTES_MAX = 512,   /* the reason of an error, terminator included */
    SL_PATH_BYTES_MAX = 4096, /* a file path, terminator included */
    SL_NAME_BYTES_MAX = 64,   /* an actor, line, pool or thread name */
    SL_ADDR_BYTES_MAX = 280,  /* "host:port" or "unix:/path", terminator included */
};

/* Crash report and trace */
enum {
    SL_TRACE_ENTRIES = 1024,     /* ring of one thread; 32 bytes each */
    SL_TRACE_DUMP_ENTRIES = 64,  /* per thread in a crash report */
    SL_TRACE_THREADS_MAX = 512,  /* threads that can have a ring */
    SL_SIGNAL_STACK_BYTES = 65536,
};
static_assert(SL_IS_POWER_OF_TWO(SL_TRACE_ENTRIES), "the ring index is masked");

/* Buffers and memory */
enum {
    SL_BUF_BYTES_MAX = 1 << 30,     /* one refcounted buffer */
    SL_ARENA_BLOCK_BYTES = 1 << 16, /* smallest block an arena takes from the heap */
};

/* Configuration */
enum {
    SL_CONF_FILE_BYTES_MAX = 1 << 20,
    SL_CONF_KEYS_MAX = 256,        /* rows of one configuration table */
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
    SL_METRIC_SERIES_MAX = 256, /* series of one family; more is a bug of ours */
    SL_METRIC_BUCKETS_MAX = 40, /* +Inf not counted */
};

/* State machines */
enum {
    SL_SM_STATES_MAX = 32, /* a state set is one 32-bit word */
};

/* Configuration: texts and nesting */
enum {
    SL_CONF_DEPTH_MAX = 32,      /* names and indexes above one value of a file */
    SL_CONF_KEY_BYTES_MAX = 256, /* a dotted key in a message, terminator included */
    SL_DURATION_TEXT_BYTES = 32, /* any duration as text, terminator included */
};

#endif
