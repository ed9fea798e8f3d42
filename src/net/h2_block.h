#ifndef SL_NET_H2_BLOCK_H
#define SL_NET_H2_BLOCK_H

/* A header as it is received, field by field: keeps the values that are looked at, counts all. */

#include "net/h2.h"

struct h2_block {
    struct sl_h2_headers headers; /* values lie in bytes */
    size_t               list_bytes;
    size_t               list_bytes_max;
    uint8_t             *bytes; /* owned, list_bytes_max of them */
    size_t               used;
};

enum h2_block_verdict {
    H2_BLOCK_OK,
    H2_BLOCK_OVER,     /* with this field the header is too large */
    H2_BLOCK_WAS_OVER, /* with an earlier one */
};

void h2_block_init(struct h2_block *block, size_t list_bytes_max);
void h2_block_done(struct h2_block *block);

/* Begin another header; the last one's values go. */
void h2_block_clear(struct h2_block *block);
/* One more field; of fields that repeat the first counts. */
enum h2_block_verdict h2_block_add(struct h2_block *block, struct sl_slice name,
                                   struct sl_slice value);

#endif
