#ifndef SL_NET_H2_OUTPUT_H
#define SL_NET_H2_OUTPUT_H

/* What is next for the socket: small frames gathered by copying, so that one write carries many,
 * then at most one large frame where it lies. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/limits.h"

/* All zero is empty. */
struct h2_output {
    size_t          gathered;
    size_t          gathered_sent;
    struct sl_slice frame; /* borrowed from its maker, unsent part */
    uint8_t         gather[SL_H2_GATHER_BYTES];
};

/* False while a large frame waits: nothing may be added behind it. */
bool h2_output_has_room(const struct h2_output *output);
/* Add a frame or part of one; its bytes stay valid until there is room again. */
void h2_output_add(struct h2_output *output, struct sl_slice frame);

/* What to write next; len 0 when there is nothing. */
struct sl_slice h2_output_next(const struct h2_output *output);
/* The first count bytes of that are written. */
void h2_output_sent(struct h2_output *output, size_t count);

#endif
