#ifndef SL_ACTORS_PUMP_SESSION_PRIVATE_H
#define SL_ACTORS_PUMP_SESSION_PRIVATE_H

/* What the files of a session share:
 *
 *     session.c        the actor: mail; the connection itself is actors/common/connection.h
 *     session_grpc.c   calls: which, and to whom answers go
 *     session_check.c  is a write taken?
 *     session_write.c  WriteBinlog
 *     session_spool.c  WriteBinlog of what is too large to be held
 *     session_pull.c   PullBinlogs
 *     session_http.c   requests to the admin port
 *
 * Everything runs on the session's turns. */

#include <stdbool.h>
#include <stdint.h>

#include "actors/common/connection.h"
#include "actors/common/http_mail.h"
#include "actors/pump/messages.h"
#include "actors/pump/pump.h"
#include "actors/pump/topology.h"
#include "base/list.h"
#include "base/sm.h"
#include "binlog/record.h"
#include "binlog/record_stream.h"
#include "net/grpc.h"
#include "net/http.h"

/* ---- state ---- */

/* Writes that have not entered the line yet, and what they wait for. */
struct session_writes {
    struct sl_list queue;     /* of struct waiting_write: for room on the line, in order */
    struct sl_list permitted; /* likewise, with a permit: for a place among the questions */
    struct sl_list doubtful;  /* likewise: for the clock */
    struct sl_list unsized;   /* of struct session_call: large messages, for a permit */
    uint32_t       held;      /* in the first three */
    uint32_t       asked;     /* on their way */
    bool           awaits_open;
    bool           awaits_permit;
    bool           awaits_clock; /* its answer, or room on the line to it */
};

/* Large entities that wait for their turn. */
struct session_spools {
    struct sl_list waiting;       /* of struct session_call */
    bool           awaits_permit; /* for the first of them that is not in the list any more */
};

/* Streams. */
struct session_pulls {
    struct sl_list calls;       /* of struct session_call */
    uint32_t       pullers;     /* children alive */
    bool           awaits_open; /* SL_LINE_NEXT was full */
};

/* One connection. */
struct session {
    struct sl_connection       connection;
    struct sl_connection_rules rules;
    struct sl_grpc_options     grpc_options;
    struct sl_pump            *pump;
    bool                       is_unix;

    struct sl_buf        *empty; /* owned; a message of no bytes; once it speaks gRPC */
    struct session_writes writes;
    struct session_spools spools;
    struct session_pulls  pulls;

    struct sl_http_question *request; /* owned; waits for room on the line; or NULL */
};

/* What a call is for. */
enum session_call_kind { SESSION_WRITE, SESSION_PULL };

/* A large entity that comes in pieces; see session_spool.c. */
struct session_spool;

/* One call; lives until `over`. */
struct session_call {
    enum session_call_kind kind;
    struct session        *session;
    struct sl_grpc_call   *call;
    sl_nanos               began;
    struct sl_list_node    node; /* in unsized, in spools.waiting, or in pulls.calls */
    /* SESSION_WRITE */
    uint32_t              bytes;   /* of a message that does not come unasked; 0: it does */
    struct sl_permit      permit;  /* for the message that is coming */
    bool                  written; /* durable; the answer waits for room in the send queue */
    struct session_spool *spool;   /* owned; NULL: the message comes whole */
    /* SESSION_PULL */
    struct sl_ref         puller; /* nobody: not begun, or ended */
    uint32_t              asked;  /* for batches, not answered */
    uint32_t              batch_count;
    struct sl_pump_batch *batches[SL_PULL_AHEAD]; /* owned; not queued whole */
    uint32_t              batch_sent;             /* entities of the first */
    uint32_t              unsent;                 /* of an entity that goes in pieces */
    bool                  begun;
};

/* ---- tags: which question, for which call ---- */

/* In the upper half of a tag; the id of the call is the lower. */
enum session_topic {
    TOPIC_WRITE,  /* a write, or room on its line */
    TOPIC_PERMIT, /* for a large message */
    TOPIC_SPOOL,  /* a large entity, or its permit */
    TOPIC_PIECE,  /* of one */
    TOPIC_CLOCK,
    TOPIC_NEXT, /* a batch, or room on its line */
    TOPIC_HTTP,
    SESSION_TOPICS
};

static inline uint64_t session_tag(enum session_topic topic, uint32_t id)
{
    return (uint64_t)topic << 32 | id;
}
static inline enum session_topic session_tag_topic(uint64_t tag)
{
    return (enum session_topic)(tag >> 32);
}
static inline uint32_t session_tag_id(uint64_t tag)
{
    return (uint32_t)tag;
}

