#ifndef SL_BASE_HASH_H
#define SL_BASE_HASH_H

/* Hashes for tables and fingerprints. The algorithms are fixed: equal input gives equal output on
 * every machine and in every build mode, so a fingerprint printed by one build can be compared with
 * another's, and a value may be stored. They do not withstand somebody who chooses keys to collide.
 */

#include <stddef.h>
#include <stdint.h>

/* 2^64 divided by the golden ratio, odd: the increment of splitmix64. */
#define SL_HASH_GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* A bijection on 64 bits that spreads every input bit over all output bits (one step of
 * splitmix64). */
uint64_t sl_hash_u64(uint64_t value);

/* XXH64 of the bytes. bytes may be NULL when count is 0. */
uint64_t sl_hash_bytes(uint64_t seed, const void *bytes, size_t count);

/* Fold one more value into a hash; the order of folding matters. Start from 0. */
uint64_t sl_hash_combine(uint64_t hash, uint64_t value);

#endif
