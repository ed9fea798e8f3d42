#ifndef SL_ACTORS_PUMP_CUT_H
#define SL_ACTORS_PUMP_CUT_H

/* Bringing a cut into the index: by the indexer as things come, by recovery for what the last
 * checkpoint did not have. */

#include "actors/pump/messages.h"

/* What became of the cut's orphans. */
struct sl_cut_result {
    uint32_t repeats; /* the index had them already */
    uint32_t copies;  /* stored without a prewrite */
    uint32_t late;    /* of all that is stored: at or below the watermark that was public before */
    uint32_t late_copies; /* of these, the ones without a prewrite: legal, TiDB may have turned to
                             another pump */
};

/* Apply the cut to its shard as one transaction. Blocks. Errors as sl_index_apply: nothing of it
 * was applied, and calling again is right. */
enum sl_err sl_cut_apply(struct sl_index_shard *shard, const struct sl_pump_cut *cut,
                         struct sl_cut_result *result, struct sl_why *why);

#endif
