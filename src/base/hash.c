/* XXH64 as in https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. */

#include "base/hash.h"

#include <string.h>

#include "base/assert.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "XXH64 reads little-endian words");

#define PRIME_1 UINT64_C(0x9e3779b185ebca87)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0x165667b19e3779f9)
#define PRIME_4 UINT64_C(0x85ebca77c2b2ae63)
#define PRIME_5 UINT64_C(0x27d4eb2f165667c5)

enum { STRIPE_BYTES = 32, LANES = 4 };

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t round_of(uint64_t lane, uint64_t word)
{
    return rotate_left(lane + word * PRIME_2, 31) * PRIME_1;
}

/* All whole stripes; *at moves behind them. */
static uint64_t hash_stripes(uint64_t seed, const uint8_t **at, const uint8_t *end)
{
    uint64_t lane[LANES] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
    uint64_t hash;

    for (; end - *at >= STRIPE_BYTES; *at += STRIPE_BYTES) {
        for (unsigned i = 0; i < LANES; i++)
            lane[i] = round_of(lane[i], read_u64(*at + 8 * i));
    }
    hash = rotate_left(lane[0], 1) + rotate_left(lane[1], 7) + rotate_left(lane[2], 12) +
           rotate_left(lane[3], 18);
    for (unsigned i = 0; i < LANES; i++)
        hash = (hash ^ round_of(0, lane[i])) * PRIME_1 + PRIME_4;
    return hash;
}

/* What is left behind the stripes: words, then half words, then bytes. */
static uint64_t hash_tail(uint64_t hash, const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 8; at += 8)
        hash = rotate_left(hash ^ round_of(0, read_u64(at)), 27) * PRIME_1 + PRIME_4;
    if (end - at >= 4) {
        hash = rotate_left(hash ^ read_u32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
    }
    for (; at < end; at++)
        hash = rotate_left(hash ^ *at * PRIME_5, 11) * PRIME_1;
    return hash;
}

uint64_t sl_hash_u64(uint64_t value)
{
    value += SL_HASH_GOLDEN;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t sl_hash_bytes(uint64_t seed, const void *bytes, size_t count)
{
    static const uint8_t nothing[1];
    const uint8_t       *at = bytes != NULL ? bytes : nothing;
    const uint8_t       *end = at + count;
    uint64_t             hash;

    SL_ASSERT(bytes != NULL || count == 0);
    hash = count >= STRIPE_BYTES ? hash_stripes(seed, &at, end) : seed + PRIME_5;
    hash = hash_tail(hash + count, at, end);
    hash = (hash ^ (hash >> 33)) * PRIME_2;
    hash = (hash ^ (hash >> 29)) * PRIME_3;
    return hash ^ (hash >> 32);
}

uint64_t sl_hash_combine(uint64_t hash, uint64_t value)
{
    /* The rotation keeps (a, b) and (b, a) apart, and equal values from cancelling out. */
    return sl_hash_u64(rotate_left(hash, 27) ^ value);
}
