#ifndef SL_ACTORS_PUMP_MESSAGES_H
#define SL_ACTORS_PUMP_MESSAGES_H

/* What the actors of a pump say to each other. One numbering for all of them, so that a message
 * that is forwarded, and an answer that is asked for by several, means the same everywhere. Who
 * sends what along which line: topology.h. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ts.h"
#include "net/node.h"
#include "runtime/msg.h"
#include "storage/index.h"
#include "storage/position.h"

/* In the comments: Q asks a question, A is an answer, T is a timer's own. */
#define SL_PUMP_MSG_TABLE(X)                                                                   \
    X(SL_PUMP_WRITE, "write")                   /* Q session, clock, resolver -> writer */     \
    X(SL_PUMP_SORT, "sort")                     /* the same message, on to the sorter */       \
    X(SL_PUMP_SPOOL, "spool")                   /* Q session -> spooler; on to the writer */   \
    X(SL_PUMP_PIECE, "piece")                   /* Q session -> spooler */                     \
    X(SL_PUMP_PIECE_TAKEN, "piece-taken")       /* A struct sl_pump_piece_taken */             \
    X(SL_PUMP_SPOOL_END, "spool-end")           /* session -> spooler: it came whole */        \
    X(SL_PUMP_SPOOL_DROP, "spool-drop")         /* session -> spooler: it will not */          \
    X(SL_PUMP_WRITTEN, "written")               /* A plain: it is durable */                   \
    X(SL_PUMP_FAILED, "failed")                 /* A struct sl_pump_failed: to any question */ \
    X(SL_PUMP_MARK, "mark")                     /* shard_writer -> sorters of other shards */  \
    X(SL_PUMP_CUT, "cut")                       /* sorter -> indexer */                        \
    X(SL_PUMP_WATCH, "watch")                   /* Q puller -> indexer */                      \
    X(SL_PUMP_WATERMARK, "watermark")           /* A struct sl_pump_watermark */               \
    X(SL_PUMP_NEXT, "next")                     /* Q session -> puller: plain */               \
    X(SL_PUMP_BATCH, "batch")                   /* A struct sl_pump_batch */                   \
    X(SL_PUMP_ASK_TS, "ask-ts")                 /* Q anybody -> clock: plain */                \
    X(SL_PUMP_TS, "ts")                         /* A struct sl_pump_ts */                      \
    X(SL_PUMP_ASK_ORPHANS, "ask-orphans")       /* Q resolver -> sorter: plain */              \
    X(SL_PUMP_ORPHANS, "orphans")               /* A struct sl_pump_orphans */                 \
    X(SL_PUMP_PUBLISH, "publish")               /* Q root -> registrar */                      \
    X(SL_PUMP_PUBLISHED, "published")           /* A plain: the registry has it */             \
    X(SL_PUMP_LEAVE, "leave")                   /* admin -> root */                            \
    X(SL_PUMP_HTTP_REQUEST, "request")          /* Q session -> admin: sl_http_question */     \
    X(SL_PUMP_HTTP_RESPONSE, "response")        /* A struct sl_http_answer */                  \
    X(SL_PUMP_GC, "gc")                         /* Q admin -> retention: plain */              \
    X(SL_PUMP_TRIM, "trim")                     /* Q retention -> indexer */                   \
    X(SL_PUMP_TRIMMED, "trimmed")               /* A struct sl_pump_trimmed */                 \
    X(SL_PUMP_CUT_LOG, "cut-log")               /* Q retention -> shard_writer */              \
    X(SL_PUMP_LOG_CUT, "log-cut")               /* A struct sl_pump_log_cut */                 \
    X(SL_PUMP_CUT_LARGE, "cut-large")           /* Q retention -> spooler */                   \
    X(SL_PUMP_DONE, "done")                     /* A plain */                                  \
    X(SL_PUMP_CHECKPOINT_DUE, "checkpoint-due") /* T */                                        \
    X(SL_PUMP_SPACE_DUE, "space-due")           /* T */                                        \
    X(SL_PUMP_SCRUB_DUE, "scrub-due")           /* T */                                        \
    X(SL_PUMP_TICK, "tick")                     /* T */                                        \
    X(SL_PUMP_RETRY, "retry")                   /* T */                                        \
    X(SL_PUMP_DUE, "due")                       /* T: something has its deadline now */

