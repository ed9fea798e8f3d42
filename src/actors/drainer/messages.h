#ifndef SL_ACTORS_DRAINER_MESSAGES_H
#define SL_ACTORS_DRAINER_MESSAGES_H

/* What the actors of a drainer say to each other. One numbering for all of them. Who sends what
 * along which line: topology.h. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/drainer/front_messages.h"
#include "actors/drainer/window.h"
#include "base/buf.h"
#include "base/ts.h"
#include "binlog/merge.h"
#include "net/registry.h"
#include "runtime/msg.h"

struct sl_event_filter;
struct sl_filter;
struct sl_job;
struct sl_sink_table;

/* In the comments: Q asks a question, A is an answer, T is a timer's own. */
#define SL_DRAINER_MSG_TABLE(X)                                                                  \
    X(SL_DRAINER_BLOCK, "block")         /* source -> merger */                                  \
    X(SL_DRAINER_PIECE, "piece")         /* Q source -> spooler */                               \
    X(SL_DRAINER_SPOOLED, "spooled")     /* A struct sl_drainer_spooled */                       \
    X(SL_DRAINER_FENCE, "fence")         /* Q merger -> collector */                             \
    X(SL_DRAINER_FENCED, "fenced")       /* A struct sl_drainer_fenced */                        \
    X(SL_DRAINER_WINDOW, "window")       /* merger -> planner */                                 \
    X(SL_DRAINER_DECODE, "decode")       /* planner -> decoder */                                \
    X(SL_DRAINER_DISPATCH, "dispatch")   /* the same, on to the dispatcher */                    \
    X(SL_DRAINER_ASK_JOB, "ask-job")     /* Q planner -> historian */                            \
    X(SL_DRAINER_JOB, "job")             /* A struct sl_drainer_job */                           \
    X(SL_DRAINER_PART, "part")           /* Q dispatcher -> worker */                            \
    X(SL_DRAINER_DESCRIBE, "describe")   /* Q dispatcher -> checkpointer */                      \
    X(SL_DRAINER_DESCRIBED, "described") /* A struct sl_drainer_described */                     \
    X(SL_DRAINER_SAVE, "save")           /* Q dispatcher -> checkpointer */                      \
    X(SL_DRAINER_DDL, "ddl")             /* Q dispatcher -> checkpointer */                      \
    X(SL_DRAINER_DONE, "done")           /* A plain */                                           \
    X(SL_DRAINER_FILTER, "filter")       /* outside -> root -> planner */                        \
    X(SL_DRAINER_RETUNE, "retune")   /* outside -> root -> dispatcher: struct sl_drainer_tune */ \
    X(SL_DRAINER_TICK, "tick")       /* T */                                                     \
    X(SL_DRAINER_RETRY, "retry")     /* T */                                                     \
    X(SL_DRAINER_RESTART, "restart") /* T */

/* The numbers, made from the table, behind those of the front. */
enum sl_drainer_msg {
    SL_DRAINER_MSG_BEFORE = SL_DRAINER_FRONT_MSG_END - 1,
#define SL_DRAINER_MSG_MEMBER(code, text) code,
    SL_DRAINER_MSG_TABLE(SL_DRAINER_MSG_MEMBER)
#undef SL_DRAINER_MSG_MEMBER
        SL_DRAINER_MSG_END
};

/* Their names, for the msg_names of every class of the drainer. */
extern const char *const sl_drainer_msg_names[SL_DRAINER_MSG_END - SL_MSG_USER];

/* ---- in ---- */

/* What a pump sent: transactions in order, and a watermark. The merger keeps it until the merge has
 * given the block back. */
struct sl_drainer_block {
    struct sl_msg         hdr;
    uint32_t              input;
    sl_ts                 watermark; /* the pump has nothing more at or below it */
    struct sl_merge_block block;     /* of items; count 0: a watermark alone */
    struct sl_descriptor  items[SL_DRAINER_BLOCK_ITEMS]; /* held; owner is an owned reference */
};

/* An empty one. */
struct sl_drainer_block *sl_drainer_block_new(uint32_t input);

/* A piece of a message that is too large for memory. */
struct sl_drainer_piece {
    struct sl_msg  hdr;
    uint32_t       input;
    bool           is_first; /* of its message; what came before of another one is forgotten */
    bool           is_last;
    struct sl_buf *bytes;   /* owned */
    size_t         written; /* the spooler's */
};

/* One that takes the bytes. */
struct sl_drainer_piece *sl_drainer_piece_new(uint32_t input, struct sl_buf **bytes);

