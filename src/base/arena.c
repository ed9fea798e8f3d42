#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/limits.h"

#ifdef SLUICE_SANITIZED
enum { OWN_MALLOC_EACH = 1 };
#else
enum { OWN_MALLOC_EACH = 0 };
#endif

struct sl_arena_block {
    struct sl_arena_block *next;
    size_t                 size; /* of bytes */
    alignas(max_align_t) uint8_t bytes[];
};

static struct sl_arena_block *add_block(struct sl_arena *arena, size_t size)
{
    struct sl_arena_block *block = malloc(sizeof *block + size);

    SL_ASSERT(block != NULL);
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    return block;
}

/* Twice the block before, so that all of a round soon fits into the one that the reset keeps. */
static size_t next_block_size(const struct sl_arena *arena, size_t wanted)
{
    size_t size = arena->blocks == NULL ? SL_ARENA_BLOCK_BYTES : 2 * arena->blocks->size;

    if (size > SL_ARENA_KEEP_BYTES_MAX)
        size = SL_ARENA_KEEP_BYTES_MAX;
    return wanted > size ? wanted : size;
}

static void free_blocks(struct sl_arena_block *block)
{
    while (block != NULL) {
        struct sl_arena_block *next = block->next;

        free(block);
        block = next;
    }
}

/* Unlink and return the largest block worth keeping, or NULL. */
static struct sl_arena_block *take_kept(struct sl_arena *arena)
{
    struct sl_arena_block **kept = NULL;
    struct sl_arena_block  *block;

    for (struct sl_arena_block **at = &arena->blocks; *at != NULL; at = &(*at)->next) {
        if ((*at)->size <= SL_ARENA_KEEP_BYTES_MAX && (kept == NULL || (*at)->size > (*kept)->size))
            kept = at;
    }
    if (kept == NULL || OWN_MALLOC_EACH)
        return NULL;
    block = *kept;
    *kept = block->next;
    block->next = NULL;
    return block;
}

void sl_arena_init(struct sl_arena *arena)
{
    *arena = (struct sl_arena){0};
}

void *sl_arena_alloc(struct sl_arena *arena, size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;
    size_t       room;
    void        *result;

    SL_ASSERT(size <= SL_BUF_BYTES_MAX);
    if (OWN_MALLOC_EACH)
        return add_block(arena, size)->bytes; /* not rounded: the byte behind it is out of bounds */
    size = size == 0 ? alignof(max_align_t) : (size + mask) & ~mask;
    room = arena->blocks == NULL ? 0 : arena->blocks->size - arena->used;
    if (size > room)
        (void)add_block(arena, next_block_size(arena, size));
    result = arena->blocks->bytes + arena->used;
    arena->used += size;
    return result;
}

void sl_arena_reset(struct sl_arena *arena)
{
    struct sl_arena_block *kept = take_kept(arena);

    free_blocks(arena->blocks);
    arena->blocks = kept;
    arena->used = 0;
}

void sl_arena_done(struct sl_arena *arena)
{
    free_blocks(arena->blocks);
    sl_arena_init(arena);
}
