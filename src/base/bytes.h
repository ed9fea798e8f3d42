#ifndef SL_BASE_BYTES_H
#define SL_BASE_BYTES_H

/* Numbers as they stand in our files: little endian, at any address. */

#include <stdint.h>

/* Write value into the four bytes from `at` on. */
static inline void sl_bytes_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* The same with eight bytes. */
static inline void sl_bytes_put_u64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* The number in the four bytes from `at` on. */
static inline uint32_t sl_bytes_get_u32(const uint8_t *at)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

/* The same with eight bytes. */
static inline uint64_t sl_bytes_get_u64(const uint8_t *at)
{
    return sl_bytes_get_u32(at) | (uint64_t)sl_bytes_get_u32(at + 4) << 32;
}

#endif
