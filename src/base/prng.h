#ifndef SL_BASE_PRNG_H
#define SL_BASE_PRNG_H

/* Pseudo-random numbers for simulation, jitter and tests: xoshiro256**, seeded through splitmix64.
 * The same seed gives the same numbers on every machine and in every build, for good: recorded
 * seeds are regressions. Not for secrets (struct sl_random is). One generator is used by one thread
 * at a time. */

#include <stdbool.h>
#include <stdint.h>

/* Not all zero. */
struct sl_prng {
    uint64_t word[4];
};

/* Any seed is good, 0 and small ones too. */
void sl_prng_seed(struct sl_prng *prng, uint64_t seed);

/* 64 uniform bits. */
uint64_t sl_prng_next(struct sl_prng *prng);
/* Uniform in 0..n-1, without bias. n > 0. */
uint64_t sl_prng_below(struct sl_prng *prng, uint64_t n);
/* Uniform in low..high, both included. low <= high. */
uint64_t sl_prng_range(struct sl_prng *prng, uint64_t low, uint64_t high);
/* True num times out of den. den > 0; num >= den: always. */
bool sl_prng_chance(struct sl_prng *prng, uint64_t num, uint64_t den);

#endif