/* ---- session_grpc.c ---- */

/* The rules of the connection, as far as it may speak gRPC. */
void session_grpc_init(struct session *s);
/* The call of this id when it is of this kind and can still be answered, else NULL. */
struct session_call *session_find(struct session *s, uint32_t id, enum session_call_kind kind);

/* Text for calls that come too late. */
extern const char session_stopping_text[];

/* ---- session_check.c ---- */

/* Why a write is not taken. */
struct session_refusal {
    enum sl_pump_refusal reason;
    enum sl_grpc_status  status;
    struct sl_why        why; /* for the client, as it stands */
};

/* Is the write in this message taken now? If so, its payload (a part of the message) and its record
 * (which borrows from that) are set, else *out. */
bool session_check(const struct session *s, const struct sl_buf *message, struct sl_slice *payload,
                   struct sl_record *record, struct session_refusal *out);
/* The same for a request that comes in pieces, of so many bytes: at its beginning, as far as it is
 * known, and at its end, when *around is set. */
bool session_check_begin(const struct session *s, uint64_t cluster_id,
                         const struct sl_record *record, uint64_t bytes,
                         struct session_refusal *out);
bool session_check_end(const struct session *s, struct sl_write_stream *stream, uint64_t bytes,
                       struct sl_record_around *around, struct session_refusal *out);
/* Requests of more bytes come in pieces. */
uint32_t session_large_bytes(const struct session *s);
/* Too many bytes for what is to be done with them. Always false. */
bool session_check_too_large(uint64_t bytes, uint64_t max, struct session_refusal *out);
/* Is anything new taken? */
bool session_check_stopping(const struct session *s, struct session_refusal *out);
/* The status that tells a client of an error. */
enum sl_grpc_status session_status_of(enum sl_err err);

/* ---- session_write.c ---- */

void session_write_init(struct session *s);
/* A whole request. */
void session_write_message(struct session_call *call, struct sl_buf *message);
/* A large one begins. */
void session_write_sized(struct session_call *call, size_t bytes);
/* There is room in the send queue. */
void session_write_writable(struct session_call *call);
void session_write_over(struct session_call *call);
/* The answer to a write: an error and its text, or SL_OK. */
void session_write_answered(struct session *s, uint32_t id, enum sl_err err, const char *text);
/* The answer of the clock; ts is 0 after an error. */
void session_write_clock(struct session *s, sl_ts ts, enum sl_err err, const char *text);
/* SL_MSG_OPEN for SL_LINE_WRITE or SL_LINE_TS. */
void session_write_open(struct session *s);
void session_write_clock_open(struct session *s);
void session_write_granted(struct session *s, struct sl_msg *granted);
/* The same, for a write that the session does not count. */
void session_write_answer(struct session *s, uint32_t id, enum sl_err err, const char *text);
/* The answer to a write that is not even begun. */
void session_write_refuse(struct session_call *call, const struct session_refusal *refusal);
/* Drop what is held. */
void session_write_end(struct session *s);

/* ---- session_spool.c ---- */

void session_spool_init(struct session *s);
/* A message above session_large_bytes begins. */
void session_spool_sized(struct session_call *call, size_t bytes);
void session_spool_granted(struct session *s, struct sl_msg *granted);
/* The next piece of it, whose reference may be taken. */
void session_spool_piece(struct session_call *call, struct sl_buf **piece, size_t offset,
                         size_t total);
/* A piece is no longer held. */
void session_spool_taken(struct session *s, uint32_t id, size_t bytes);
void session_spool_over(struct session_call *call);

/* ---- session_pull.c ---- */

void session_pull_init(struct session *s);
void session_pull_message(struct session_call *call, struct sl_buf *message);
void session_pull_writable(struct session_call *call);
void session_pull_over(struct session_call *call);
/* The next entities, whose message is taken; or that there will be none. */
void session_pull_batch(struct session *s, uint32_t id);
void session_pull_failed(struct session *s, uint32_t id, const char *text);
/* SL_MSG_OPEN for SL_LINE_NEXT. */
void session_pull_open(struct session *s);
void session_pull_child_ended(struct session *s, const struct sl_child_ended *ended);
/* All streams end. */
void session_pull_stop(struct session *s);

/* ---- session_http.c ---- */

/* A request has come (struct sl_connection_rules). */
void session_http_request(void *context, const struct sl_http_request *request);
/* SL_MSG_OPEN for SL_LINE_HTTP. */
void session_http_open(struct session *s);

#endif
