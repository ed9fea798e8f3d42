#ifndef SL_BINLOG_SCHEMA_STORE_H
#define SL_BINLOG_SCHEMA_STORE_H

/* The schema tracker as bytes, so that a restart need not read the history of jobs again: the jobs
 * above sl_schema_version are all that is missing. Pure. */

#include "base/buf.h"
#include "base/err.h"
#include "binlog/schema.h"

/* The whole tracker. *out has one reference, the caller's. SL_TOO_LARGE: above
 * SL_SCHEMA_STORE_BYTES_MAX. */
enum sl_err sl_schema_write(const struct sl_schema *schema, struct sl_buf **out,
                            struct sl_why *why);

/* The tracker that was written; owned by the caller. SL_INVALID: the bytes are none, or damaged, or
 * of a format that this program does not know: then read the history. */
enum sl_err sl_schema_read(struct sl_slice bytes, struct sl_schema **out, struct sl_why *why);

#endif
