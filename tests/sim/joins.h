#ifndef SL_TESTS_SIM_JOINS_H
#define SL_TESTS_SIM_JOINS_H

/* The three joins of the design as small models, under credits that are always exhausted: actors
 * that must wait for one of their inputs, while the others back up behind them.
 *
 *   merger   feeder[k] ──block──► merger                 emits in global order
 *   puller   feeder[k] ──block──► puller ──row──► reader  the same, under the window of a slow
 * reader gate     planner ──work──► decoder[k] ──(same)──► gate  decoders finish out of order
 *
 * Each input has credits of its own; with `shared` all use one line, which must deadlock: that is
 * how the tests show that they would notice. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/sim.h"

enum {
    JOINS_INPUTS_MAX = 6,
    JOINS_CREDITS_MAX = 3,
    JOINS_COMMON_MAX = 4,
    JOINS_QUEUE_MAX = JOINS_INPUTS_MAX * JOINS_CREDITS_MAX + JOINS_COMMON_MAX,
    JOINS_BLOCK_ROWS = 4,
};

enum joins_kind { JOINS_MERGER, JOINS_PULLER, JOINS_GATE };

/* One run. Drawn from its seed, but for kind and shared. */
struct joins_config {
    enum joins_kind kind;
    bool            shared;  /* all inputs on one line: wrong */
    uint32_t        inputs;  /* k */
    uint32_t        credits; /* of each input; of the one line, when shared */
    uint32_t        common;  /* in the pool for the input that holds the minimum */
    uint32_t        window;  /* puller: credits of the reader */
    uint32_t        blocks;  /* of each feeder */
    uint32_t        works;   /* of the planner */
    uint64_t        seed;
};

/* What happened. */
struct joins_seen {
    uint64_t made;     /* rows or works that entered or will */
    uint64_t emitted;  /* that left */
    uint64_t disorder; /* must stay 0 */
    uint64_t full;     /* refusals at the inputs */
    uint64_t common;   /* messages of one input beyond its own credits: drawn from the pool */
    uint64_t feeders_done;
    uint64_t window_full; /* puller: emissions that waited for the reader */
};

extern struct joins_config joins_config;
extern struct joins_seen   joins_seen;

/* Run one seed of a join. SL_GONE: a deadlock; then nothing was freed. */
struct sim_run joins_run(enum joins_kind kind, bool shared, uint64_t seed);

/* ---- between the actors ---- */

enum joins_line { JOINS_LINE_INPUT, JOINS_LINE_ROW };

/* The first message of each protocol. */
enum { JOINS_BLOCK = SL_MSG_USER, JOINS_ROW = SL_MSG_USER, JOINS_WORK = SL_MSG_USER };

/* Rows of one feeder in ascending order. */
struct joins_block {
    struct sl_msg hdr;
    uint32_t      input;
    bool          last; /* of this feeder */
    uint32_t      count;
    uint32_t      used; /* rows emitted already */
    uint64_t      ts[JOINS_BLOCK_ROWS];
};

struct joins_row {
    struct sl_msg hdr;
    uint64_t      ts;
};

struct joins_work {
    struct sl_msg hdr;
    uint64_t      number;
};

/* The line of one input. */
struct sl_line *joins_input(struct sl_ctx *ctx, uint32_t input);
/* Which decoder a number is for. */
uint32_t joins_owner(uint64_t number);
/* A message of this input entered, or was freed: to see whether the common pool was used. */
void joins_entered(uint32_t input);
void joins_left(uint32_t input);
/* The next row or work leaves; rising for ever. */
void joins_emit(uint64_t ts);
/* Have oneself told, in one of two ways, when the input has room. */
void joins_wait(struct sl_ctx *ctx, uint32_t input);
/* Tell the join which input it waits for, where there is a common pool. */
void joins_set_minimum(struct sl_ctx *ctx, uint32_t input);

/* The k-way merge of merger and puller. */
struct joins_merge {
    struct joins_block *queue[JOINS_INPUTS_MAX][JOINS_QUEUE_MAX]; /* owned */
    uint32_t            count[JOINS_INPUTS_MAX];
    uint64_t            reached[JOINS_INPUTS_MAX]; /* nothing at or below it is still to come */
};

void joins_merge_put(struct joins_merge *m, struct joins_block *block);
/* The input that holds the minimum: the next row is its first one, or still to come. */
uint32_t joins_merge_minimum(const struct joins_merge *m);
/* Take the first row of this input, which has one. */
uint64_t joins_merge_take(struct joins_merge *m, uint32_t input);
/* Free what is left. */
void joins_merge_free(struct joins_merge *m);

extern const struct sl_actor_class joins_feeder_class;
extern const struct sl_actor_class joins_merger_class;
extern const struct sl_actor_class joins_puller_class;
extern const struct sl_actor_class joins_reader_class;
extern const struct sl_actor_class joins_planner_class;
extern const struct sl_actor_class joins_decoder_class;
extern const struct sl_actor_class joins_gate_class;

/* Arguments: of a feeder, the planner and a decoder; of the puller, `to` alone. */
struct joins_args {
    uint32_t      input;
    struct sl_ref to; /* where blocks, rows or finished works go */
    struct sl_ref decoder[JOINS_INPUTS_MAX];
};

#endif
