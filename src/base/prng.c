/* Algorithms: https://prng.di.unimi.it/xoshiro256starstar.c and splitmix64.c. */

#include "base/prng.h"

#include "base/assert.h"
#include "base/hash.h"

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void sl_prng_seed(struct sl_prng *prng, uint64_t seed)
{
    /* sl_hash_u64 is the step of splitmix64: add the constant, then mix. */
    for (unsigned i = 0; i < 4; i++)
        prng->word[i] = sl_hash_u64(seed + i * SL_HASH_GOLDEN);
}

uint64_t sl_prng_next(struct sl_prng *prng)
{
    uint64_t *s = prng->word;
    uint64_t  result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t  t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t sl_prng_below(struct sl_prng *prng, uint64_t n)
{
    uint64_t skip;
    uint64_t x;

    SL_ASSERT(n > 0);
    skip = (0 - n) % n; /* 2^64 mod n: without that many values the rest divides evenly */
    do
        x = sl_prng_next(prng);
    while (x < skip);
    return x % n;
}

uint64_t sl_prng_range(struct sl_prng *prng, uint64_t low, uint64_t high)
{
    SL_ASSERT(low <= high);
    if (high - low == UINT64_MAX)
        return sl_prng_next(prng);
    return low + sl_prng_below(prng, high - low + 1);
}

bool sl_prng_chance(struct sl_prng *prng, uint64_t num, uint64_t den)
{
    return sl_prng_below(prng, den) < num;
}
