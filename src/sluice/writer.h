#ifndef SL_SLUICE_WRITER_H
#define SL_SLUICE_WRITER_H

/* Sends records to pumps as a TiDB does (pump spec 2.4 to 2.7): several calls at one time on
 * several connections, retries, and probes.
 *
 *     owner --writer_begin--> writer --WriteBinlog--> pump
 *           <--done---------        <--answer-------
 *
 * Unlike a TiDB, which may turn to another pump, a record stays with its pump through all retries:
 * a copy of a prewrite on a second pump would need a TiKV to be told from a living one, and there
 * is none behind a tool. All calls are made by one thread; only writer_step blocks. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "net/grpc.h"

struct writer;

/* How a record is retried. */
enum write_kind {
    WRITE_PREWRITE, /* spec 2.4: gap 100 ms, given up after the timeout and pumps + 2 attempts; at
                       once when the pump says that it is too large */
    WRITE_FINISH,   /* a commit or rollback, 2.7: gap 1 s, given up after 10 minutes */
    WRITE_PROBE,    /* the writer's own, 2.6: no retry */
};

/* One record on its way, embedded in its owner's struct. The owner sets the first three and leaves
 * them until `done`; the rest must be zero at first and is the writer's. */
struct write {
    struct sl_buf  *request; /* the whole WriteBinlogReq; the owner's reference */
    uint32_t        pump;    /* index */
    enum write_kind kind;
    /* To be read in `done`. */
    enum sl_err   err;   /* SL_OK: acknowledged; else given up, and `why` says why */
    sl_nanos      begun; /* when the first attempt was */
    uint32_t      attempts;
    struct sl_why why; /* of the last attempt that failed */
    /* The writer's own. */
    struct writer       *writer;
    struct connection   *connection; /* of the call */
    struct sl_grpc_call *call;       /* NULL between attempts */
    struct sl_buf       *unsent;     /* owned; NULL when the call has taken it */
    enum sl_grpc_status  status;     /* of the last attempt */
    sl_nanos             retry_at;
    struct sl_heap_node  timer; /* by retry_at */
    struct sl_list_node  over;  /* of attempts that ended and have not been judged */
};

/* All of it is borrowed for writer_new but `done` and its context. Times in nanoseconds. */
struct writer_options {
    const char *const *pumps;       /* addresses */
    uint32_t           pump_count;  /* 1..SL_WRITER_PUMPS_MAX */
    uint32_t           connections; /* to each pump; 1..SL_WRITER_CONNECTIONS_MAX, and to all of
                                       them at most SL_WRITER_CHANNELS_MAX */
    uint32_t           calls_max;   /* on each connection; 1..SL_WRITER_CALLS_MAX */
    uint64_t           cluster_id;
    sl_nanos           timeout;      /* of one attempt */
    sl_nanos           prewrite_gap; /* between attempts */
    sl_nanos           finish_gap;
    sl_nanos           probe_gap;    /* of a pump that fails */
    sl_nanos           finish_limit; /* from the first attempt until a commit is given up */
    /* The record is acknowledged or given up; the write is its owner's again, to be freed or begun
     * anew. May call any function but writer_step and writer_free. */
    void (*done)(void *context, struct write *write);
    void *context;
};

/* TiDB's times (pump spec 2.9). */
struct writer_options writer_options_default(void);

/* What has happened so far. */
struct writer_counts {
    uint64_t attempts; /* calls that failed are among them */
    uint64_t retries;
    uint64_t given_up;
    uint64_t probes;
    uint64_t probes_failed;
};

/* Connects to nobody yet. *out is the caller's. SL_INVALID: an address that is none. */
enum sl_err writer_new(const struct sl_env *env, const struct writer_options *options,
                       struct writer **out, struct sl_why *why);
/* Gives up what is under way without calling `done`. Nulls the pointer; *writer may be NULL. */
void writer_free(struct writer **writer);

/* May another record be begun for this pump? */
bool writer_has_room(const struct writer *writer, uint32_t pump);
/* Send a record; `done` follows out of writer_step. There must be room. */
void writer_begin(struct writer *writer, struct write *write);

/* Records that are begun and not done. */
uint32_t writer_busy(const struct writer *writer);
/* Move what can be moved; block for it until the moment `until`, or SL_WRITER_WAIT_MS. Calls `done`
 * for what has ended. */
void writer_step(struct writer *writer, sl_nanos until);

struct writer_counts writer_counts(const struct writer *writer);

#endif
