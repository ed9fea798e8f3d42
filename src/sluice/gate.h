#ifndef SL_SLUICE_GATE_H
#define SL_SLUICE_GATE_H

/* What a replay must wait for. A TiDB asks for a commit ts only when its prewrite was answered, so
 * whoever plays a recording may send a commit or rollback only when every prewrite recorded before
 * it was answered: anything looser is a stream that no TiDB makes. And while timestamps are driven
 * (net/tso.h), they must stay below the commits whose prewrites are on their way. Both follow from
 * the set of answered prewrites. Pure; each answer costs O(1) over a whole replay: two cursors that
 * only move forward, one over the records, one over the commits by commit ts. */

#include <stdbool.h>
#include <stdint.h>

#include "sluice/corpus.h"

/* Made by gate_new. */
struct gate {
    const struct corpus *corpus;   /* borrowed */
    bool                *answered; /* owned; of each record, meant for prewrites */
    uint32_t            *commits;  /* owned; indexes of the commits, by commit ts */
    uint32_t             open;     /* no prewrite before this record is unanswered */
    uint32_t             driven;   /* of `commits`: those before have their prewrites answered */
    sl_ts                floor;
    uint32_t             unanswered;
};

/* Where timestamps may move: net/tso.h, "The drive". */
struct gate_drive {
    sl_ts floor;   /* 0: no recorded commit lies below the ceiling */
    sl_ts ceiling; /* when all prewrites of commits are answered: the last commit ts + 1 */
};

/* A gate before the first answer. The corpus outlives it. */
struct gate gate_new(const struct corpus *corpus);
void        gate_free(struct gate *gate);

/* The prewrite with this index was answered. Again: no effect. */
void gate_answer(struct gate *gate, uint32_t index);

/* May the record be sent? Prewrites always. */
bool gate_may_send(const struct gate *gate, uint32_t index);

/* Meant for a corpus with commits. Neither value ever falls. */
struct gate_drive gate_drive(const struct gate *gate);

/* Least and greatest commit ts of the corpus; 0: it has no commits. */
sl_ts gate_first_commit(const struct gate *gate);
sl_ts gate_last_commit(const struct gate *gate);

#endif
