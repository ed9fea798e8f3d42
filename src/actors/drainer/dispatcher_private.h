#ifndef SL_ACTORS_DRAINER_DISPATCHER_PRIVATE_H
#define SL_ACTORS_DRAINER_DISPATCHER_PRIVATE_H

/* What the two files of the dispatcher share: dispatcher.c takes windows in their order and knows
 * what is done, dispatcher_parts.c hands changes to workers. */

#include "actors/drainer/causality.h"
#include "actors/drainer/drainer.h"
#include "actors/drainer/known_tables.h"
#include "actors/drainer/messages.h"
#include "runtime/actor.h"

/* What the checkpointer is asked has these tags; parts have their place in `open`. */
enum { TAG_DDL = 1 << 20, TAG_SAVE, TAG_DESCRIBE };

/* Changes of the present window for one worker. */
struct builder {
    const struct sl_window_change **changes; /* in the window's arena; NULL: none */
    uint32_t                        count;
    uint32_t                        room;
};

/* A part in flight. */
struct open_part {
    struct sl_window *window; /* NULL: the place is free */
    uint32_t          worker;
    uint32_t          count;
};

struct dispatcher {
    struct sl_drainer        *drainer;
    bool                      is_ordered;   /* the sink takes whole windows through one worker */
    bool                      is_kept;      /* upstream transactions are the downstream's */
    bool                      is_part_open; /* the last part sent; see struct sl_row_part */
    struct sl_drainer_window *ring[SL_WINDOW_CREDITS]; /* owned; by seq */
    uint64_t                  next_seq;                /* the first one not handed out whole */
    uint64_t                  done_seq;                /* the first one not done */
    struct sl_causality       causality;
    struct sl_known_tables    tables;
    struct builder            builders[SL_DRAINER_WORKERS_MAX];
    uint32_t                  workers;      /* that get changes: the first ones */
    uint32_t                  next_workers; /* when all in flight is applied; 0: as it is */
    uint32_t                  arrangement;  /* raised with each other number of them */
    uint32_t                  part_rows;    /* row changes of one part */
    uint32_t                  cursor;       /* the worker that gets changes nobody has keys of */
    struct open_part          open[SL_DRAINER_WORKERS_MAX * SL_PART_CREDITS];
    uint32_t                  open_count;
    bool                      is_line_full;
    bool                      is_ddl_asked;
    bool                      is_described; /* DESCRIBE is out */
    bool                      is_save_asked;
    /* A key was widened, or other workers come: first all in flight is applied. */
    bool            must_settle;
    bool            is_stopping;
    bool            is_last_saved;
    sl_ts           applied_ts;
    sl_ts           given_ts;  /* the highest commit ts of which a worker got rows */
    bool            is_past;   /* beyond all that a drainer before this one applied */
    bool            is_sealed; /* the checkpoint says that nothing above it is applied */
    int64_t         schema_version;
    sl_ts           asked_ts; /* the last SAVE */
    sl_nanos        saved_at;
    bool            has_unsaved_rows; /* applied since the last SAVE */
    struct sl_timer tick;
};

/* ---- dispatcher_parts.c ---- */

/* The downstream's table is known now. */
void dispatcher_take_table(struct dispatcher *d, const struct sl_drainer_described *answer);
/* Hand out the changes of the window in front of number `end`. False: it must wait. */
bool dispatcher_hand_out_rows(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                              uint32_t end);
/* With kept transactions: end the part of the transaction before number `txn` of the window, or the
 * last one that was open. False: it must wait. */
bool dispatcher_end_transaction(struct sl_ctx *ctx, struct dispatcher *d, struct sl_window *w,
                                uint32_t txn);
/* Put the numbers that are asked for on the board. */
void dispatcher_show(const struct dispatcher *d);
/* Go on with other numbers. */
void dispatcher_tune(struct dispatcher *d, const struct sl_drainer_tune *tune);
/* The part at that place of `open` is applied. */
void dispatcher_part_done(struct dispatcher *d, uint64_t place);
/* Nobody will say so: its window is never done. */
void dispatcher_part_gone(struct dispatcher *d, uint64_t place);

#endif
