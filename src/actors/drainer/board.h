#ifndef SL_ACTORS_DRAINER_BOARD_H
#define SL_ACTORS_DRAINER_BOARD_H

/* The notice board: facts that one actor of a drainer knows and many look at.
 *
 * Numbers are single atomics with one named writer each. Relaxed everywhere: no order between two
 * facts, or between a fact and a message, may be relied on. Words (how a part does and why, which
 * pump sits where) stand behind one small lock, which is never held while anything is waited for.
 *
 * How the drainer does is how its worst part does. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/ts.h"

/* The parts that may have to wait for something. */
enum sl_drainer_part {
    SL_DRAINER_PART_REGISTRY, /* reading it, and timestamps; collector */
    SL_DRAINER_PART_SPOOL,    /* writing large transactions to data-dir; spooler */
    SL_DRAINER_PART_MERGE,
    SL_DRAINER_PART_SCHEMA,
    SL_DRAINER_PART_STREAM, /* what came cannot be applied; dispatcher */
    SL_DRAINER_PART_APPLY,
    SL_DRAINER_PART_CHECKPOINT,
    SL_DRAINER_PART_HEARTBEAT, /* writing to the registry; registrar */
    SL_DRAINER_PARTS,
};

/* How a part does, from best to worst. */
enum sl_drainer_health {
    SL_DRAINER_RUNNING,
    SL_DRAINER_WAITING,  /* for another program, which may come by itself */
    SL_DRAINER_RETRYING, /* what failed may succeed */
    SL_DRAINER_HELD,     /* somebody must do something */
    SL_DRAINER_STOPPED,
};

/* "registry" and so on; "running" and so on. Static strings. */
const char *sl_drainer_part_name(enum sl_drainer_part part);
const char *sl_drainer_health_name(enum sl_drainer_health health);

/* Row changes that were applied, by what they were upstream. */
enum sl_drainer_row_kind {
    SL_DRAINER_ROWS_INSERTED,
    SL_DRAINER_ROWS_UPDATED,
    SL_DRAINER_ROWS_DELETED,
    SL_DRAINER_ROW_KINDS
};

/* How one part does. */
struct sl_drainer_note {
    enum sl_drainer_health health;
    enum sl_err            code;     /* SL_OK: it is well, or there is no code for it */
    int64_t                since_ms; /* wall clock */
    struct sl_why          why;      /* "" when it is running */
};

/* One pump of the merge. */
struct sl_drainer_seat {
    char          node_id[SL_NODE_ID_BYTES_MAX]; /* "": nobody */
    sl_ts         received;                      /* the newest commit ts; 0: none yet */
    struct sl_why why;                           /* what is wrong with its stream; "": nothing */
};

/* One per drainer. Numbers are 0 as long as nobody knows them. */
struct sl_drainer_board {
    _Atomic bool     is_open;        /* all that it stands on was reached; root */
    _Atomic uint32_t state;          /* enum sl_node_state; registrar */
    _Atomic int64_t  newest_ts;      /* from the timestamp door; collector */
    _Atomic uint64_t newest_at;      /* monotonic ns when it was got; collector */
    _Atomic int64_t  applied_ts;     /* everything at or below it is applied; dispatcher */
    _Atomic int64_t  saved_ts;       /* and the checkpoint says so; checkpointer */
    _Atomic int64_t  schema_version; /* of the checkpoint; checkpointer */
    _Atomic uint64_t success_at;     /* monotonic ns when something was applied; dispatcher */
    _Atomic uint64_t rows[SL_DRAINER_ROW_KINDS]; /* applied; dispatcher */
    _Atomic uint64_t transactions;               /* likewise */
    _Atomic uint64_t ddls;                       /* run; checkpointer */
    _Atomic uint32_t workers;                    /* that get changes; dispatcher */
    _Atomic uint32_t part_rows;                  /* row changes of one part; likewise */
    _Atomic uint64_t copies;                     /* equal transactions that came twice; merger */
    /* Windows that left the merger and are not applied, and bytes of their records: the merger
     * adds, the dispatcher takes off. */
    _Atomic uint64_t held_bytes;
    _Atomic uint64_t windows;

    /* The rest by the functions below. */
    const struct sl_env    *env;
    pthread_mutex_t         lock;
    struct sl_drainer_note  notes[SL_DRAINER_PARTS];
    struct sl_drainer_seat *seats; /* owned */
    uint32_t                seat_count;
    bool                    looked;   /* the pumps are known: a first pass is over */
    bool                    was_held; /* a part was, at some time */
    struct sl_why           held_why; /* the first time */
};

/* An empty board with room for so many pumps; env outlives it. Give it back with _done. */
void sl_drainer_board_init(struct sl_drainer_board *board, const struct sl_env *env,
                           uint32_t seats);
void sl_drainer_board_done(struct sl_drainer_board *board);

/* Say how a part does, and why when it is not well (NULL: ""). `code` may be SL_OK. What it has
 * been doing since stays as long as its health stays. Any thread. */
void sl_drainer_board_note(struct sl_drainer_board *board, enum sl_drainer_part part,
                           enum sl_drainer_health health, enum sl_err code, const char *reason);

/* What ran behind the front has ended, and begins again: no windows, no pumps, and nothing is wrong
 * with the parts that said so, but APPLY, until it has applied something. While none of them runs.
 */
void sl_drainer_board_restart(struct sl_drainer_board *board);

/* Was a part ever held? Then *why says what for, the first time. A part that tries again may be
 * well by now. Any thread. */
bool sl_drainer_board_was_held(struct sl_drainer_board *board, struct sl_why *why);

/* Pump node_id sits there from now on; NULL: nobody does. Any thread. */
void sl_drainer_board_seat(struct sl_drainer_board *board, uint32_t seat, const char *node_id);
/* What was received from there, and what is wrong with its stream (NULL or "": nothing). */
void sl_drainer_board_received(struct sl_drainer_board *board, uint32_t seat, sl_ts last,
                               const char *reason);
/* What is wrong with the stream of that seat; "": nothing. */
void sl_drainer_board_trouble(struct sl_drainer_board *board, uint32_t seat, struct sl_why *out);
/* All pumps that there are have been seated. */
void sl_drainer_board_looked(struct sl_drainer_board *board);

/* The note of the worst part, copied, and which it is. When all are running, *out has the time
 * since when. */
void sl_drainer_board_worst(struct sl_drainer_board *board, enum sl_drainer_part *part,
                            struct sl_drainer_note *out);

/* The seats that are taken, as a copy that the caller frees with free(); *count of them, sorted by
 * node id. NULL: there are none. *looked: see above. */
struct sl_drainer_seat *sl_drainer_board_seats(struct sl_drainer_board *board, uint32_t *count,
                                               bool *looked);

/* The cluster's clock, gone on by the monotonic one since it was asked, in physical milliseconds as
 * of `now` (monotonic); 0: not known yet. Any thread. */
int64_t sl_drainer_board_clock_ms(const struct sl_drainer_board *board, sl_nanos now);

/* How far behind the drainer is, in nanoseconds, never negative. The parts add up to the whole. */
struct sl_drainer_lag {
    bool     known; /* all of it */
    sl_nanos total; /* from the checkpoint to the cluster's clock */
    sl_nanos pull;  /* from the oldest thing that a pump has sent last, to that clock */
    sl_nanos apply; /* from the checkpoint to there */
};

/* As of `now` (monotonic). Unknown before there are a timestamp, a checkpoint and a pump. */
struct sl_drainer_lag sl_drainer_board_lag(struct sl_drainer_board *board, sl_nanos now);

#endif
