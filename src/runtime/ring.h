#ifndef SL_RUNTIME_RING_H
#define SL_RUNTIME_RING_H

/* Bounded lock-free rings of pointers: the one door to concurrencykit's ck_ring.
 *
 * ring.c is compiled without ThreadSanitizer, which cannot see ck's inline assembly; instead each
 * hand-over is annotated on the address of the item: everything done to it before the push happens
 * before everything done after the pop. Use the flavour by contract: `mpsc` many pushers and one
 * popper at a time, `mpmc` many of both. Do not mix flavours on one ring. */

#include <stdbool.h>
#include <stdint.h>

struct ring;

/* A ring that holds at least `items` pointers (1..2^24). The caller owns it: ring_free. */
struct ring *ring_new(uint32_t items);
/* Free and null the pointer; the ring must be empty. *r may be NULL. */
void ring_free(struct ring **r);

/* Push; false when full. item is not NULL. Not wait-free: a pusher stopped in the middle holds up
 * later pushers until it runs again; they give it their processor. */
bool ring_push_mpsc(struct ring *r, void *item);
bool ring_push_mpmc(struct ring *r, void *item);

/* Pop the oldest item, or NULL when empty (or when the oldest push is not finished yet). */
void *ring_pop_mpsc(struct ring *r);
void *ring_pop_mpmc(struct ring *r);

/* How many items are in it: exact for the only popper when nobody pushes, else a moment's truth. */
uint32_t ring_count(const struct ring *r);

#endif
