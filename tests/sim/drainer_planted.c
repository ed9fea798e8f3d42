/* The drainer with a fault: the hashes of an update are those of its new image alone, so that a
 * change of the row that it leaves may overtake it. A double of row_keys.c. */

#include "actors/drainer/row_keys.h"

static uint32_t honest_row_keys_hash(const struct sl_row_keys *keys, const struct sl_change *change,
                                     uint64_t *out);

#define sl_row_keys_hash honest_row_keys_hash
#include "actors/drainer/row_keys.c"
#undef sl_row_keys_hash

#include "sim/drainer_world.h"

const bool world_is_planted = true;

uint32_t sl_row_keys_hash(const struct sl_row_keys *keys, const struct sl_change *change,
                          uint64_t *out)
{
    struct sl_change half = *change;

    if (half.kind == SL_CHANGE_UPDATE)
        half.kind = SL_CHANGE_INSERT;
    return honest_row_keys_hash(keys, &half, out);
}
