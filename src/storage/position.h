#ifndef SL_STORAGE_POSITION_H
#define SL_STORAGE_POSITION_H

/* Where a record stands in a shard's value log. */

#include <stdint.h>

/* Where a record is in the value log of its shard. All zero: nowhere. */
struct sl_position {
    uint64_t offset; /* of its header, across segments; a multiple of 8 */
    uint32_t bytes;  /* header and padding included; the next record is behind them */
};

#endif