/* The numbers, made from the table; the first is SL_MSG_USER. */
enum sl_pump_msg {
    SL_PUMP_MSG_BEFORE = SL_MSG_USER - 1,
#define SL_PUMP_MSG_MEMBER(code, text) code,
    SL_PUMP_MSG_TABLE(SL_PUMP_MSG_MEMBER)
#undef SL_PUMP_MSG_MEMBER
        SL_PUMP_MSG_END
};

/* Their names, for the msg_names of every class of the pump. */
extern const char *const sl_pump_msg_names[SL_PUMP_MSG_END - SL_MSG_USER];

/* The question that was asked cannot be met. why.text is what a client is told, as it stands; with
 * SL_STOPPED, SL_GONE or SL_UNAVAILABLE it is told that another pump may do better. */
struct sl_pump_failed {
    struct sl_msg hdr;
    enum sl_err   err;
    struct sl_why why;
};

/* SL_PUMP_FAILED with err and why (copied; may be NULL: the text of err). */
struct sl_pump_failed *sl_pump_failed_new(enum sl_err err, const struct sl_why *why);

/* ---- writing ---- */

/* One record on its way: from its entrance to its place in the order. Whoever makes it fills the
 * first part; hdr.bytes is payload->len. Asked on SL_LINE_WRITE, SL_LINE_FAKE or SL_LINE_RESOLVE;
 * answered WRITTEN when it is durable, FAILED when it is not: then it may or may not be found
 * later, but whole. */
struct sl_pump_write {
    struct sl_msg  hdr;
    struct sl_buf *payload;  /* owned; the record as TiDB sent it. NULL once it is durable */
    bool           is_large; /* the payload is the reference to a large entity */
    uint64_t       serial;   /* of a large entity */
    int32_t        type; /* of enum sl_record_type, or unknown: stored and matched like a commit */
    sl_ts          start_ts;
    sl_ts          commit_ts;
    bool           verified; /* the resolver's: TiKV says so */
    sl_nanos       began;    /* when it had come, whole */
    /* Set by the shard writer, for the sorter. */
    struct sl_position position;
    sl_ts              newest; /* the newest commit ts that was durable in this pump when the shard
                                  took it in: a prewrite's own will be above (P4) */
};

/* A message for a record, which takes *payload. */
struct sl_pump_write *sl_pump_write_new(struct sl_buf **payload, int32_t type, sl_ts start_ts,
                                        sl_ts commit_ts);

/* ---- large entities ----
 *
 *     session ──SPOOL──► spooler          the write, which the spooler keeps
 *             ──PIECE──►                  again and again
 *             ──SPOOL_END─►               makes the payload: a reference to the file
 *                            ──WRITE──► shard_writer, which answers SPOOL as any write
 *
 * Each is named by a serial number of its own. A SPOOL is followed by END or DROP, exactly once,
 * also when it was answered by a failure before that. */

/* A SPOOL: a prewrite whose payload follows. Asked with a permit of SL_LINE_SPOOL. */
struct sl_pump_write *sl_pump_spool_new(uint64_t serial, sl_ts start_ts);

/* The next bytes of the request. */
struct sl_pump_piece {
    struct sl_msg  hdr;
    uint64_t       serial;
    struct sl_buf *bytes; /* owned */
};

/* A message that takes *bytes. */
struct sl_pump_piece *sl_pump_piece_new(uint64_t serial, struct sl_buf **bytes);

/* They are in the file, or nobody wants them. */
struct sl_pump_piece_taken {
    struct sl_msg hdr;
    size_t        bytes;
};

/* All pieces have been sent. What the request holds (storage/large.h). */
struct sl_pump_spool_end {
    struct sl_msg  hdr;
    uint64_t       serial;
    struct sl_buf *rest; /* owned */
    bool           has_value;
    uint64_t       value_at;
    uint64_t       value_bytes;
};

/* An END with a copy of the rest. */
struct sl_pump_spool_end *sl_pump_spool_end_new(uint64_t serial, struct sl_slice rest);

/* No more will come. */
struct sl_pump_spool_drop {
    struct sl_msg hdr;
    uint64_t      serial;
};

/* ---- what follows from a write ---- */

