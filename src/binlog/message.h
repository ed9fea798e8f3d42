#ifndef SL_BINLOG_MESSAGE_H
#define SL_BINLOG_MESSAGE_H

/* The messages that a client of a pump sends and hears (proto/pump.proto), and the pieces of
 * protobuf they are made of. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"
#include "binlog/record.h"

/* A WriteBinlogReq. The buffer is the caller's. */
struct sl_buf *sl_message_write(uint64_t cluster_id, struct sl_slice payload);

/* The same of a record, encoded in place. */
struct sl_buf *sl_message_write_record(uint64_t cluster_id, const struct sl_record *record);

/* One without payload: a probe (pump spec 2.6). */
struct sl_buf *sl_message_probe(uint64_t cluster_id);

/* A PullBinlogReq for what comes after the commit ts `from`. The buffer is the caller's. */
struct sl_buf *sl_message_pull(uint64_t cluster_id, sl_ts from);

/* The payload of the entity in a PullBinlogResp; borrows from it. SL_INVALID: it is none. */
enum sl_err sl_message_entity(struct sl_slice response, struct sl_slice *payload, struct sl_why *why);

/* ---- writing protobuf ---- */

/* How many bytes a number takes, or a field of len bytes with a number below 16. */
size_t sl_message_number_bytes(uint64_t number);
size_t sl_message_field_bytes(size_t len);

/* Write it and return the place behind it. */
uint8_t *sl_message_put_number(uint8_t *at, uint64_t number);
/* A field that holds a number; and the head of one that holds len bytes, which follow. */
uint8_t *sl_message_put_integer(uint8_t *at, unsigned field, uint64_t value);
uint8_t *sl_message_put_head(uint8_t *at, unsigned field, size_t len);

#endif
