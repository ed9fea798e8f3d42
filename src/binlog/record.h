#ifndef SL_BINLOG_RECORD_H
#define SL_BINLOG_RECORD_H

/* Records: one `Binlog` message as TiDB sends it to a pump and a pump to a drainer (pump spec 1.3;
 * proto/binlog.proto is the same contract, and the oracle in the tests).
 *
 * The decoder returns slices into its input and allocates nothing. It checks every length first,
 * takes fields in any order and missing ones as zero, and keeps fields it does not know, which the
 * encoder repeats at the end, as the original does. Integers are plain varints; negative ones take
 * ten bytes. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"

/* As on the wire (BinlogType in proto/binlog.proto). */
enum sl_record_type {
    SL_RECORD_PREWRITE,
    SL_RECORD_COMMIT,
    SL_RECORD_ROLLBACK,
    SL_RECORD_PRE_DDL,  /* obsolete */
    SL_RECORD_POST_DDL, /* obsolete */
    SL_RECORD_TYPES,
};

/* A decoded record. Slices borrow from the bytes that were decoded; one whose bytes are NULL was
 * absent. */
struct sl_record {
    int32_t         type; /* of enum sl_record_type, or a number nobody knows yet */
    sl_ts           start_ts;
    sl_ts           commit_ts;
    struct sl_slice prewrite_key;
    struct sl_slice prewrite_value; /* a serialized PrewriteValue */
    struct sl_slice ddl_query;
    int64_t         ddl_job_id;
    int32_t         ddl_schema_state;
    bool            has_schema_state; /* written by TiDB since November 2019 */
    uint32_t        unknown_count;
    struct sl_slice unknown[SL_RECORD_UNKNOWN_MAX]; /* whole fields, tag included, in order */
};

/* Decode one record from all of `bytes`. SL_INVALID with the original's words ("unexpected EOF",
 * ...) when it is none; SL_TOO_LARGE for more unknown fields than we keep. */
enum sl_err sl_record_decode(struct sl_slice bytes, struct sl_record *out, struct sl_why *why);

/* How many bytes sl_record_encode will write. */
size_t sl_record_encoded_bytes(const struct sl_record *record);

/* Write the record into out, which has room for sl_record_encoded_bytes. Fields 1, 2, 3 and 7 are
 * always written, 4 to 6 when present, 8 when has_schema_state. */
void sl_record_encode(const struct sl_record *record, uint8_t *out);

/* The same for a record whose prewrite value lies elsewhere: what stands before its bytes and what
 * stands behind them. Of prewrite_value only the length is looked at, but bytes must not be NULL.
 * The three sizes add up to sl_record_encoded_bytes. */
size_t sl_record_head_bytes(const struct sl_record *record);
void   sl_record_encode_head(const struct sl_record *record, uint8_t *out);
void   sl_record_encode_tail(const struct sl_record *record, uint8_t *out);

/* What a drainer is sent for a commit: the commit with prewrite value, DDL query, job id and schema
 * state of its prewrite (pump spec 1.5, observed 15). A type nobody knows is matched like a commit
 * and stays what it is. Both have the same start ts. Borrows from both. */
struct sl_record sl_record_join(const struct sl_record *prewrite, const struct sl_record *commit);

/* The progress mark that a pump makes of a timestamp (pump spec 3.5). */
struct sl_record sl_record_fake(sl_ts ts);

/* Is it such a mark? */
bool sl_record_is_fake(const struct sl_record *record);

#endif