/* Another shard has made a commit ts durable. */
struct sl_pump_mark {
    struct sl_msg hdr;
    sl_ts         newest;
};

/* What a sorter found out since its last cut, to be applied as one (storage/index.h). */
struct sl_pump_cut {
    struct sl_msg hdr;
    /* Commits whose prewrite is not among the unresolved: the indexer looks whether they are
     * repeats before it stores them. */
    uint32_t                   entry_count;
    uint32_t                   orphan_count;
    uint32_t                   opened_count;
    uint32_t                   settled_count;
    struct sl_index_head       head;
    struct sl_index_entry      entries[SL_PUMP_CUT_ITEMS];
    struct sl_index_entry      orphans[SL_PUMP_CUT_ITEMS];
    struct sl_index_unresolved opened[SL_PUMP_CUT_ITEMS];
    int64_t                    settled[SL_PUMP_CUT_ITEMS];
};

/* ---- resolving ---- */

/* A prewrite whose outcome is to be looked for. */
struct sl_pump_orphan {
    sl_ts              start_ts;
    struct sl_position position;
    bool               rolled_back; /* so TiDB says */
    uint32_t           looks;       /* given out so often before; since TiDB said so, if it did */
};

/* Those that are due now; answers SL_PUMP_ASK_ORPHANS, which waits until there is at least one. The
 * question's tag says of which shard. */
struct sl_pump_orphans {
    struct sl_msg         hdr;
    uint32_t              count; /* 1..SL_PUMP_ORPHANS_ITEMS */
    struct sl_pump_orphan items[SL_PUMP_ORPHANS_ITEMS];
};

/* ---- pulling ---- */

/* "Tell me when your watermark is above this": answered with the watermark as soon as that is so,
 * or earlier (then ask again); above = -1 asks for the present one. */
struct sl_pump_watch {
    struct sl_msg hdr;
    sl_ts         above;
};

/* The index holds all that a reader up to `watermark` may see. The question's tag says which
 * shard. */
struct sl_pump_watermark {
    struct sl_msg hdr;
    sl_ts         watermark;
    uint64_t      log_end; /* offset in the shard's log: everything before it never changes */
};

/* The next entities of a stream, each an encoded PullBinlogResp; answers SL_PUMP_NEXT, which waits
 * until there is at least one. Or the next pieces of one that is too large to be held, the first,
 * second, ... of so many bytes: batch after batch until it is whole. */
struct sl_pump_batch {
    struct sl_msg  hdr;
    uint32_t       pieces_of;                     /* bytes of this one entity; 0: whole entities */
    uint32_t       count;                         /* 1..SL_PULL_BATCH_ITEMS */
    struct sl_buf *entities[SL_PULL_BATCH_ITEMS]; /* owned; whoever takes one sets it to NULL */
};

/* An empty batch. */
struct sl_pump_batch *sl_pump_batch_new(void);

/* ---- others ---- */

/* "Make this the pump's state": answered when the registry says so. `offline` is answered only when
 * every drainer has all there is (pump spec 4.6); a later question takes its place, and it is
 * answered FAILED with SL_STOPPED. */
struct sl_pump_publish {
    struct sl_msg      hdr;
    enum sl_node_state state;
};

/* "Stop": like a signal, or for good, when all is consumed. */
struct sl_pump_leave {
    struct sl_msg hdr;
    bool          for_good;
};

/* "Remove entries at or below up_to", at most SL_INDEX_CUT_ITEMS_MAX of them. */
struct sl_pump_trim {
    struct sl_msg hdr;
    sl_ts         up_to;
};

/* How many went (ask again while that is the most), and the least log offset that the shard's
 * unresolved prewrites and what is not indexed yet need. */
struct sl_pump_trimmed {
    struct sl_msg hdr;
    uint32_t      removed;
    uint64_t      oldest;
};

/* "Remove the segments that end at or before this offset", and, to the spooler: the large entities
 * whose records were before it. */
struct sl_pump_cut_log {
    struct sl_msg hdr;
    uint64_t      before;
};

/* Where the log begins now; 0: nobody knows. */
struct sl_pump_log_cut {
    struct sl_msg hdr;
    uint64_t      first;
};

/* A fresh timestamp. */
struct sl_pump_ts {
    struct sl_msg hdr;
    sl_ts         ts;
};

#endif
