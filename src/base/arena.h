#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

/* Scratch memory with one end of life: allocate by moving a pointer, release all at once. An actor
 * owns one and resets it when the handler is done; since a reset keeps the largest block, an actor
 * in steady state does not call malloc. Sanitizer builds give each allocation its own malloc, so
 * that an overrun or a use after the reset is seen. Used by one thread at a time. */

#include <stddef.h>

struct sl_arena_block;

/* Must not be copied once it has given memory out: both copies would free the same blocks. */
struct sl_arena {
    struct sl_arena_block *blocks; /* owned; the first is the one in use */
    size_t                 used;   /* bytes of that one */
};

/* All zero is as good. Takes no memory yet. */
void sl_arena_init(struct sl_arena *arena);

/* `size` bytes, not initialised, aligned for any object, valid until the next reset. size is at
 * most SL_BUF_BYTES_MAX. Never NULL, also when size is 0. */
void *sl_arena_alloc(struct sl_arena *arena, size_t size);

/* Release all allocations. Keeps the largest block of at most SL_ARENA_KEEP_BYTES_MAX for the next
 * round. */
void sl_arena_reset(struct sl_arena *arena);

/* Release all allocations and all memory; the arena is as new. */
void sl_arena_done(struct sl_arena *arena);

#endif
