#ifndef SL_ACTORS_PUMP_STATUS_H
#define SL_ACTORS_PUMP_STATUS_H

/* What the pump answers over HTTP, byte for byte as the original does (pump spec 5): scripts read
 * these bodies. All functions are pure. A body is a new buffer with one reference, the caller's;
 * every status is 200. Content types (actors/common/body.h): sl_body_json for /state, else
 * sl_body_text. */

#include "base/buf.h"
#include "base/ts.h"
#include "net/node.h"
#include "net/registry.h"

/* GET /status: all pumps whatever their state, and a timestamp just fetched. `trouble`: what is
 * wrong with this one; "": nothing, as the original always says then. */
struct sl_buf *sl_status_body(const struct sl_node_list *pumps, sl_ts now, const char *trouble);
/* The same when one of the two could not be had; `why` is for people. */
struct sl_buf *sl_status_failure_body(const char *why);

/* GET /drainers: all drainers; NULL: they could not be listed. */
struct sl_buf *sl_status_drainers_body(const struct sl_node_list *drainers);

/* GET /debug/binlog/{ts}: the record as text, with its prewrite value; cut at
 * SL_STATUS_RECORD_BYTES_MAX. `record` is what the log holds. TiKV is not asked about the prewrite
 * key. */
struct sl_buf *sl_status_record_body(struct sl_slice record);
/* Where {ts} is no number. */
struct sl_buf *sl_status_bad_ts_body(const char *text);
/* The record could not be read; `why` as "leveldb: not found", which scripts know. */
struct sl_buf *sl_status_no_record_body(sl_ts ts, const char *why);

/* The {ts} of a path as Go reads it; false: it is no number. */
bool sl_status_parse_ts(const char *text, sl_ts *out);

/* POST /debug/gc/trigger. `idle`: it was waiting, and begins now. */
struct sl_buf *sl_status_gc_body(bool idle);

#endif