/* Answers it, when it is in the file; there is no other answer. */
struct sl_drainer_spooled {
    struct sl_msg  hdr;
    size_t         bytes; /* of the piece */
    struct sl_buf *whole; /* owned reference: the message; NULL: there are pieces to come */
};

/* An empty one. */
struct sl_drainer_spooled *sl_drainer_spooled_new(void);

/* "A timestamp, and the pumps there are": asks for a fence at or above `wanted`, which may come
 * below it; then ask again. */
struct sl_drainer_fence {
    struct sl_msg hdr;
    sl_ts         wanted;
};

/* Answers it. A pump that is not in the list can only get transactions above `fence`: the timestamp
 * was fetched before the listing. */
struct sl_drainer_fenced {
    struct sl_msg       hdr;
    sl_ts               fence;
    struct sl_node_list pumps;      /* owned */
    int64_t            *removed_ms; /* owned, by pump: purge.h; NULL: nobody asked */
};

/* An empty one. */
struct sl_drainer_fenced *sl_drainer_fenced_new(void);

/* ---- windows ---- */

/* A window on its way; hdr.bytes is its `bytes`. */
struct sl_drainer_window {
    struct sl_msg     hdr;
    struct sl_window *window; /* owned */
};

/* A message of that type that takes the window. */
struct sl_drainer_window *sl_drainer_window_new(unsigned type, struct sl_window **window);

/* Other filters, from a transaction on that the planner chooses and tells. */
struct sl_drainer_filter {
    struct sl_msg           hdr;
    struct sl_filter       *filter;       /* owned; may be taken */
    struct sl_event_filter *event_filter; /* likewise */
};

/* One that takes both. */
struct sl_drainer_filter *sl_drainer_filter_new(struct sl_filter       **filter,
                                                struct sl_event_filter **event_filter);

/* Which jobs are there? With job_id that one, as soon as there is one, behind those of lower schema
 * versions above `above`; without, all whose version is above `above` and at most `up_to`. */
struct sl_drainer_ask_job {
    struct sl_msg hdr;
    int64_t       job_id; /* 0: by version */
    int64_t       above;
    int64_t       up_to;
};

/* The jobs, by schema version. */
struct sl_drainer_job {
    struct sl_msg   hdr;
    struct sl_job **jobs; /* owned, each of them too; may be taken */
    uint32_t        count;
};

/* An empty one. */
struct sl_drainer_job *sl_drainer_job_new(void);
/* Add a job, which is taken. */
void sl_drainer_job_add(struct sl_drainer_job *answer, struct sl_job **job);

/* ---- out ---- */

/* Changes for one worker, in order. Answered DONE when they are durable in the downstream; there is
 * no other answer, since a worker tries until it can. */
struct sl_row_part {
    struct sl_msg                   hdr;
    const struct sl_window         *window;      /* borrowed until it is answered */
    uint32_t                        count;       /* 0: it only ends what was open */
    const struct sl_window_change **changes;     /* in the window's arena */
    uint32_t                        rows_max;    /* of what is applied together, this part first */
    uint32_t                        workers;     /* so many are in use: which lanes are whose */
    uint32_t                        arrangement; /* raised with each other number of them */
    /* With kept transactions: its transaction goes on in the next part. Then done only means that
     * this part is needed no more; the answer to the last one means durable, for all of them. */
    bool is_open;
};

/* What does the downstream's table of that name look like? Answered DESCRIBED. */
struct sl_drainer_describe {
    struct sl_msg    hdr;
    struct sl_table *table; /* owned reference */
};

/* A DESCRIBE that takes a reference of its own. */
struct sl_drainer_describe *sl_drainer_describe_new(const struct sl_table *table);

/* Answers it. */
struct sl_drainer_described {
    struct sl_msg         hdr;
    struct sl_table      *table;     /* owned reference: the one that was asked about */
    struct sl_sink_table *described; /* owned reference */
};

/* An empty one. */
struct sl_drainer_described *sl_drainer_described_new(void);

/* Everything at or below ts is applied. Answered DONE when that is durable. */
struct sl_drainer_save {
    struct sl_msg hdr;
    sl_ts         ts;
    int64_t       schema_version;
    bool          is_last; /* of an orderly end: nothing above ts is applied */
};

/* Run this DDL; everything before it is applied. Answered DONE when it has taken effect and the
 * checkpoint says so. */
struct sl_drainer_ddl {
    struct sl_msg               hdr;
    const struct sl_window_ddl *ddl;            /* borrowed until it is answered */
    int64_t                     schema_version; /* of the newest job that was run before */
};

#endif
