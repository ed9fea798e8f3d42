#ifndef SL_STORAGE_POSITION_H
#define SL_STORAGE_POSITION_H

/* Where a record stands in a shard's value log. */

#include <stdint.h>

/* A span of a value log. */
struct sl_position {
    uint64_t offset; /* logical: counted across segments since the log was created */
    uint32_t bytes;  /* 0: no record */
};

#endif
