#ifndef SL_RUNTIME_LINE_H
#define SL_RUNTIME_LINE_H

/* Lines: the paths along which work travels, and the credits that bound it.
 *
 * A line is an ordered list of actor classes with a number of credits and of bytes. A message takes
 * one credit (and its `bytes`) to enter, keeps it while it is forwarded, and gives it back where it
 * is freed. Because nothing needs a second credit midway, full mailboxes cannot deadlock; because
 * every mailbox has a place for every credit, a push cannot fail. Refusal happens at the entrance
 * alone, where the peer can be made to feel it.
 *
 * A line can have several instances ("inputs"): one per connection, or one per input of a join.
 * Each has credits of its own. A join (an actor that waits for its slowest input, such as a merger)
 * may add a common pool, which only the input that holds the minimum may draw on: so the one that
 * everybody waits for can always move.
 *
 * Two ways to wait when a line is full, both told by a message, both holding a reserved place in
 * the mailbox (`waits_max` of the class):
 *   - sl_line_wait: "tell me when there is room": SL_MSG_OPEN, once a good part of the credits is
 *     home;
 *   - sl_line_reserve: "keep one credit and so many bytes for me": SL_MSG_GRANTED, first come,
 *     first served. While a reservation waits, sl_send on that line says SL_FULL, so that small
 *     messages cannot starve a large one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/msg.h"

struct sl_ctx;

/* The right of one message to be on a line. Owned by whoever holds it: sl_send_permitted or
 * sl_permit_return. */
struct sl_permit {
    struct sl_line *line; /* NULL: none */
    uint32_t        bytes;
    bool            common; /* drawn from the join's common pool */
};

/* The line `id` (index into the topology's lines), instance `input`. Never NULL; valid as long as
 * the runtime. */
struct sl_line *sl_line(struct sl_ctx *ctx, unsigned id, unsigned input);

/* Ask for SL_MSG_OPEN with this tag: sent when the line has room for a message of `bytes` and at
 * least a quarter of its credits is free, which may be at once. */
void sl_line_wait(struct sl_ctx *ctx, struct sl_line *line, uint32_t bytes, uint64_t tag);

/* Reserve one credit and `bytes`. SL_OK: *out holds them. SL_FULL: queued; SL_MSG_GRANTED with this
 * tag will bring them. SL_TOO_LARGE: more than the whole line has, never possible. */
enum sl_err sl_line_reserve(struct sl_ctx *ctx, struct sl_line *line, uint32_t bytes, uint64_t tag,
                            struct sl_permit *out);

/* The reservation that an SL_MSG_GRANTED message brings; it leaves the message. */
struct sl_permit sl_permit_of(struct sl_msg *granted);

/* Give an unused permit back and clear it. */
void sl_permit_return(struct sl_ctx *ctx, struct sl_permit *permit);

/* Say which input of the join that `line` feeds holds the minimum now: only it may draw on the
 * common pool. Called by the join actor. */
void sl_line_set_minimum(struct sl_ctx *ctx, struct sl_line *line);

/* Credits and bytes not on their way now (own pool, without the common one). For status and tests.
 */
int64_t sl_line_credits_free(const struct sl_line *line);
int64_t sl_line_bytes_free(const struct sl_line *line);
/* All of its bytes, by the topology. */
uint64_t sl_line_bytes(const struct sl_line *line);

#endif
