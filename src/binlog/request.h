#ifndef SL_BINLOG_REQUEST_H
#define SL_BINLOG_REQUEST_H

/* Requests: what clients ask of a pump, around the records (pump spec 1.2; proto/pump.proto is the
 * same contract). The decoders return slices into their input and allocate nothing; fields come in
 * any order, missing ones are zero, unknown ones are skipped. */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/ts.h"

/* WriteBinlogReq. */
struct sl_write_request {
    uint64_t        cluster_id;
    struct sl_slice payload; /* a record (binlog/record.h); empty: one of all zeros, the probe */
};

/* PullBinlogReq. */
struct sl_pull_request {
    uint64_t cluster_id;
    sl_ts    after; /* everything above is wanted */
};

/* Decode all of bytes. SL_INVALID with the original's words when it is none. *out is set on success
 * only, and borrows from bytes. */
enum sl_err sl_write_request_decode(struct sl_slice bytes, struct sl_write_request *out,
                                    struct sl_why *why);
enum sl_err sl_pull_request_decode(struct sl_slice bytes, struct sl_pull_request *out,
                                   struct sl_why *why);

#endif
