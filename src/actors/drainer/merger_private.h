#ifndef SL_ACTORS_DRAINER_MERGER_PRIVATE_H
#define SL_ACTORS_DRAINER_MERGER_PRIVATE_H

/* What the two files of the merger share: merger.c gives windows out, merger_pumps.c lets pumps in
 * and out. */

#include "actors/drainer/messages.h"
#include "actors/drainer/source.h"
#include "runtime/actor.h"

enum { FENCE = 0 /* its number in the merge: the first one added */ };

enum seat_state {
    SEAT_FREE,
    SEAT_UNCHECKED, /* what it has removed is not known yet */
    SEAT_PURGED,    /* it has removed what is behind our position */
    SEAT_PULLING,   /* has a source */
    SEAT_ENDING,    /* its source was told to stop */
    SEAT_WAITING,   /* for its restart */
    SEAT_LEAVING,   /* offline: what it sent is still being merged */
    SEAT_GONE,      /* offline, nothing left; remembered, should it return */
};

/* One pump. */
struct seat {
    struct sl_source_seat *shared; /* owned; what its source sees */
    enum seat_state        state;
    enum sl_node_state     node_state; /* as the registry said last */
    struct sl_ref          ref;
    sl_ts                  last;       /* taken of it */
    bool                   is_offline; /* leave when its source has ended */
    int64_t                removed_ms; /* purge.h, of the last listing */
    sl_nanos               heard_at;   /* when its source started, or it sent something */
    bool                   has_failed; /* a block of its source was refused: so are those behind */
    sl_nanos               restart_at;
    char                   next_host[SL_ADDR_BYTES_MAX]; /* the registry's, for the next source */
};

struct merger {
    struct sl_drainer   *drainer;
    struct sl_merge     *merge;
    struct seat          seats[SL_DRAINER_SOURCES_MAX];
    struct sl_descriptor ready[SL_DRAINER_BLOCK_ITEMS]; /* out of the merge; owner is owned */
    uint32_t             ready_at;
    uint32_t             ready_count;
    struct sl_descriptor emitted;     /* the last one, for copies of it; owner is owned */
    struct sl_window    *filling;     /* owned; NULL: none */
    uint64_t             block_bytes; /* that a block may have */
    uint64_t             seq;
    sl_ts                sent_ts; /* last_ts of the last window */
    sl_nanos             sent_at;
    bool                 is_line_full;
    bool                 is_fence_asked;
    bool                 has_fence;
    sl_ts                past; /* the first fence: a drainer before this one saw nothing above it */
    sl_nanos             fenced_at; /* when the last answer came */
    struct sl_timer      tick;
    bool                 is_held;
};

/* ---- merger_pumps.c ---- */

/* The pump that is input number `input` of the merge; NULL: none is, any more. */
struct seat *merger_seat_of(struct merger *m, uint32_t input);
/* Take in what the registry says of a pump, and what the pump says it has removed (purge.h). */
enum sl_err merger_look_at_pump(struct sl_ctx *ctx, struct merger *m, const struct sl_node *node,
                                int64_t removed_ms);
/* Hold the merge, because this pump has removed what is to be read. */
void merger_tell_gap(struct merger *m, const struct seat *seat);
/* What a source sent goes into the merge, or holds it. */
void merger_take_block(struct sl_ctx *ctx, struct merger *m);
/* A source has ended. */
enum sl_err merger_source_ended(struct sl_ctx *ctx, struct merger *m,
                                const struct sl_child_ended *ended);
/* Let those leave whose last transactions are merged; start again what is due. */
void merger_let_leave(struct merger *m);
void merger_restart_sources(struct sl_ctx *ctx, struct merger *m);
/* Transactions that sources have sent and the merge has not given out. */
uint64_t merger_pending(struct merger *m);
/* Nothing more is given out until somebody does something. */
void merger_hold(struct merger *m, const char *reason);
/* Free the blocks that the merge has done with. */
void merger_free_spent(struct merger *m);
/* At the end: take all out of the merge. */
void merger_close_pumps(struct merger *m);

#endif
