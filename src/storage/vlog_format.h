#ifndef SL_STORAGE_VLOG_FORMAT_H
#define SL_STORAGE_VLOG_FORMAT_H

/* The value log on disk, format version 1. Private to src/storage/vlog*.c and their tests.
 *
 * Files of the directory
 *   NNNNNNNN.seg    segment, numbered from 1 without gaps from the oldest kept to the newest
 *   NNNNNNNN.spare  a removed segment that waits to be written again; its bytes mean nothing
 *   next.new        the next segment being filled with zeros; its bytes mean nothing
 *
 * Segment: a header block of 4096 bytes, then records without gaps, then bytes that mean nothing.
 * Integers are little-endian. Offsets count record bytes across segments, beginning at 4096 so that
 * 0 can mean "none"; the record at offset x of a segment stands at byte 4096 + x - first of it.
 *
 *   header block                              record (a multiple of 8 bytes)
 *      0  8 magic "SLVLOG\r\n"                   0 4 magic 0x5ec0bd1e
 *      8  4 format version                       4 4 payload length
 *     12  4 bytes of this block, 4096            8 8 start_ts
 *     16  8 cluster id                          16 8 commit_ts
 *     24  4 shard                               24 8 durable: offset known to be synced
 *     28  4 number of shards                    32 1 type (enum sl_vlog_type)
 *     32  8 segment number                      33 1 flags of the caller
 *     40  8 generation                          34 6 zero
 *     48  8 bytes of this file                  40 4 CRC-32C of the payload
 *     56  8 first: offset of the first record   44 4 CRC-32C of generation (8 bytes), offset (8
 *     64  8 highest commit_ts of the                 bytes), and bytes 0..43 of this header
 *           predecessor's records               48 . payload, then zeros up to a multiple of 8
 *     72 .. zero
 *   4092  4 CRC-32C of bytes 0..4091
 *
 * Every version keeps magic, version and block CRC where they are, so that a foreign version can be
 * told from damage.
 *
 * Invariants
 *   1. A file is named .seg only when it is complete: filled to its size and synced, header
 *      included. So a bad header is damage, never a crash; and a file begins as zeros or as a
 *      recycled segment of another generation.
 *   2. A segment gets its first record when its name and all of its predecessor are durable. Its
 *      `first` is where the predecessor ends: what the predecessor holds beyond means nothing.
 *   3. A record header is good when its CRC is: that binds it to its place and, the generation
 * being random, lets neither a recycled tail nor a header planted in a payload look alive. Only
 *      then is its length believed.
 *   4. durable <= offset of the record that says it, and at most what a sync has covered.
 *   5. Beyond the end of the log the newest segment holds no good header when an append begins. */

#include "storage/vlog.h"

enum {
    VLOG_VERSION = 1,
    VLOG_BLOCK_BYTES = 4096,
    VLOG_FIRST_OFFSET = 4096,
    VLOG_RECORD_HEADER_BYTES = 48,
    VLOG_ALIGN = 8,
};
#define VLOG_RECORD_MAGIC UINT32_C(0x5ec0bd1e)

struct vlog_header {
    struct sl_vlog_identity identity;
    uint64_t                number;
    uint64_t                generation;
    uint64_t                segment_bytes;
    uint64_t                first;
    uint64_t                previous_max_commit_ts;
};

/* A record header whose CRC was good. */
struct vlog_record_header {
    uint32_t payload_bytes;
    uint32_t payload_crc;
    uint64_t start_ts;
    uint64_t commit_ts;
    uint64_t durable;
    uint8_t  type; /* perhaps of a later version */
    uint8_t  flags;
};

/* Fill block[VLOG_BLOCK_BYTES]. */
void vlog_header_encode(const struct vlog_header *header, uint8_t *block);
/* Check and take apart; `path` is for the reason. SL_CORRUPT, SL_UNSUPPORTED (version). */
enum sl_err vlog_header_decode(const uint8_t *block, const char *path, struct vlog_header *out,
                               struct sl_why *why);

/* Put the record as it stands at `offset` to out; the number of bytes, sl_vlog_record_bytes. */
uint32_t vlog_record_encode(const struct sl_vlog_record *record, uint64_t generation,
                            uint64_t offset, uint64_t durable, uint8_t *out);
/* False: no good header of this generation and offset. */
bool vlog_record_decode(const uint8_t *bytes, uint64_t generation, uint64_t offset,
                        struct vlog_record_header *out);
bool vlog_payload_is_good(const struct vlog_record_header *header, const uint8_t *payload);

/* The first place of a record's magic in bytes[0..count), at a multiple of 8; count: none. count is
 * a multiple of 8. */
size_t vlog_find_magic(const uint8_t *bytes, size_t count);

#endif
