#ifndef SL_STORAGE_LARGE_FORMAT_H
#define SL_STORAGE_LARGE_FORMAT_H

/* Large entities on disk, format version 1. Private to src/storage/large*.c and their tests.
 *
 * File NNNNNNNN (eight digits or more, counting up): a block of 4096 bytes, the entity, one
 * checksum of 4 bytes for each chunk of SL_LARGE_CHUNK_BYTES of it, the last chunk being the rest.
 * Integers are little-endian; what is not listed is zero.
 *
 *   block                                     payload of the reference
 *      0  8 magic "SLLARGE\n"                    0 4 version
 *      8  4 version                              4 4 1: there is a prewrite value
 *     12  4 CRC of the checksums                 8 8 number
 *     16  8 number                              16 8 bytes of the entity
 *     24  8 bytes of the entity                 24 8 where the prewrite value begins in it
 *     32  4 CRC-32C of bytes 0..31              32 8 bytes of the prewrite value
 *     36  4 mark "DONE"                         40 4 CRC of the checksums
 *    512  8 offset of its record in the log     44 4 bytes of the rest
 *    520  4 CRC-32C of number and offset        48 . the record without its prewrite value
 *    524  4 mark "DONE"
 *
 * Checksum of a chunk: CRC-32C of number (8 bytes), index (8 bytes), its bytes. CRC of the
 * checksums: CRC-32C of number, bytes of the entity, the checksums.
 *
 * Invariants
 *   1. Header (0..39) and offset (512..527) are zeros until they are written, once, front to back,
 *      each within one sector. So without their mark they may be torn and count as not written;
 *      with it and a bad CRC they are damaged.
 *   2. The header is written at the end; a reference is written when its file and the file's name
 *      are durable. So a file without a header has no reference.
 *   3. The offset is written when the record is durable. */

#include "storage/large.h"

enum {
    LARGE_VERSION = 1,
    LARGE_BLOCK_BYTES = 4096,
    LARGE_HEADER_BYTES = 40,
    LARGE_OFFSET_AT = 512,
    LARGE_OFFSET_BYTES = 16,
    LARGE_NAME_BYTES = 24, /* terminator included */
};

/* What a finished file says of itself. */
struct large_header {
    struct sl_large_ref ref;
    uint64_t            offset; /* of its record in the log; 0: not known */
};

/* The path of a file into out[SL_PATH_BYTES_MAX]. */
enum sl_err large_path(char *out, const char *dir, uint64_t number, struct sl_why *why);
/* Is it the name of such a file? */
bool large_parse_name(const char *name, uint64_t *number);

void large_header_encode(const struct sl_large_ref *ref, uint8_t out[LARGE_HEADER_BYTES]);
void large_offset_encode(uint64_t number, uint64_t offset, uint8_t out[LARGE_OFFSET_BYTES]);
/* Both from an open file. SL_AGAIN: not finished; SL_CORRUPT, SL_UNSUPPORTED, those of reading.
 * path is for the reason. */
enum sl_err large_header_read(struct sl_file *file, const char *path, struct large_header *out,
                              struct sl_why *why);

/* What a chunk's checksum begins with. */
uint32_t large_chunk_seed(uint64_t number, uint64_t index);
/* CRC of the checksums of an entity of so many bytes. */
uint32_t large_table_crc(uint64_t number, uint64_t bytes, const uint32_t *table);
/* Chunks of an entity. */
uint32_t large_chunk_count(uint64_t bytes);

/* ---- large.c, for large_writer.c ---- */

struct sl_fs *large_fs(const struct sl_large *large);
/* Take the next number; the path of its file into out. */
enum sl_err large_next(struct sl_large *large, uint64_t *number, char *out, struct sl_why *why);
/* One writer more, one less. */
void large_writer_begun(struct sl_large *large);
void large_writer_over(struct sl_large *large);
/* The file is finished. */
void large_add(struct sl_large *large, const struct large_header *header);

#endif
