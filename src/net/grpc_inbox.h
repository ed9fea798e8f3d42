#ifndef SL_NET_GRPC_INBOX_H
#define SL_NET_GRPC_INBOX_H

/* Messages of one direction of a call, put together from the input in which they come, and given
 * out whole or in parts.
 *
 * On the wire: 1 byte flag (0: plain, 1: compressed), 4 bytes length (big-endian), the message.
 *
 *     PREFIX --5 bytes--> SIZED --open--> BODY --all bytes--> PREFIX
 *
 * Between SIZED and open, what comes is put by, at most SL_H2_WINDOW_BYTES: the window allows no
 * more. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

enum grpc_inbox_state { GRPC_INBOX_PREFIX, GRPC_INBOX_SIZED, GRPC_INBOX_BODY };

struct grpc_inbox {
    enum grpc_inbox_state state;
    uint8_t               prefix[SL_GRPC_PREFIX_BYTES];
    uint8_t               prefix_bytes; /* that have come */
    uint32_t              size;         /* of the message, from SIZED on */
    uint32_t              part_max;     /* a part has so many bytes, the last one the rest */
    uint32_t              start;        /* where in the message the present part begins */
    uint32_t              filled;       /* bytes of body */
    struct sl_buf        *body;         /* owned, of a part; NULL until a byte is copied */
    struct sl_buf        *stash;        /* owned; what came while SIZED; NULL when nothing did */
    size_t                stashed;      /* bytes of stash */
};

/* Bytes of buf from offset on. */
struct grpc_input {
    struct sl_buf *buf; /* borrowed */
    size_t         offset;
    size_t         len;
};

/* A part of a message, or all of it: its bytes from offset on. */
struct grpc_part {
    struct sl_buf *buf; /* one reference; NULL: no part */
    uint32_t       offset;
    uint32_t       total; /* bytes of the message */
};

/* All zero is as good. */
void grpc_inbox_init(struct grpc_inbox *inbox);
/* Free what is held. */
void grpc_inbox_done(struct grpc_inbox *inbox);

/* Between two messages. */
bool grpc_inbox_idle(const struct grpc_inbox *inbox);

/* Take bytes off the front of input. Returns true when the state became SIZED: see prefix and size,
 * and open or give up. Returns a part (its reference is the caller's) in *part when one is whole.
 * Neither: the input is used up. */
bool grpc_inbox_take(struct grpc_inbox *inbox, struct grpc_input *input, struct grpc_part *part);

/* Let the body come, in parts of part_max (1..SL_BUF_BYTES_MAX) bytes. What was put by is returned
 * as a buffer to be taken next (one reference, the caller's; *stashed bytes of it count), or NULL.
 */
struct sl_buf *grpc_inbox_open(struct grpc_inbox *inbox, uint32_t part_max, size_t *stashed);

#endif
