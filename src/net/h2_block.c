#include "net/h2_block.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/h2_fields.h"

enum { FIELD_OVERHEAD = 32 }; /* RFC 9113, 6.5.2 */

void h2_block_init(struct h2_block *block, size_t list_bytes_max)
{
    *block = (struct h2_block){.list_bytes_max = list_bytes_max, .bytes = malloc(list_bytes_max)};
    SL_ASSERT(block->bytes != NULL);
}

void h2_block_done(struct h2_block *block)
{
    free(block->bytes);
    block->bytes = NULL;
}

void h2_block_clear(struct h2_block *block)
{
    block->headers = (struct sl_h2_headers){0};
    block->list_bytes = 0;
    block->used = 0;
}

enum h2_block_verdict h2_block_add(struct h2_block *block, struct sl_slice name,
                                   struct sl_slice value)
{
    enum sl_h2_field field;

    if (block->list_bytes > block->list_bytes_max)
        return H2_BLOCK_WAS_OVER;
    block->list_bytes += name.len + value.len + FIELD_OVERHEAD;
    if (block->list_bytes > block->list_bytes_max)
        return H2_BLOCK_OVER;
    field = h2_field_of(name);
    if (field == SL_H2_FIELDS || block->headers.field[field].bytes != NULL)
        return H2_BLOCK_OK;
    SL_ASSERT(value.len <= block->list_bytes_max - block->used);
    memcpy(block->bytes + block->used, value.bytes, value.len);
    block->headers.field[field] = (struct sl_slice){block->bytes + block->used, value.len};
    block->used += value.len;
    return H2_BLOCK_OK;
}
