#ifndef SL_BENCH_MERGE_REFERENCE_H
#define SL_BENCH_MERGE_REFERENCE_H

/* The reference shape of a merge: what the original's algorithm costs when it is written in C, for
 * machines without Go. Like the original, for every item that it gives out it copies the map of its
 * sources under a lock, asks for each whether an item of it waits, receives an item of those that
 * have none through a locked queue, keeps it in an allocation of its own behind a heap of pointers,
 * and sends the smallest through another locked queue. Here one thread does all of it, so the
 * wake-ups of the original, which cost most, are not counted. */

#include <stdint.h>

struct merge_reference;

/* `owner` says for each of `count` items, in the order of their timestamps 1, 2, ..., which of the
 * k sources has it; borrowed. Owned: merge_reference_free. */
struct merge_reference *merge_reference_new(uint32_t k, const uint32_t *owner, uint32_t count);
/* Merge all once more; returns how many items came out, in order. */
uint32_t merge_reference_pass(struct merge_reference *m);
void     merge_reference_free(struct merge_reference **m);

#endif
