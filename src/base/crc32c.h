#ifndef SL_BASE_CRC32C_H
#define SL_BASE_CRC32C_H

/* CRC-32C (Castagnoli, RFC 3720 section 12.1: reflected, start and final inversion), the checksum
 * of our files and of the original's. Runs on the processor's own instruction where it has one
 * (x86-64: asked at run time; aarch64: chosen when compiled). Any thread. */

#include <stddef.h>
#include <stdint.h>

/* Checksum of `count` bytes behind those that gave `crc`; start from 0. The calls chain: the
 * checksum of ab is sl_crc32c(sl_crc32c(0, a), b). bytes may be NULL when count is 0. */
uint32_t sl_crc32c(uint32_t crc, const void *bytes, size_t count);

/* The same from tables: the fallback, and what tests compare the fast one with. */
uint32_t sl_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
