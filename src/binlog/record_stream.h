#ifndef SL_BINLOG_RECORD_STREAM_H
#define SL_BINLOG_RECORD_STREAM_H

/* Records that come in pieces, because they are too large to be held: as binlog/record.h, for one
 * `Binlog` message, alone or inside the `WriteBinlogReq` that brings it.
 *
 * Of all fields only the prewrite value may be large. It is stepped over: whoever feeds the pieces
 * keeps their bytes elsewhere, and is told where among them the value is. What is left is a record
 * without a prewrite value, collected here within SL_RECORD_REST_BYTES_MAX; at the end the ordinary
 * decoder reads it. So a message is a record here if and only if it is one there, in the same
 * words, however it was cut. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "binlog/record.h"

/* Where the scan of a message is; private. */
struct sl_record_scan {
    uint64_t left;       /* bytes still to come */
    uint64_t value_left; /* of the present field */
    uint64_t field;
    uint64_t number;   /* the varint under way */
    uint32_t bits;     /* of it, that have come */
    uint8_t  head[20]; /* tag and length of the present field */
    uint8_t  head_bytes;
    uint8_t  wire;
    uint8_t  state;
};

/* One record under way; to be read only through the functions below. */
struct sl_record_stream {
    struct sl_record_scan scan;
    uint64_t              bytes; /* of the message */
    uint8_t              *rest;  /* owned */
    size_t                rest_bytes;
    size_t                rest_room;
    bool                  rest_over;
    bool                  has_value;
    uint64_t              value_at;
    uint64_t              value_bytes;
};

/* A record whose prewrite value lies elsewhere. */
struct sl_record_around {
    struct sl_record record; /* without its prewrite value; borrows from the stream */
    bool             has_value;
    uint64_t         value_at; /* of its first byte, counted from the first byte that was fed */
    uint64_t         value_bytes;
};

/* Expect a record of so many bytes. */
void sl_record_stream_begin(struct sl_record_stream *stream, uint64_t bytes);
/* Free what is held. A stream of zeros holds nothing. */
void sl_record_stream_end(struct sl_record_stream *stream);

/* The next bytes of it, at most as many as are left. False: it is no record, and
 * sl_record_stream_take will say why; what else is fed is not looked at. */
bool sl_record_stream_feed(struct sl_record_stream *stream, struct sl_slice piece);

/* The record, when all of it was fed or feeding has failed; once. Errors as of sl_record_decode,
 * and SL_TOO_LARGE for more than SL_RECORD_REST_BYTES_MAX beside the value. */
enum sl_err sl_record_stream_take(struct sl_record_stream *stream, struct sl_record_around *out,
                                  struct sl_why *why);

/* After sl_record_stream_take: the bytes of its record, which is without the prewrite value.
 * Borrowed from the stream. */
struct sl_slice sl_record_stream_rest(const struct sl_record_stream *stream);

/* ---- inside a WriteBinlogReq ---- */

/* A request under way: the cluster id and the last payload count, as in any decoder. */
struct sl_write_stream {
    struct sl_record_scan   scan;
    uint64_t                bytes;
    uint64_t                cluster_id;
    uint64_t                record_at;
    struct sl_record_stream record;
};

/* As the functions for records; `bytes` are those of the request. */
void sl_write_stream_begin(struct sl_write_stream *stream, uint64_t bytes);
void sl_write_stream_end(struct sl_write_stream *stream);
/* False: it is no request. A payload that is no record fails only when it is taken. */
bool sl_write_stream_feed(struct sl_write_stream *stream, struct sl_slice piece);

/* While the prewrite value comes: what stands before it, at which a message can be refused early.
 * What counts is what the end says, since fields may come again. *record borrows from the stream.
 * False: it is not coming now, or what stands before it is no record. */
bool sl_write_stream_peek(const struct sl_write_stream *stream, uint64_t *cluster_id,
                          struct sl_record *record);

/* The cluster id, when all was fed or feeding has failed. SL_INVALID: it is no request. */
enum sl_err sl_write_stream_cluster(struct sl_write_stream *stream, uint64_t *cluster_id,
                                    struct sl_why *why);
/* Then the record, once; one of zeros when there is no payload. value_at counts from the first byte
 * of the request. */
enum sl_err sl_write_stream_take(struct sl_write_stream *stream, struct sl_record_around *out,
                                 struct sl_why *why);

#endif
